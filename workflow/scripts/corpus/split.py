"""Split one task's subjects and draw its label subsets."""

import pandas as pd

from braindino.corpus.persons import read_persons
from braindino.corpus.splits import keep_split, label_subsets, split_subjects
from braindino.corpus.tasks import task_volumes
from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.corpus import Corpus

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    card, parent = TaskCard(**params.card), TaskCard(**params.parent)
    corpus, persons = Corpus(**params.corpus), read_persons(given.persons)
    seed, bins = params.seed, corpus.strata_bins
    manifests = pd.concat(map(pd.read_parquet, given.manifests), ignore_index=True)
    volumes, rejects = task_volumes(card, manifests)
    split = split_subjects(parent, task_volumes(parent, manifests)[0], persons, bins, seed)
    split = keep_split(split, volumes)
    subsets = label_subsets(card, split, corpus.label_ratios, corpus.label_seeds, bins, seed)
    write_table(split, snakemake.output.split)
    write_table(subsets, snakemake.output.subsets)
    write_table(rejects, snakemake.output.rejects)
