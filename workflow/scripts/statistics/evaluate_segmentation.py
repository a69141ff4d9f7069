"""Score and compare all encoders of a segmentation."""

import pandas as pd

from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.statistics import Statistics
from braindino.statistics import comparisons, metrics
from braindino.statistics.curves import curves
from braindino.statistics.segmentation import by_case

with job_log(snakemake.log[0]):
    card, made = TaskCard(**snakemake.params.card), snakemake.output
    protocol, seed = Statistics(**snakemake.params.protocol), snakemake.params.seed
    tables = map(pd.read_parquet, snakemake.input.predictions)
    predictions = by_case(pd.concat(tables, ignore_index=True))
    write_table(metrics.metrics(predictions, card, protocol, seed), made.metrics)
    write_table(comparisons.comparisons(predictions, card, protocol, seed), made.comparisons)
    write_table(curves(predictions, card), made.curves)
