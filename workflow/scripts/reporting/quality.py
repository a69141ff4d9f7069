"""Draw a cohort's mosaic and histograms, and list its outliers."""

import pandas as pd

from braindino.files import write_table
from braindino.imaging.quality import find_outliers
from braindino.log import job_log
from braindino.reporting.labels import PHANTOMS
from braindino.reporting.mosaic import mosaic, read_thumbnails
from braindino.reporting.quality import histogram_figure
from braindino.reporting.style import save_figure
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    cohort = snakemake.wildcards.dataset
    demo = PHANTOMS if cohort in run.config.phantoms else ""
    thumbnails = read_thumbnails(snakemake.input.thumbnails)
    index = pd.concat(map(pd.read_parquet, snakemake.input.index), ignore_index=True)
    outliers = find_outliers(index)
    write_table(outliers, snakemake.output.outliers)
    figure = mosaic(thumbnails, index, outliers, cohort, demo)
    save_figure(figure, snakemake.output.mosaic, dpi=figure.dpi)
    figure = histogram_figure(thumbnails, index, cohort, demo)
    save_figure(figure, snakemake.output.histograms, dpi=150)
