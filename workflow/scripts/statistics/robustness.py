"""Score and compare the encoders of a task under every perturbation."""

import pandas as pd

from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.statistics import Statistics
from braindino.statistics.robustness import (
    robustness_comparisons,
    robustness_metrics,
    whole_cases,
)

with job_log(snakemake.log[0]):
    card, params = TaskCard(**snakemake.params.card), snakemake.params
    predictions = pd.concat(map(pd.read_parquet, snakemake.input), ignore_index=True)
    predictions = whole_cases(predictions, card)
    common = card, Statistics(**params.protocol), params.grid, params.seed
    write_table(robustness_metrics(predictions, *common), snakemake.output.metrics)
    write_table(robustness_comparisons(predictions, *common), snakemake.output.comparisons)
