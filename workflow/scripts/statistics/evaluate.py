"""Score and compare all encoders of a task."""

import pandas as pd

from braindino.files import concat_frames, write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.statistics import Statistics
from braindino.statistics import comparisons, metrics
from braindino.statistics.curves import curves
from braindino.statistics.supplement import supplement_comparisons, supplement_metrics

with job_log(snakemake.log[0]):
    card, made = TaskCard(**snakemake.params.card), snakemake.output
    protocol, seed = Statistics(**snakemake.params.protocol), snakemake.params.seed
    predictions, others = (
        pd.concat(map(pd.read_parquet, files), ignore_index=True)
        for files in (snakemake.input.predictions, snakemake.input.supplement)
    )
    scored = metrics.metrics(predictions, card, protocol, seed)
    tested = comparisons.comparisons(predictions, card, protocol, seed)
    more = supplement_metrics(others, card, protocol, seed)
    write_table(concat_frames([scored, more], metrics.COLUMNS), made.metrics)
    more = supplement_comparisons(others, protocol)
    write_table(concat_frames([tested, more], comparisons.COLUMNS), made.comparisons)
    write_table(curves(predictions, card), made.curves)
