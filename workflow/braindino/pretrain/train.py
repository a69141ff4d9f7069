"""Pretrain an encoder: load, step, watch, checkpoint, export."""

import json
import logging
import time
from hashlib import sha256
from pathlib import Path

from tqdm import tqdm

from braindino.device import choose_device
from braindino.errors import BadInput
from braindino.pretrain.checkpoint import Checkpoints
from braindino.pretrain.export import export_encoder
from braindino.pretrain.journal import Journal
from braindino.pretrain.preemption import Interrupted, Preemption
from braindino.pretrain.run import Run
from braindino.pretrain.slices import Slices
from braindino.pretrain.views import MultiCrop, view_loader


def pretrain(recipe, shards, out_dir, seed=0, device="auto", logger=None, workers=0, init=None):
    """Pretrain by a recipe, or go on with a run that was interrupted.

    Writes `metrics.jsonl`, `checkpoints/<identity>/` and what `export_encoder` does.
    A run's identity is what its weights depend on, so a changed recipe or corpus starts anew and
    leaves the other run's checkpoints alone.

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
        Processes that make views; no effect on any number.
    init : path, optional
        The file of the recipe's `model.init`, where it names one.

    Returns
    -------
    dict
        The encoder's card, as in `encoder.json`.

    Raises
    ------
    BadInput
        Unusable shards or recipe.
    FloatingPointError
        The loss is not finite.
    Interrupted
        SIGTERM, SIGUSR1 or SIGINT came; a checkpoint is written.
    """
    logger = logger or logging.getLogger(__name__)
    slices = Slices(shards)
    _check_enough(slices, recipe)
    run = Run(recipe, seed, choose_device(device), init)
    folder = Path(out_dir) / "checkpoints" / _identity(recipe, seed, slices)
    checkpoints = Checkpoints(folder, recipe.keep_checkpoints, logger)
    journal = _resume(run, checkpoints, Path(out_dir) / "metrics.jsonl", logger)
    loader = view_loader(
        MultiCrop(slices, recipe.views, seed),
        recipe.optimisation.batch,
        run.iteration,
        recipe.optimisation.iterations,
        workers,
    )
    _loop(run, loader, checkpoints, journal)
    card = export_encoder(run, slices, out_dir)
    checkpoints.finish()
    logger.info("pretraining %s: done, %d iterations", recipe.name, run.iteration)
    return card


def _loop(run, loader, checkpoints, journal):
    recipe, last = run.recipe, run.recipe.optimisation.iterations
    clock = _Clock(run)
    # disable=None: no bar where standard error is a file.
    bar = tqdm(initial=run.iteration, total=last, desc=recipe.name, unit="it", disable=None)
    with Preemption() as preemption, bar:
        for crops in loader:
            due = _is_due(run.iteration + 1, recipe.log_every, last)
            metrics = run.step(*crops, diagnosed=due)
            bar.update()
            if due:
                journal.append({"iteration": run.iteration} | metrics | clock.lap())
            if preemption.signal or _is_due(run.iteration, recipe.checkpoint_every, last):
                checkpoints.save(run.state() | {"metrics": journal.entries})
            if preemption.signal and run.iteration < last:
                raise Interrupted(
                    f"pretraining {recipe.name}: {preemption.signal.name} at iteration "
                    f"{run.iteration} of {last}; checkpoint written, run again to go on"
                )


def _is_due(iteration, every, last):
    return iteration % every == 0 or iteration == last


def _resume(run, checkpoints, metrics, logger):
    state = checkpoints.load_newest(run.device)
    if state is None:
        recipe = run.recipe
        logger.info(
            "pretraining %s: from %s weights on %s", recipe.name, recipe.model.init, run.device
        )
        return Journal(metrics)
    run.load_state(state)
    logger.info("pretraining %s: resuming at iteration %d", run.recipe.name, run.iteration)
    return Journal(metrics, state["metrics"])


def _check_enough(slices, recipe):
    if len(slices) < recipe.optimisation.batch:
        raise BadInput(
            f"recipe {recipe.name}: the shards hold {len(slices)} slices, fewer than one batch "
            f"({recipe.optimisation.batch}); add volumes or lower optimisation.batch"
        )


def _identity(recipe, seed, slices):
    protocol = recipe.model_dump(
        mode="json", include={"model", "views", "objective", "optimisation"}
    )
    text = json.dumps([protocol, seed, slices.fingerprint], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:12]


class _Clock:
    """Slices a second since the last lap."""

    def __init__(self, run):
        self.run = run
        self.then, self.before = time.perf_counter(), run.iteration

    def lap(self):
        now, steps = time.perf_counter(), self.run.iteration - self.before
        rate = steps * self.run.recipe.optimisation.batch / (now - self.then)
        self.then, self.before = now, self.run.iteration
        return {"slices_per_second": round(rate, 2)}
