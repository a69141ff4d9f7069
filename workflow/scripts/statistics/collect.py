"""Join the statistics of all tasks."""

from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.statistics import comparisons, curves, metrics

with job_log(snakemake.log[0]):
    for name, room in {"metrics": metrics, "comparisons": comparisons, "curves": curves}.items():
        write_table(concat_tables(snakemake.input[name], room.COLUMNS), snakemake.output[name])
