"""Join the statistics of all perturbed tasks."""

from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.statistics.robustness import COLUMNS, TESTS

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    write_table(concat_tables(given.metrics, COLUMNS), made.metrics)
    write_table(concat_tables(given.comparisons, TESTS), made.comparisons)
