"""Draw Figure 4."""

import pandas as pd

from braindino.log import job_log
from braindino.reporting.figure_4 import figure_4
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    statistics = (pd.read_parquet(snakemake.input[name]) for name in ("curves", "metrics"))
    save_figure(figure_4(*statistics, names), *snakemake.output)
