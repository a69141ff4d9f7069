"""Train and evaluate all heads of one task and encoder, and the probes beside them."""

import pandas as pd
import torch

from braindino.files import concat_frames, write_table
from braindino.log import job_log
from braindino.probes.planes import plane_probes
from braindino.probes.probe import label_draws, probe
from braindino.probes.samples import read_samples
from braindino.probes.supplement import supplement
from braindino.settings.cards import TaskCard
from braindino.settings.probes import Probes

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, made, params = snakemake.input, snakemake.output, snakemake.params
    card, encoder = TaskCard(**params.card), snakemake.wildcards.encoder
    protocol = Probes(**params.protocol).for_task(card)
    split = pd.read_parquet(given.split)
    samples = read_samples(card, split, given.features, protocol, params.seed)
    subsets, common = pd.read_parquet(given.subsets), (protocol, params.bins, params.seed)
    draws, unlearnt = label_draws(card, samples.table, subsets, *common)
    write_table(probe(card, encoder, samples, draws, protocol, params.seed), made.predictions)
    beside = supplement(card, encoder, samples, draws, *common)
    planes = plane_probes(card, encoder, split, given.planes, subsets, *common)
    write_table(concat_frames([beside, planes], beside.columns), made.supplement)
    write_table(pd.concat([samples.rejects, unlearnt]), made.rejects)
