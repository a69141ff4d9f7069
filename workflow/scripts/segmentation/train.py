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
        params, threads = snakemake.params, snakemake.threads
        torch.set_num_threads(threads)
        # Beside one process that loads and augments, a CPU's few cores have enough to do.
        nnunet_environment(params.root, threads - 1 if threads > 2 else 0)
        card = EncoderCard(**params.encoder)
        weights = next(iter(snakemake.input.get("pretrained") or []), params.weights)
        if card.source == "recipe":
            card = recipe_card(card, weights)
        key = json.dumps([params.code, params.network, weights and sha256(weights)])
        folder = Path(snakemake.input.split).parent
        plan = write_plan(
            folder,
            card,
            weights,
            params.ratio,
            Segmentation(**params.protocol),
            params.seed,
            frozen=params.frozen,
            key=key,
        )
        model, device = Path(snakemake.output.checkpoint).parents[1], choose_device(params.device)
        train(folder.name, configuration_of(card), plan, folder, model, device)
