"""One pretraining run: everything that an iteration changes, and the iteration."""

import math
from contextlib import nullcontext

import torch
from torch.nn.parallel import DistributedDataParallel

from braindino.pretrain import diagnostics
from braindino.pretrain.allocator import keep_freed_memory
from braindino.pretrain.attention import use_plain_attention
from braindino.pretrain.centring import Centring
from braindino.pretrain.distributed import is_shared, total, world_size
from braindino.pretrain.layout import load_dinov3_state
from braindino.pretrain.model import build_pair, update_teacher
from braindino.pretrain.objective import loss_terms, total_loss
from braindino.pretrain.optimiser import build_optimiser, set_rates
from braindino.pretrain.randomness import seeded_torch
from braindino.pretrain.schedules import teacher_temperature


class Run:
    """Student, teacher and optimiser after `iteration` steps.

    All draws of a step derive from the seed and the iteration, so `state` is all that a resumed
    run needs.

    Parameters
    ----------
    recipe : braindino.settings.pretrain.Recipe
    seed : int
    device : torch.device
    init : path, optional
        The file of the recipe's `model.init` or the checkpoint of the recipe that it continues.
    """

    def __init__(self, recipe, seed, device, init=None):
        self.recipe, self.seed, self.device = recipe, seed, device
        pair = build_pair(recipe.model, seed, None if recipe.continues else init)
        self.student, self.teacher = (network.to(device) for network in pair)
        if recipe.continues:
            for network in pair:
                load_dinov3_state(network, init)
        self.optimiser = build_optimiser(self.student, recipe.optimisation)
        self.centring = Centring(recipe.objective, recipe.model.prototypes, device)
        self.iteration = 0
        self.skipped = 0  # steps in a row
        self._shared = _share(self.student, device)
        self._tune()

    def step(self, batches, diagnosed=False):
        """Make one step, and return its metrics.

        Parameters
        ----------
        batches : list of Batch
            The parts of this rank's share, whose gradients add up.
        diagnosed : bool
            Add the costlier metrics.

        Returns
        -------
        dict
            The terms are means over parts and ranks. Where the loss is not finite no weight moves
            and `skipped` counts such steps in a row.
        """
        objective = self.recipe.objective
        temperature = teacher_temperature(objective, self.iteration)
        centres = {head: centre.clone() for head, centre in self.centring.centres.items()}
        # All ranks draw alike: a rank's slices, not its draws, are its own.
        draws = seeded_torch(self.seed, "drop path", self.iteration, device=self.device)
        with draws:
            with self._precision():
                seen = [self.teacher.watch(b.global_crops, b.masks) for b in batches]
                targets = self.centring.targets(self.teacher, seen, temperature)
            self.optimiser.zero_grad()
            parts = [
                self._learn(*part, last=n == len(batches))
                for n, part in enumerate(zip(batches, targets, strict=True), start=1)
            ]
        terms = {name: torch.stack([part[name] for _, part in parts]) for name in parts[0][1]}
        terms = {name: total(term.mean()).item() / world_size() for name, term in terms.items()}
        loss = total_loss(terms, objective)
        metrics = {"loss": loss} | terms | self._update(loss)
        metrics["teacher_temperature"] = temperature
        if self.skipped:
            self.centring.centres = centres  # a NaN would stay in them
        if diagnosed and not self.skipped:
            metrics |= self._diagnose(parts[-1][0], seen[-1], targets[-1]["dino_head"])
        return metrics

    def state(self):
        """Return all that `load_state` needs to go on exactly here."""
        return {
            "iteration": self.iteration,
            "skipped": self.skipped,
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "centres": self.centring.centres,
        }

    def load_state(self, state):
        """Go back to a state returned by `state`."""
        self.iteration, self.skipped = state["iteration"], state["skipped"]
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.centring.centres = state["centres"]

    def _learn(self, batch, targets, last):
        """Add a part's gradients; return what the student said, and the terms."""
        recipe = self.recipe
        # Ranks tell each other their gradients once a step, after the last part.
        alone = nullcontext() if last or self._shared is self.student else self._shared.no_sync()
        with alone:
            with self._precision():
                outputs = self._shared(batch.global_crops, batch.masks, batch.local_crops)
                terms = loss_terms(self.student, outputs, batch, targets, recipe.objective)
            parts = recipe.optimisation.batch / (world_size() * len(batch.global_crops) / 2)
            (total_loss(terms, recipe.objective) / parts).backward()
        return outputs, {name: term.detach() for name, term in terms.items()}

    def _update(self, loss):
        settings = self.recipe.optimisation
        rate = set_rates(self.optimiser, settings, self.iteration)
        norms = {
            f"grad_norm_{name}": torch.nn.utils.clip_grad_norm_(
                module.parameters(), settings.clip
            ).item()
            for name, module in self.student.named_children()
        }
        finite = all(map(math.isfinite, [loss, *norms.values()]))
        if finite:
            self.optimiser.step()
            update_teacher(self.teacher, self.student, self.recipe.objective.momentum)
        self.skipped = 0 if finite else self.skipped + 1
        self.iteration += 1
        return {"lr": rate, "weight_decay": settings.weight_decay, "skipped": self.skipped} | norms

    @torch.no_grad()
    def _diagnose(self, outputs, seen, targets):
        """Describe a part, on one rank: a few hundred tokens tell what all do."""
        with self._precision():
            return diagnostics.describe(
                outputs, seen, targets, self.student.dino_head.prototypes.weight, self.recipe
            )

    def _precision(self):
        enabled = self.recipe.optimisation.precision == "bf16"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _tune(self):
        vit = self.student.backbone.vit
        if self.device.type == "cpu":
            keep_freed_memory()
            # The plain products take two thirds of the fused kernel's time, and half backwards.
            for block in [*vit.blocks, *self.teacher.backbone.vit.blocks]:
                use_plain_attention(block)
        vit.set_grad_checkpointing(self.recipe.recompute)
        if self.recipe.compile:
            for block in [*vit.blocks, *self.teacher.backbone.vit.blocks]:
                block.attn.compile()
                block.mlp.compile()


def _share(student, device):
    """Wrap the student so that ranks average their gradients, where there are several."""
    if not is_shared():
        return student
    devices = [device] if device.type == "cuda" else None
    return DistributedDataParallel(student, devices, broadcast_buffers=False)
