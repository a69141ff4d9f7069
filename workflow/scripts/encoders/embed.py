"""Embed every evaluation volume of one cohort with one frozen encoder."""

import json
from pathlib import Path

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.encoders.encoder import SliceEncoder, load_pretrained, load_published_timm
from braindino.encoders.features import extract_features
from braindino.files import write_table
from braindino.log import job_log
from braindino.settings.cards import EncoderCard
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    params, card = snakemake.params, EncoderCard(**snakemake.params.card)
    if card.source == "recipe":
        weights, made = snakemake.input.weights
        made = json.loads(Path(made).read_text())
        network = load_pretrained(weights, made["architecture"], made["arguments"])
    else:
        network = load_published_timm(card, params.published, params.seed)
    encoder = SliceEncoder(network, choose_device(params.device), params.batch)

    volumes = pd.read_parquet(snakemake.input.volumes)
    wanted = set(volumes.loc[volumes["probed"], "volume_id"])
    files = {
        row.volume_id: Path(folder, row.file)
        for index, folder in zip(snakemake.input.indices, snakemake.input.folders, strict=True)
        for row in pd.read_parquet(index).itertuples()
        if row.volume_id in wanted
    }
    features = extract_features(encoder, files, Imaging(**params.protocol))
    write_table(features, snakemake.output[0])
