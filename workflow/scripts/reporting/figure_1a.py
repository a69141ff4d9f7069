"""Draw Figure 1a."""

import pandas as pd

from braindino.log import job_log
from braindino.reporting.figure_1a import figure_1a
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    tables = {
        name: pd.read_csv(snakemake.input[name])
        for name in ("composition", "coverage", "availability")
    }
    groups = {name: card.group for name, card in run.datasets.items()}
    names = labels(run, tables["availability"])
    figure = figure_1a(tables["composition"], tables["coverage"], groups, names)
    save_figure(figure, *snakemake.output)
