"""Account for every scan, and check that no test subject leaks into pretraining."""

from braindino.corpus.audit import audit_leakage, coverage
from braindino.corpus.manifest import COLUMNS, REJECT_COLUMNS
from braindino.corpus.splits import SPLIT_COLUMNS
from braindino.files import concat_tables, write_table
from braindino.log import job_log

with job_log(snakemake.log[0]):
    tables, made = snakemake.input, snakemake.output
    manifests = concat_tables(tables.manifests, COLUMNS)
    scans = concat_tables(tables.manifest_rejects, REJECT_COLUMNS)
    volumes = concat_tables(tables.volumes, ["volume_id", "pretraining", "evaluation"])
    splits = concat_tables(tables.splits, SPLIT_COLUMNS)
    rejects = concat_tables([*tables.manifest_rejects, *tables.split_rejects], REJECT_COLUMNS)
    write_table(audit_leakage(volumes, splits), made.leakage)
    write_table(coverage(manifests, scans, volumes, snakemake.params.expected), made.coverage)
    write_table(rejects, made.rejects)
