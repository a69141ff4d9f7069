"""Draw Figure 5."""

import pandas as pd

from braindino.log import job_log
from braindino.reporting.figure_5 import figure_5
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    metrics = pd.read_parquet(snakemake.input.metrics)
    cards = [run.tasks[task] for task in dict.fromkeys(metrics["task"])]
    save_figure(figure_5(metrics, cards, names), *snakemake.output)
