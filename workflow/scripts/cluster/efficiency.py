"""Gather what the jobs took."""

from braindino.cluster.efficiency import efficiency
from braindino.files import write_table
from braindino.log import job_log

with job_log(snakemake.log[0]):
    write_table(efficiency(snakemake.params.folder), snakemake.output[0])
