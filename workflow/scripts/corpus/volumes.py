"""Select the volumes of one cohort that this run uses."""

import pandas as pd

from braindino.corpus.splits import SPLIT_COLUMNS
from braindino.corpus.volumes import select_volumes
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard

with job_log(snakemake.log[0]):
    volumes = select_volumes(
        DatasetCard(**snakemake.params.card),
        pd.read_parquet(snakemake.input.manifest),
        concat_tables(snakemake.input.splits, SPLIT_COLUMNS),
        snakemake.params.modalities,
        snakemake.params.chunks,
    )
    write_table(volumes, snakemake.output[0])
