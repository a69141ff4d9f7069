"""One pretraining run: everything that an iteration changes, and the iteration."""

from contextlib import nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from braindino.errors import BadInput
from braindino.pretrain.masking import random_masks
from braindino.pretrain.model import build_pair, update_teacher
from braindino.pretrain.objective import Batch, diagnose, loss_terms, run_networks, total_loss
from braindino.pretrain.optimiser import build_optimiser, set_rates
from braindino.pretrain.randomness import seeded_torch
from braindino.pretrain.schedules import teacher_temperature
from braindino.seeds import derive_rng


class Run:
    """Student, teacher and optimiser after `iteration` steps.

    All draws of a step derive from the seed and the iteration, so `state` is all that a resumed
    run needs.
    """

    def __init__(self, recipe, seed, device, init=None):
        self.recipe, self.seed, self.device = recipe, seed, device
        pair = build_pair(recipe.model, seed, init)
        self.student, self.teacher = (network.to(device) for network in pair)
        self.optimiser = build_optimiser(self.student, recipe.optimisation)
        self.iteration = 0
        self._check_crop_sizes()

    def step(self, global_crops, local_crops, diagnosed=False):
        """Make one step on a batch, and return its metrics.

        Parameters
        ----------
        global_crops, local_crops : Tensor [views · batch, 1, size, size]
            Views of the batch, view by view.
        diagnosed : bool
            Add the costlier metrics of `diagnose`.

        Raises
        ------
        FloatingPointError
            The loss is not finite; the weights are those before the step.
        """
        recipe, objective = self.recipe, self.recipe.objective
        temperature = teacher_temperature(objective, self.iteration)
        batch = Batch(global_crops, local_crops, self._masks(len(global_crops))).to(self.device)
        draws = seeded_torch(self.seed, "drop path", self.iteration, device=self.device)
        with draws, _attention(self.device):
            outputs = run_networks(
                self.student, self.teacher, batch, temperature, objective.sinkhorn_iterations
            )
        terms = loss_terms(outputs, batch, recipe.views, objective)
        loss = total_loss(terms, recipe.views, objective)
        if not loss.isfinite():
            raise FloatingPointError(
                f"pretraining {recipe.name}: the loss is {loss.item()} at iteration "
                f"{self.iteration + 1}; lower optimisation.learning_rate or look for damaged slices"
            )
        metrics = {"loss": loss.item()} | {name: term.item() for name, term in terms.items()}
        metrics |= self._learn(loss) | {"teacher_temperature": temperature}
        return metrics | (diagnose(outputs, objective) if diagnosed else {})

    def state(self):
        """Return all that `load_state` needs to go on exactly here."""
        return {
            "iteration": self.iteration,
            "student": self.student.state_dict(),
            "teacher": self.teacher.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }

    def load_state(self, state):
        """Go back to a state returned by `state`."""
        self.iteration = state["iteration"]
        self.student.load_state_dict(state["student"])
        self.teacher.load_state_dict(state["teacher"])
        self.optimiser.load_state_dict(state["optimiser"])

    def _learn(self, loss):
        settings = self.recipe.optimisation
        rate = set_rates(self.optimiser, settings, self.iteration)
        self.optimiser.zero_grad()
        loss.backward()
        norms = {
            f"grad_norm_{name}": torch.nn.utils.clip_grad_norm_(
                module.parameters(), settings.clip
            ).item()
            for name, module in self.student.named_children()
        }
        self.optimiser.step()
        update_teacher(self.teacher, self.student, self.recipe.objective.momentum)
        self.iteration += 1
        return {"lr": rate} | norms

    def _masks(self, crops):
        objective, size = self.recipe.objective, self.recipe.views.global_size
        down, across = self.student.backbone.patch_size
        rng = derive_rng(self.seed, "masks", self.iteration)
        grid = (size // down, size // across)
        return torch.from_numpy(
            random_masks(crops, grid, objective.mask_probability, objective.mask_ratio, rng)
        )

    def _check_crop_sizes(self):
        for key in ("global_size", "local_size"):
            size = getattr(self.recipe.views, key)
            if any(size % patch for patch in self.student.backbone.patch_size):
                raise BadInput(
                    f"recipe {self.recipe.name}: views.{key} = {size} is not a multiple of the "
                    f"model's {self.student.backbone.patch_size[0]}-pixel patches"
                )


def _attention(device):
    # On CPU the flash kernel's backward pass takes a third of a step when sequences are short.
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
