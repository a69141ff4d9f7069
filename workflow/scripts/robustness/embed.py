"""Embed the test volumes of one cohort under several perturbations, with several encoders."""

import json
import shutil

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.encoders.several import build_several
from braindino.files import concat_frames, write_table
from braindino.imaging.hdbet import load_backend
from braindino.log import job_log
from braindino.robustness.embed import REJECTS, embed_kept, mask_files, volumes_in_test
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, params, shared = snakemake.input, snakemake.params, snakemake.params.shared
    protocol, device = Imaging(**shared["imaging"]), choose_device(shared["device"])
    pretrained = next(iter(given.get("pretrained", [])), None)
    encoders, checksums = build_several(params.encoders, shared, pretrained)
    masks = mask_files(given.indices, given.folders)
    splits = pd.concat(map(pd.read_parquet, given.splits))
    volumes = volumes_in_test(pd.read_parquet(given.volumes), splits, masks)
    known = masks if params.mask == "clean" else None
    stripped = known or volumes["skull_stripped"].astype(bool).all()
    backend = None if stripped else load_backend(protocol.skull_strip, device)
    key = json.dumps([shared, params.encoders, params.mask, checksums])
    files, rejects = iter(snakemake.output.features), []
    for condition in params.conditions:
        common = condition, protocol, backend, known, shared["seed"]
        table, lost = embed_kept(params.parts, key, params.chunk, encoders, volumes, *common)
        rejects.append(lost)
        for name in encoders:
            own = table[table["encoder"] == name].drop(columns="encoder")
            write_table(own.dropna(axis="columns", how="all"), next(files))
    write_table(concat_frames(rejects, REJECTS), snakemake.output.rejects)
    shutil.rmtree(params.parts, ignore_errors=True)
