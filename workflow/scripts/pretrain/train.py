"""Pretrain an encoder; a run that was interrupted goes on where it stopped."""

from pathlib import Path

import torch

from braindino.log import job_log
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.train import pretrain
from braindino.settings.pretrain import Recipe

with job_log(snakemake.log[0], Interrupted, FloatingPointError):
    torch.set_num_threads(snakemake.threads)
    pretrain(
        Recipe(**snakemake.params.recipe),
        snakemake.input.shards,
        Path(snakemake.output.encoder).parent,
        seed=snakemake.params.seed,
        device=snakemake.params.device,
        workers=snakemake.threads // 2,
        init=snakemake.params.init,
    )
