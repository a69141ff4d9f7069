"""Train one network: an encoder on a share of a cohort."""

import json
from pathlib import Path

import torch

from braindino.device import choose_device
from braindino.encoders.build import recipe_card
from braindino.files import sha256
from braindino.log import job_log
from braindino.segmentation.environment import nnunet_environment
from braindino.segmentation.names import configuration_of
from braindino.segmentation.plans import write_plan
from braindino.segmentation.training import train
from braindino.settings.encoders import EncoderCard
from braindino.settings.segmentation import Segmentation

if __name__ == "__main__":  # nnU-Net's processes import this file again
    with job_log(snakemake.log[0]):
        given, params, threads = snakemake.input, snakemake.params, snakemake.threads
        torch.set_num_threads(threads)
        # Beside one process that loads and augments, a CPU's few cores have enough to do.
        nnunet_environment(params.root, threads - 1 if threads > 2 else 0)
        card, weights = EncoderCard(**params.encoder), params.weights
        if card.source == "recipe":
            weights = given.pretrained[0]
            card = recipe_card(card, weights)
        files = [given.split, given.subsets, given.cases, *([weights] if weights else [])]
        key = json.dumps([params.code, params.network, *map(sha256, files)])
        folder, model = Path(given.split).parent, Path(snakemake.output.checkpoint).parents[1]
        protocol, seed = Segmentation(**params.protocol), params.seed
        plan = write_plan(folder, card, weights, params.ratio, protocol, seed, params.frozen, key)
        device = choose_device(params.device)
        train(folder.name, configuration_of(card), plan, folder, model, device)
