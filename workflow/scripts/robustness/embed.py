"""Embed the test volumes of all cohorts under one perturbation, with several encoders."""

import json
import shutil

import pandas as pd
import torch

from braindino.device import choose_device
from braindino.encoders.several import build_several
from braindino.files import write_table
from braindino.imaging.hdbet import load_backend
from braindino.log import job_log
from braindino.robustness.embed import embed_kept, mask_files, volumes_in_test
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, params, shared = snakemake.input, snakemake.params, snakemake.params.shared
    protocol, device = Imaging(**shared["imaging"]), choose_device(shared["device"])
    pretrained = next(iter(given.get("pretrained", [])), None)
    encoders, checksums = build_several(params.encoders, shared, pretrained)
    masks = mask_files(given.indices, given.folders)
    listed, splits = (pd.concat(map(pd.read_parquet, given[n])) for n in ("volumes", "splits"))
    volumes = volumes_in_test(listed, splits, masks)
    known = masks if params.mask == "clean" else None
    stripped = known or volumes["skull_stripped"].astype(bool).all()
    backend = None if stripped else load_backend(protocol.skull_strip, device)
    key = json.dumps([shared, params.encoders, params.mask, checksums])
    common = snakemake.wildcards.condition, protocol, backend, known, shared["seed"]
    table, rejects = embed_kept(params.parts, key, params.chunk, encoders, volumes, *common)
    dataset, files = table["volume_id"].str.split("/").str[0], iter(snakemake.output.features)
    for cohort in params.cohorts:
        for name in encoders:
            own = table[(dataset == cohort) & (table["encoder"] == name)]
            write_table(own.drop(columns="encoder").dropna(axis=1, how="all"), next(files))
    write_table(rejects, snakemake.output.rejects)
    shutil.rmtree(params.parts, ignore_errors=True)
