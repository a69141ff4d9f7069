"""The course of a run: its journal, its checkpoints and its end."""

import json
from pathlib import Path

import torch

from braindino.files import write_text
from braindino.pretrain.claim import Claim
from braindino.pretrain.clock import Clock
from braindino.pretrain.diagnostics import peak_memory
from braindino.pretrain.distributed import total
from braindino.pretrain.export import export_encoder
from braindino.pretrain.journal import Journal
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.tensorboard import Scalars


class Course:
    """Keeps account of a run, from its newest checkpoint on if there is one.

    The first rank alone writes.

    Parameters
    ----------
    run : braindino.pretrain.run.Run
    checkpoints : braindino.pretrain.checkpoint.Checkpoints
    watch : braindino.pretrain.watch.Watch
    ranks : braindino.pretrain.distributed.Ranks
    out_dir : path
    logger : logging.Logger
    """

    def __init__(self, run, checkpoints, watch, ranks, out_dir, logger):
        self.run, self.checkpoints, self.watch = run, checkpoints, watch
        self.ranks, self.out_dir, self.logger = ranks, Path(out_dir), logger
        self.claim = Claim(checkpoints.folder) if ranks.leads else None
        entries = self._resume()
        self.clock = Clock(run)
        self.journal = Journal(self.out_dir / "metrics.jsonl", entries) if ranks.leads else None
        self.scalars = self._tensorboard(entries)
        if run.iteration == 0:
            self.note({}, due=False)

    def note(self, metrics, due):
        """Log a step's metrics where they are due, and probe the teacher where that is."""
        probed = self.watch.is_due(self.run.iteration)
        if not self.ranks.leads or not (due or probed):
            return
        entry = {"iteration": self.run.iteration}
        if due:
            entry |= metrics | self.clock.lap() | {"memory_mib": peak_memory(self.run.device)}
        if probed:
            entry |= self.watch.probe(self.run.teacher.backbone)
        self.claim.check()
        self.journal.append(entry)
        if self.scalars:
            self.scalars.append(entry)
        self.watch.warn(self.journal.entries)

    def keep(self, signal):
        """Write a checkpoint where one is due, or where a rank was asked to stop.

        Raises
        ------
        Interrupted
            When one was, before the last step.
        """
        run, last = self.run, self.run.recipe.optimisation.iterations
        asked = total(torch.tensor(int(signal is not None), device=run.device)).item() > 0
        due = run.iteration % run.recipe.checkpoint_every == 0 or run.iteration == last
        if self.ranks.leads and (asked or due):
            self.claim.check()
            self.checkpoints.save(run.state() | {"metrics": self.journal.entries})
        if asked and run.iteration < last:
            name = signal.name if signal else "a signal to another process"
            raise Interrupted(
                f"pretraining {run.recipe.name}: {name} at iteration {run.iteration} of {last}; "
                "checkpoint written, run again to go on",
                signal,
            )

    def give_up(self, loader):
        """End a run whose loss stays out of bounds, and say on which slices.

        Raises
        ------
        FloatingPointError
        """
        run, path = self.run, self.out_dir / "nonfinite.json"
        first = run.iteration - run.skipped
        slices = [loader.identify(n) for n in range(first, run.iteration)]
        listing = [{"iteration": first + n + 1, "slices": s} for n, s in enumerate(slices)]
        if self.ranks.leads:
            write_text(json.dumps(listing, indent=1, default=str) + "\n", path)
        raise FloatingPointError(
            f"pretraining {run.recipe.name}: the loss or a gradient was not finite in the last "
            f"{run.skipped} steps, up to iteration {run.iteration}; {path} names their slices: "
            "look for damaged ones (snakemake verify), or lower optimisation.learning_rate"
        )

    def finish(self, slices):
        """Leave the encoder behind; return its card."""
        self.claim.check()
        card = export_encoder(self.run, slices, self.out_dir)
        self.checkpoints.finish()
        self.claim.release()
        if self.scalars:
            self.scalars.close()
        self.logger.info(
            "pretraining %s: done, %d iterations", self.run.recipe.name, self.run.iteration
        )
        return card

    def _resume(self):
        run = self.run
        state = self.checkpoints.load_newest(run.device)
        if state is None:
            start = run.recipe.continues or f"{run.recipe.model.init} weights"
            self.logger.info("pretraining %s: from %s on %s", run.recipe.name, start, run.device)
            return []
        run.load_state(state)
        self.logger.info("pretraining %s: resuming at iteration %d", run.recipe.name, run.iteration)
        return state["metrics"]

    def _tensorboard(self, entries):
        if not (self.ranks.leads and self.run.recipe.tensorboard):
            return None
        return Scalars(self.out_dir / "tensorboard", entries, self.logger)
