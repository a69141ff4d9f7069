"""Audit the corpus: coverage, counts, duplicates; all rejects and notes in one place."""

from braindino.corpus.columns import MANIFEST, NOTES, REJECTS, SPLITS
from braindino.corpus.coverage import composition, coverage
from braindino.corpus.leakage import find_duplicates
from braindino.corpus.sizes import split_sizes
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard

with job_log(snakemake.log[0]):
    tables, made, params = snakemake.input, snakemake.output, snakemake.params
    manifests = concat_tables(tables.manifests, MANIFEST)
    prints = concat_tables(tables.fingerprints, ["volume_id", "fingerprint"])
    scans = concat_tables(tables.manifest_rejects, REJECTS)
    volumes = concat_tables(tables.volumes, ["volume_id", "pretraining", "evaluation"])
    splits = concat_tables(tables.splits, SPLITS)
    rejects = concat_tables([*tables.manifest_rejects, *tables.split_rejects], REJECTS)
    tasks = {name: TaskCard(**card) for name, card in params.tasks.items()}
    counts = coverage(manifests, scans, volumes, params.expected, params.slices)
    write_table(counts, made.coverage)
    write_table(composition(manifests, volumes), made.composition)
    write_table(split_sizes(splits, tasks), made.splits)
    write_table(find_duplicates(prints, manifests, params.same_content), made.duplicates)
    write_table(concat_tables(tables.notes, NOTES), made.notes)
    write_table(rejects, made.rejects)
