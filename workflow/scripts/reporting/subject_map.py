"""Draw the map of all volumes' features."""

import pandas as pd

from braindino.log import job_log
from braindino.reporting.labels import labels
from braindino.reporting.style import save_figure
from braindino.reporting.subject_map import subject_map
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    names = labels(run, pd.read_csv(snakemake.input.availability))
    places = pd.read_parquet(snakemake.input.places)
    title = names.encoders[run.config.statistics.reference]
    save_figure(subject_map(places, title, names.demo), *snakemake.output, dpi=150)
