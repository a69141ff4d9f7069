"""Give every subject a person."""

from braindino.corpus.columns import MANIFEST
from braindino.corpus.persons import find_persons, read_aliases
from braindino.files import concat_tables, write_table
from braindino.log import job_log

with job_log(snakemake.log[0]):
    manifests = concat_tables(snakemake.input.manifests, MANIFEST)
    persons = find_persons(manifests, read_aliases(snakemake.input.aliases))
    write_table(persons, snakemake.output[0])
