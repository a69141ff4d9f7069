"""Join the alignment of all cohorts."""

from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.representation.alignment import COLUMNS

with job_log(snakemake.log[0]):
    write_table(concat_tables(snakemake.input, COLUMNS), snakemake.output[0])
