"""Pretrain an encoder; a run that was interrupted goes on where it stopped."""

import sys
from pathlib import Path

import torch

from braindino.log import job_log
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.train import pretrain
from braindino.settings.pretrain import Recipe

with job_log(snakemake.log[0]) as logger:
    torch.set_num_threads(snakemake.threads)
    try:
        pretrain(
            Recipe(**snakemake.params.recipe),
            snakemake.input.shards,
            Path(snakemake.output.encoder).parent,
            seed=snakemake.params.seed,
            device=snakemake.params.device,
            logger=logger,
        )
    except (FloatingPointError, Interrupted) as stop:
        logger.error("%s", stop)
        sys.exit(1)
