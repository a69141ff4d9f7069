"""Pretrain an encoder: load, step, watch, checkpoint, export."""

import json
import logging
import time
from hashlib import sha256
from pathlib import Path

import torch
from tqdm import tqdm

from braindino.device import choose_device
from braindino.errors import BadInput
from braindino.files import write_text
from braindino.pretrain.channels import Images, channel_rows
from braindino.pretrain.checkpoint import Checkpoints
from braindino.pretrain.diagnostics import peak_memory
from braindino.pretrain.distributed import Ranks, total
from braindino.pretrain.export import export_encoder
from braindino.pretrain.journal import Journal
from braindino.pretrain.loader import Loader
from braindino.pretrain.order import SliceOrder
from braindino.pretrain.preemption import Interrupted, Preemption
from braindino.pretrain.run import Run
from braindino.pretrain.slices import Slices
from braindino.pretrain.watch import Watch


def pretrain(recipe, shards, out_dir, seed=0, device="auto", logger=None, workers=0, init=None):
    """Pretrain by a recipe, or go on with a run that was interrupted.

    Writes `metrics.jsonl`, `checkpoints/<identity>/` and what `export_encoder` does.
    A run's identity is what its weights depend on, so a changed recipe or corpus starts anew and
    leaves the other run's checkpoints alone. Called by every process that `torchrun` starts; their
    number changes no result but by rounding, and drop path's draws.

    Parameters
    ----------
    recipe : Recipe
        The protocol (§4.2).
    shards : sequence of path
        Shards of slices, each `.npy` beside its `.parquet`.
    out_dir : path
        Folder of the outputs.
    seed : int
        Seeds weights, order, views, masks and drop path.
    device : str
        Torch device; `auto` takes CUDA where there is some.
    logger : logging.Logger, optional
        Hears what a person wants to know.
    workers : int
        Threads that read ahead; no effect on any number.
    init : path, optional
        The file of the recipe's `model.init`, where it names one, or `teacher_checkpoint.pth` of
        the recipe that it continues.

    Returns
    -------
    dict or None
        The encoder's card, as in `encoder.json`; on the first rank.

    Raises
    ------
    BadInput
        Unusable shards or recipe.
    FloatingPointError
        The loss was not finite several times in a row; `nonfinite.json` names the slices.
    Interrupted
        SIGTERM, SIGUSR1 or SIGINT came; a checkpoint is written.
    """
    logger = logger or logging.getLogger(__name__)
    with Ranks() as ranks:
        if not ranks.leads:
            logger.setLevel(logging.ERROR)
        return _pretrain(
            recipe, shards, Path(out_dir), seed, choose_device(device, ranks.local), logger, workers, init, ranks
        )


def _pretrain(recipe, shards, out_dir, seed, device, logger, workers, init, ranks):
    watch = Watch(recipe, shards, seed, logger)
    slices = Slices(shards, watch.held_out)
    _check_enough(slices, recipe)
    run = Run(recipe, seed, device, init)
    order = SliceOrder(slices.sizes, seed)
    rows = channel_rows(recipe.views.channels, shards, watch.held_out)
    loader = Loader(Images(slices, order, rows), recipe, run.student.backbone.patch_size, seed, device, ranks)
    folder = out_dir / "checkpoints" / _identity(recipe, seed, slices, init)
    course = Course(run, Checkpoints(folder, recipe.keep_checkpoints, logger), out_dir, watch, ranks)
    course.resume(logger)
    _loop(run, loader, course, workers)
    if not ranks.leads:
        return None
    card = export_encoder(run, slices, out_dir)
    course.checkpoints.finish()
    logger.info("pretraining %s: done, %d iterations", recipe.name, run.iteration)
    return card
