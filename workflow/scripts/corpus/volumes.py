"""Select the volumes of one cohort that this run uses."""

import pandas as pd

from braindino.corpus.persons import read_persons
from braindino.corpus.splits import SPLIT_COLUMNS
from braindino.corpus.volumes import select_volumes
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    volumes = select_volumes(
        DatasetCard(**params.card),
        pd.read_parquet(given.manifest),
        read_persons(given.persons),
        concat_tables(given.splits, SPLIT_COLUMNS),
        params.probed,
        params.modalities,
        params.chunks,
    )
    write_table(volumes, snakemake.output[0])
