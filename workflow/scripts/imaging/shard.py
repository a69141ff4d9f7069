"""Write the pretraining slices of one chunk."""

import pandas as pd
import torch

from braindino.files import write_table
from braindino.imaging.shards import write_shard
from braindino.log import job_log
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    volumes = pd.read_parquet(snakemake.input.volumes)
    pretraining = set(volumes.loc[volumes["pretraining"], "volume_id"])
    brains = pd.read_parquet(snakemake.input.index)
    rejects = pd.read_csv(snakemake.input.rejects)
    index = write_shard(
        brains[brains["volume_id"].isin(pretraining)],
        snakemake.input.folder,
        snakemake.output.shard,
        Imaging(**snakemake.params.protocol),
        snakemake.params.seed,
    )
    write_table(index, snakemake.output.index)
    # With these, index and rejects account for every pretraining volume of the chunk.
    write_table(rejects[rejects["volume_id"].isin(pretraining)], snakemake.output.rejects)
