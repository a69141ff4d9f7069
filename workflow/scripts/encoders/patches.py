"""Look at patch tokens of held-out slices with the encoder that this run pretrains."""

import json
from pathlib import Path

import torch

from braindino.encoders.patches import MAGNIFIED, patch_components, save_patches
from braindino.log import job_log
from braindino.pretrain.held_out import choose_held_out, list_volumes
from braindino.pretrain.shown import choose_shown, middle_slices
from braindino.settings.pretrain import Recipe
from braindino.weights import load_pretrained

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    recipe, made = (
        Recipe(**snakemake.params.recipe),
        json.loads(Path(snakemake.input.card).read_text()),
    )
    network = load_pretrained(snakemake.input.weights, made["architecture"], made["arguments"])
    volumes = list_volumes(snakemake.input.shards)
    held_out = choose_held_out(volumes, recipe.probe.volumes, snakemake.params.seed)
    shown = choose_shown(held_out if len(held_out) else volumes)
    slices = middle_slices(shown)
    components = patch_components(network, slices, MAGNIFIED * recipe.probe.size)
    save_patches(components, slices.numpy(), shown["modality"], snakemake.output[0])
