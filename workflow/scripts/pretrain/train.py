"""Pretrain an encoder; a run that was interrupted goes on where it stopped."""

from pathlib import Path

import torch

from braindino.log import job_log
from braindino.pretrain.launch import count_processes, launch
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.train import pretrain
from braindino.settings.pretrain import Recipe

with job_log(snakemake.log[0], Interrupted, FloatingPointError):
    torch.set_num_threads(snakemake.threads)
    params, processes = snakemake.params, snakemake.params.processes
    processes = processes or count_processes(params.device)
    launch(
        processes,
        snakemake.log[0],
        pretrain,
        Recipe(**params.recipe),
        list(snakemake.input.shards),
        Path(snakemake.output.encoder).parent,
        params.seed,
        params.device,
        None,
        max(1, snakemake.threads // (2 * processes)),
        str(snakemake.input.init) or None,
    )
