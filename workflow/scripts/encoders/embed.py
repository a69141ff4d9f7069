"""Embed every evaluation volume of one cohort with one frozen encoder, or with several."""

import json
from pathlib import Path

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.encoders.build import build_encoder
from braindino.encoders.features import extract_features, finish
from braindino.files import sha256
from braindino.log import job_log
from braindino.settings.encoders import EncoderCard, Features
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    shared, encoders = snakemake.params.shared, snakemake.params.encoders
    wanted = set(pd.read_parquet(snakemake.input.volumes).query("probed")["volume_id"])
    files = {
        row.volume_id: Path(folder, row.file)
        for index, folder in zip(snakemake.input.indices, snakemake.input.folders, strict=True)
        for row in pd.read_parquet(index).itertuples()
        if row.volume_id in wanted
    }
    settings, protocol = Features(**shared["features"]), Imaging(**shared["imaging"])
    where = choose_device(shared["device"]), shared["batch"], shared["seed"]
    made, pretrained = [], snakemake.input.get("pretrained") or [None]
    for *encoder, output in zip(*encoders.values(), snakemake.output, strict=True):
        card, weights = EncoderCard(**encoder[0]), pretrained[0] or encoder[1]
        frozen = build_encoder(card, weights, settings, *where)
        key = json.dumps([shared, encoder, weights and sha256(weights)])
        options = key, snakemake.params.chunk, snakemake.wildcards.get("plane", "axial")
        folder = Path(output).with_suffix(".parts")
        table = extract_features(frozen, files, protocol, folder, *options)
        made.append((table, output, folder))
    # Not before all are there: Snakemake removes what an interrupted job has written.
    for features in made:
        finish(*features)
