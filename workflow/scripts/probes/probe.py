"""Train and evaluate all heads of one task and encoder."""

import pandas as pd
import torch

from braindino.encoders.features import read_features
from braindino.files import write_table
from braindino.log import job_log
from braindino.probes.probe import probe
from braindino.settings.cards import TaskCard
from braindino.settings.probes import Probes

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    volumes, features = read_features(snakemake.input.features)
    predictions = probe(
        TaskCard(**snakemake.params.card),
        snakemake.wildcards.encoder,
        volumes,
        features,
        pd.read_parquet(snakemake.input.split),
        pd.read_parquet(snakemake.input.subsets),
        Probes(**snakemake.params.protocol),
        snakemake.params.bins,
        snakemake.params.seed,
    )
    write_table(predictions, snakemake.output[0])
