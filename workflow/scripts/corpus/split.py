"""Split every task's subjects and draw its label subsets."""

import pandas as pd

from braindino.corpus.columns import MANIFEST
from braindino.corpus.persons import read_persons
from braindino.corpus.splits import keep_split, split_subjects
from braindino.corpus.subsets import label_subsets
from braindino.corpus.tasks import task_volumes
from braindino.files import concat_tables, write_table
from braindino.log import job_log
from braindino.settings.cards import TaskCard
from braindino.settings.corpus import Corpus

with job_log(snakemake.log[0]):
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    corpus, persons, seed = Corpus(**params.corpus), read_persons(given.persons), params.seed
    ratios, draws, bins = corpus.label_ratios, corpus.label_seeds, corpus.strata_bins
    manifests = concat_tables(given.manifests, MANIFEST)
    cards = {name: TaskCard(**card) for name, card in params.cards.items()}
    for number, card in enumerate(cards.values()):
        parent = cards[card.split_as or card.name]
        volumes, rejects = task_volumes(card, manifests)
        whole, share = task_volumes(parent, manifests)[0], corpus.test_fractions.get(parent.name)
        split = split_subjects(parent, whole, persons, bins, seed, share)
        split, others = keep_split(split, volumes)
        rejects = pd.concat([rejects, others])
        write_table(split, made.splits[number])
        subsets = label_subsets(card, split, ratios, draws, bins, seed)
        write_table(subsets, made.subsets[number])
        write_table(rejects, made.rejects[number])
