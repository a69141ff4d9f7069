"""Print what this machine holds for a run."""

from braindino.corpus.check import check, show_table
from braindino.log import job_log
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    print(show_table(check(restore_run(snakemake.params.run))), flush=True)
