"""Lay the reference encoder's features out in the plane, and measure site leakage of all."""

import pandas as pd
import torch

from braindino.encoders.features import read_features
from braindino.files import write_table
from braindino.log import job_log
from braindino.representation.subject_map import MOST, describe, flatten, site_leakage
from braindino.seeds import derive_rng, derive_seed

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, params = snakemake.input, snakemake.params
    manifests = pd.concat(map(pd.read_parquet, given.manifests), ignore_index=True)
    seed, cohorts, leakage = derive_seed(params.seed, "map") % 2**32, len(given.manifests), []
    for number, encoder in enumerate(params.encoders):
        tables = given.features[number * cohorts : (number + 1) * cohorts]
        volumes, features = read_features(tables)
        known = describe(manifests, volumes)
        leakage.append(site_leakage(features, known, encoder, params.least, seed))
        if encoder == params.reference:
            chosen = derive_rng(seed, "shown").permutation(len(volumes))[:MOST]
            places = flatten(features[chosen], seed)
            shown = known.iloc[chosen].assign(x=places[:, 0], y=places[:, 1])
            write_table(shown.drop(columns=["volume_id", "subject"]), snakemake.output.places)
    write_table(pd.concat(leakage, ignore_index=True), snakemake.output.leakage)
