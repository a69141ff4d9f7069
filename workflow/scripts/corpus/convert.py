"""Convert the DICOM series of some patients of a cohort."""

from braindino.corpus.dicom import convert_series
from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard
from braindino.settings.corpus import Corpus

with job_log(snakemake.log[0]):
    series, rejects = convert_series(
        DatasetCard(**snakemake.params.card),
        snakemake.input.folder,
        snakemake.output.folder,
        int(snakemake.wildcards.chunk),
        snakemake.params.chunks,
        Corpus(**snakemake.params.corpus),
    )
    write_table(series, snakemake.output.series)
    write_table(rejects, snakemake.output.rejects)
