"""List the scans of one cohort."""

from braindino.corpus.manifest import REJECT_COLUMNS, build_manifest
from braindino.corpus.scans import COLUMNS
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard
from braindino.settings.imaging import SkullStrip

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    card, converted = DatasetCard(**snakemake.params.card), None
    if card.reader == "dicom":
        scans = concat_tables(given.series, COLUMNS)
        converted = scans, concat_tables(given.series_rejects, REJECT_COLUMNS)
    manifest, rejects, notes = build_manifest(
        card, given.folder, SkullStrip(**snakemake.params.skull_strip), converted
    )
    write_table(manifest, made.manifest)
    write_table(rejects, made.rejects)
    write_table(notes, made.notes)
