"""Fetch the open cohorts of a run."""

from braindino.corpus.fetch import fetch
from braindino.log import job_log
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    fetch(restore_run(snakemake.params.run), snakemake.params.records)
