"""Draw Figure 3."""

import pandas as pd

from braindino.files import concat_tables
from braindino.log import job_log
from braindino.reporting.figure_3 import figure_3
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run
from braindino.statistics import comparisons, metrics
from braindino.statistics.baselines import training_mean_mae

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    splits = {
        frame["task"].iloc[0]: frame for frame in map(pd.read_parquet, snakemake.input.splits)
    }
    cards = [run.tasks[task] for task in splits]
    baselines = {c.name: training_mean_mae(splits[c.name]) for c in cards if c.kind == "regression"}
    statistics = (
        concat_tables(snakemake.input[name], room.COLUMNS)
        for name, room in (("metrics", metrics), ("comparisons", comparisons))
    )
    save_figure(figure_3(*statistics, cards, names, baselines), *snakemake.output)
