"""List the scans of one cohort."""

from braindino.corpus.columns import REJECTS, SCANS
from braindino.corpus.manifest import build_manifest
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard
from braindino.settings.imaging import SkullStrip

with job_log(snakemake.log[0]):
    given, made = snakemake.input, snakemake.output
    card, converted = DatasetCard(**snakemake.params.card), None
    if card.reader == "dicom":
        scans = concat_tables(given.series, SCANS)
        converted = scans, concat_tables(given.series_rejects, REJECTS)
    manifest = build_manifest(
        card, given.folder, SkullStrip(**snakemake.params.skull_strip), converted
    )
    write_table(manifest.scans, made.manifest)
    write_table(manifest.rejects, made.rejects)
    write_table(manifest.fingerprints, made.fingerprints)
    write_table(manifest.notes, made.notes)
