"""Draw the quality-control mosaic of a cohort."""

from braindino.log import job_log
from braindino.reporting.labels import PHANTOMS
from braindino.reporting.mosaic import mosaic, read_thumbnails
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    cohort = snakemake.wildcards.dataset
    demo = PHANTOMS if cohort in run.config.phantoms else ""
    figure = mosaic(read_thumbnails(snakemake.input), cohort, demo)
    save_figure(figure, *snakemake.output, dpi=figure.dpi)
