"""Draw Figure 1c."""

import pandas as pd

from braindino.files import concat_tables
from braindino.log import job_log
from braindino.reporting.figure_1c import figure_1c
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run
from braindino.statistics.metrics import COLUMNS

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    metrics = concat_tables(snakemake.input.metrics, COLUMNS)
    cards = [card for card in run.tasks.values() if card.name in set(metrics["task"])]
    save_figure(figure_1c(metrics, cards, names), *snakemake.output)
