"""Predict the perturbed test samples of one task from one encoder's features."""

import pandas as pd
import torch

from braindino.encoders.features import read_features
from braindino.files import write_table
from braindino.log import job_log
from braindino.probes.probe import label_draws
from braindino.probes.samples import read_samples
from braindino.robustness.predict import check_heads, perturbed_samples, predict_conditions
from braindino.settings.cards import TaskCard
from braindino.settings.probes import Probes

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, params = snakemake.input, snakemake.params
    card, encoder = TaskCard(**params.card), snakemake.wildcards.encoder
    protocol = Probes(**params.protocol).for_task(card)
    split, subsets = pd.read_parquet(given.split), pd.read_parquet(given.subsets)
    clean = read_features(given.features, card.tokens)
    samples = read_samples(card, split, given.features, protocol, params.seed)
    draws, _ = label_draws(card, samples.table, subsets, protocol, params.bins, params.seed)
    files = len(given.features)
    perturbed = {}
    for number, condition in enumerate(params.conditions):
        tables = given.perturbed[number * files : (number + 1) * files]
        changed = read_features(tables, card.tokens)
        perturbed[condition] = perturbed_samples(card, split, samples, clean, changed)
    made = predict_conditions(card, encoder, samples, draws, perturbed, protocol, params.seed)
    check_heads(made, pd.read_parquet(given.predictions), card)
    write_table(made, snakemake.output[0])
