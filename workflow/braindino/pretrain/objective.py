"""The pretraining objective of one batch (paper section 4.2, equation 3)."""

from dataclasses import dataclass

import torch

from braindino.pretrain.losses.dino import dino_global_loss, dino_local_loss
from braindino.pretrain.losses.ibot import ibot_loss
from braindino.pretrain.losses.koleo import koleo_loss


@dataclass(frozen=True)
class Batch:
    """Views of the slices that a device takes at once, view by view.

    Attributes
    ----------
    global_crops : Tensor [2 · batch, channels, size, size]
    local_crops : Tensor [views · batch, channels, size, size]
    masks : Tensor of bool [2 · batch, rows, columns]
        Patches of the global crops that are hidden from the student.
    """

    global_crops: torch.Tensor
    local_crops: torch.Tensor
    masks: torch.Tensor


def loss_terms(student, outputs, batch, targets, objective):
    """Return the unweighted terms as scalars: dino_global, dino_local, ibot, koleo.

    KoLeo looks for neighbours within one global crop of every slice, and is summed over the crops.

    Parameters
    ----------
    student : braindino.pretrain.model.Network
        Whose prototypes score its outputs.
    outputs : braindino.pretrain.model.Student
    batch : Batch
    targets : dict of Targets
        The teacher's, by head: dino_head and ibot_head.
    objective : braindino.settings.pretrain.Objective
    """
    temperature = objective.student_temperature
    dino = student.dino_head.prototypes.weight, targets["dino_head"], temperature
    ibot = student.ibot_head.prototypes.weight, targets["ibot_head"]
    first, second = outputs.tokens.chunk(2)
    return {
        "dino_global": dino_global_loss(outputs.global_heads, *dino),
        "dino_local": dino_local_loss(outputs.local_heads, *dino),
        "ibot": ibot_loss(outputs.masked_heads, *ibot, batch.masks.flatten(1), temperature),
        "koleo": koleo_loss(first, objective.koleo_group)
        + koleo_loss(second, objective.koleo_group),
    }


def total_loss(terms, views, objective):
    """Weigh the terms: DINO pairs count alike (2 global, 16 local of 18), then equation 3."""
    global_pairs = views.global_crops * (views.global_crops - 1)
    local_pairs = views.global_crops * views.local_crops
    dino = (global_pairs * terms["dino_global"] + local_pairs * terms["dino_local"]) / (
        global_pairs + local_pairs
    )
    return dino + objective.ibot_weight * terms["ibot"] + objective.koleo_weight * terms["koleo"]
