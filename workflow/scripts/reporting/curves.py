"""Draw the course of the pretraining."""

from braindino.log import job_log
from braindino.reporting.curves import read_log, training_curves
from braindino.reporting.labels import PHANTOMS
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    demo = PHANTOMS if run.config.phantoms else ""
    figure = training_curves(read_log(snakemake.input[0]), run.recipe, demo)
    save_figure(figure, *snakemake.output, dpi=150)
