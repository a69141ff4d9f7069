"""Pretrain an encoder; a run that was interrupted goes on where it stopped."""

from pathlib import Path

import torch

from braindino.log import job_log
from braindino.pretrain.launch import ProcessFailed, count_processes, launch
from braindino.pretrain.nodes import launch_nodes
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.requeue import requeued
from braindino.pretrain.train import pretrain
from braindino.settings.pretrain import Recipe

with job_log(snakemake.log[0], Interrupted, ProcessFailed, FloatingPointError), requeued():
    torch.set_num_threads(snakemake.threads)
    params, nodes = snakemake.params, snakemake.resources.get("nodes", 1)
    processes = params.processes or count_processes(params.device)
    start = {
        "recipe": Recipe(**params.recipe),
        "shards": list(snakemake.input.shards),
        "out_dir": Path(snakemake.output.encoder).parent,
        "seed": params.seed,
        "device": params.device,
        "workers": max(1, snakemake.threads // (2 * processes)),
        "init": str(snakemake.input.init) or None,
    }
    if nodes > 1:
        launch_nodes(nodes, processes, snakemake.threads, **start)
    else:
        launch(processes, snakemake.log[0], pretrain, **start)
