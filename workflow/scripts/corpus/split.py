"""Split one task's subjects and draw its label subsets."""

import pandas as pd

from braindino.corpus.splits import label_subsets, split_subjects, task_volumes
from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.corpus import Corpus

with job_log(snakemake.log[0]):
    card, corpus = TaskCard(**snakemake.params.card), Corpus(**snakemake.params.corpus)
    seed, bins = snakemake.params.seed, corpus.strata_bins
    manifests = pd.concat(map(pd.read_parquet, snakemake.input.manifests), ignore_index=True)
    volumes, rejects = task_volumes(card, manifests)
    split = split_subjects(card, volumes, bins, seed)
    subsets = label_subsets(card, split, corpus.label_ratios, corpus.label_seeds, bins, seed)
    write_table(split, snakemake.output.split)
    write_table(subsets, snakemake.output.subsets)
    write_table(rejects, snakemake.output.rejects)
