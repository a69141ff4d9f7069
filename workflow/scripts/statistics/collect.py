"""Join the statistics of all tasks."""

from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.statistics import comparisons, metrics

with job_log(snakemake.log[0]):
    made, output = snakemake.input, snakemake.output
    write_table(concat_tables(made.metrics, metrics.COLUMNS), output.metrics)
    write_table(concat_tables(made.comparisons, comparisons.COLUMNS), output.comparisons)
