"""Write a task's cohort as a data set of nnU-Net's, and preprocess it."""

from pathlib import Path

import pandas as pd

from braindino.corpus.columns import MANIFEST
from braindino.files import concat_frames, concat_tables, write_table
from braindino.log import job_log
from braindino.segmentation.cases import REJECTS, check_cases, incomplete_visits, list_cases
from braindino.segmentation.dataset import write_raw, write_split
from braindino.segmentation.environment import nnunet_environment
from braindino.segmentation.preprocess import preprocess
from braindino.settings.cards import Regions, TaskCard

if __name__ == "__main__":  # nnU-Net's processes import this file again
    with job_log(snakemake.log[0]):
        given, made, params = snakemake.input, snakemake.output, snakemake.params
        card = TaskCard(**params.card)
        regions = {name: Regions(**values) for name, values in params.regions.items()}
        manifests = concat_tables(given.manifests, MANIFEST)
        cases = list_cases(pd.read_parquet(given.split), manifests)
        cases, rejects = check_cases(card, cases, regions, params.max_reject_fraction)
        lacking = incomplete_visits(card, manifests)
        write_table(concat_frames([rejects, lacking], REJECTS), made.rejects)
        write_table(cases, made.cases)
        nnunet_environment(params.root, snakemake.threads)
        write_raw(card, cases, regions, made.raw)
        folder = Path(made.split).parent
        preprocess(card.nnunet_id, folder, snakemake.threads)
        write_split(cases, pd.read_parquet(given.subsets), params.ratios, folder)
