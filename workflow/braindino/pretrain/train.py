"""Pretrain an encoder: load, step, watch, checkpoint, export."""

import json
import logging
from hashlib import sha256
from pathlib import Path

from tqdm import tqdm

from braindino.device import choose_device
from braindino.errors import BadInput
from braindino.files import sha256 as file_sha256
from braindino.pretrain.channels import Images, channel_rows
from braindino.pretrain.checkpoint import Checkpoints
from braindino.pretrain.course import Course
from braindino.pretrain.distributed import Ranks
from braindino.pretrain.loader import Loader
from braindino.pretrain.order import SliceOrder
from braindino.pretrain.preemption import Preemption
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
            logger = logging.getLogger("braindino.silent")
            logger.setLevel(logging.ERROR)
        device = choose_device(device, ranks.local)
        _check_start(recipe, init)
        watch = Watch(recipe, shards, seed, logger)
        slices = Slices(shards, watch.held_out)
        _check_enough(slices, recipe)
        run = Run(recipe, seed, device, init)
        images = Images(
            slices,
            SliceOrder(slices.sizes, seed),
            channel_rows(recipe.views.channels, shards, watch.held_out),
        )
        loader = Loader(images, recipe, run.student.backbone.patch_size, seed, device, ranks)
        identity = _identity(recipe, seed, slices, init)
        checkpoints = Checkpoints(
            Path(out_dir, "checkpoints", identity), recipe.keep_checkpoints, logger
        )
        course = Course(run, checkpoints, watch, ranks, out_dir, logger)
        _loop(course, loader, workers)
        return course.finish(slices) if ranks.leads else None


def _loop(course, loader, workers):
    run, last = course.run, course.run.recipe.optimisation.iterations
    # disable=None: no bar where standard error is a file.
    hidden = None if course.ranks.leads else True
    bar = tqdm(initial=run.iteration, total=last, desc=run.recipe.name, unit="it", disable=hidden)
    with Preemption() as preemption, bar:
        for batches in course.clock.waiting(loader.batches(run.iteration, last, workers)):
            due = _is_due(run.iteration + 1, run.recipe.log_every, last)
            course.note(run.step(batches, diagnosed=due and course.ranks.leads), due)
            bar.update()
            if run.skipped > run.recipe.optimisation.nonfinite_grace:
                course.give_up(loader)
            course.keep(preemption.signal)


def _is_due(iteration, every, last):
    return iteration % every == 0 or iteration == last


def _check_start(recipe, init):
    if recipe.continues and not init:
        raise BadInput(
            f"recipe {recipe.name}: continues {recipe.continues}, so it starts from that one's "
            "teacher_checkpoint.pth: name the file (--init)."
        )
    if init and not recipe.continues and recipe.model.init == "random":
        raise BadInput(
            f"recipe {recipe.name}: starts from random weights, and {init} was given to start "
            "from; set model.init or continues, or leave the file out."
        )


def _check_enough(slices, recipe):
    if len(slices) < recipe.optimisation.batch:
        raise BadInput(
            f"recipe {recipe.name}: the shards hold {len(slices)} slices, fewer than one batch "
            f"({recipe.optimisation.batch}); add volumes or lower optimisation.batch"
        )


def _identity(recipe, seed, slices, init):
    protocol = recipe.model_dump(
        mode="json", include={"model", "views", "objective", "optimisation", "continues"}
    )
    # How much a device takes at once is a matter of memory.
    del protocol["optimisation"]["device_batch"]
    if init:  # its bytes count, not how to get them
        del protocol["model"]["init"]
    start = file_sha256(init) if init else None
    text = json.dumps([protocol, seed, slices.fingerprint, start], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:12]
