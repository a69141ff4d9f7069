"""List the scans of one cohort."""

from braindino.corpus.manifest import build_manifest
from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard
from braindino.settings.imaging import SkullStrip

with job_log(snakemake.log[0]):
    manifest, rejects = build_manifest(
        DatasetCard(**snakemake.params.card),
        snakemake.input.folder,
        SkullStrip(**snakemake.params.skull_strip),
    )
    write_table(manifest, snakemake.output.manifest)
    write_table(rejects, snakemake.output.rejects)
