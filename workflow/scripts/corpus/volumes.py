"""Select the volumes of every cohort that this run uses."""

import pandas as pd

from braindino.corpus.columns import SPLITS
from braindino.corpus.persons import read_persons
from braindino.corpus.volumes import select_volumes
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import DatasetCard

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    splits, persons = concat_tables(given.splits, SPLITS), read_persons(given.persons)
    for card, manifest, chunks, path in zip(
        params.cards, given.manifests, params.chunks, snakemake.output, strict=True
    ):
        volumes = select_volumes(
            DatasetCard(**card),
            pd.read_parquet(manifest),
            persons,
            splits,
            params.probed,
            params.modalities,
            chunks,
            params.compared.get(card["name"], []),
            params.most,
        )
        write_table(volumes, path)
