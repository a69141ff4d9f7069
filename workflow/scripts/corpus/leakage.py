"""Stop the run where a test subject leaks."""

from braindino.corpus.columns import DUPLICATES, SPLITS
from braindino.corpus.leakage import audit_leakage
from braindino.corpus.persons import read_persons
from braindino.files import concat_tables, write_table
from braindino.log import job_log

with job_log(snakemake.log[0]):
    tables = snakemake.input
    leakage = audit_leakage(
        concat_tables(tables.volumes, ["volume_id", "pretraining"]),
        concat_tables(tables.splits, SPLITS),
        read_persons(tables.persons),
        concat_tables([tables.duplicates], DUPLICATES),
    )
    write_table(leakage, snakemake.output[0])
