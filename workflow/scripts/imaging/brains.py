"""Skull-strip and crop one chunk of volumes."""

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.files import write_table
from braindino.imaging.brains import check_reject_fraction, strip_chunk
from braindino.imaging.thumbnails import save_thumbnails
from braindino.log import job_log
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    protocol = Imaging(**snakemake.params.protocol)
    volumes = pd.read_parquet(snakemake.input.volumes)
    volumes = volumes[volumes["chunk"] == int(snakemake.wildcards.chunk)]
    volumes = volumes[volumes["pretraining"] | volumes["probed"]]
    index, rejects, thumbnails = strip_chunk(
        volumes,
        snakemake.output.folder,
        protocol,
        choose_device(snakemake.params.device),
        snakemake.threads,
    )
    check_reject_fraction(rejects, len(volumes), protocol.max_reject_fraction)
    write_table(index, snakemake.output.index)
    write_table(rejects, snakemake.output.rejects)
    save_thumbnails(thumbnails, snakemake.output.thumbnails)
