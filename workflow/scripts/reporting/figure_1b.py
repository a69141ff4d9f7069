"""Draw Figure 1b."""

import pandas as pd

from braindino.log import job_log
from braindino.reporting.figure_1b import figure_1b
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    figure = figure_1b([*run.earlier, run.recipe], run.config.imaging, names)
    save_figure(figure, *snakemake.output)
