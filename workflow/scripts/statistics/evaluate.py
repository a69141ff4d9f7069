"""Score and compare all encoders of a task."""

import pandas as pd

from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.statistics import Statistics
from braindino.statistics.comparisons import comparisons
from braindino.statistics.metrics import metrics

with job_log(snakemake.log[0]):
    card = TaskCard(**snakemake.params.card)
    protocol, seed = Statistics(**snakemake.params.protocol), snakemake.params.seed
    predictions = pd.concat(map(pd.read_parquet, snakemake.input), ignore_index=True)
    write_table(metrics(predictions, card, protocol, seed), snakemake.output.metrics)
    write_table(comparisons(predictions, card, protocol, seed), snakemake.output.comparisons)
