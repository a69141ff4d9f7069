"""Write the pretraining slices of one chunk."""

import pandas as pd
import torch

from braindino.files import write_table
from braindino.imaging.brains import check_reject_fraction
from braindino.imaging.shards import write_shard
from braindino.log import job_log
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    # The threads sample brains side by side.
    torch.set_num_threads(1)
    protocol = Imaging(**snakemake.params.protocol)
    volumes = pd.read_parquet(snakemake.input.volumes)
    volumes = volumes[volumes["chunk"] == int(snakemake.wildcards.chunk)]
    pretraining = set(volumes.loc[volumes["pretraining"], "volume_id"])
    brains = pd.read_parquet(snakemake.input.index)
    earlier = pd.read_csv(snakemake.input.rejects)
    index, rejects = write_shard(
        brains[brains["volume_id"].isin(pretraining)],
        snakemake.input.folder,
        snakemake.output.shard,
        protocol,
        snakemake.params.seed,
        snakemake.threads,
    )
    check_reject_fraction(rejects, len(pretraining), protocol.max_reject_fraction)
    write_table(index, snakemake.output.index)
    # With these, index and rejects account for every pretraining volume of the chunk.
    rejects = pd.concat([earlier[earlier["volume_id"].isin(pretraining)], rejects])
    write_table(rejects, snakemake.output.rejects)
