"""The pretraining objective of one batch (paper section 4.2, equation 3)."""

from dataclasses import dataclass

import torch

from braindino.pretrain.losses.dino import dino_loss
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
    """Return the unweighted terms as scalars: dino and its two kinds of pairs, ibot, koleo.

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
    heads = outputs.global_heads, outputs.local_heads
    dino = dino_loss(*heads, student.dino_head.prototypes.weight, targets["dino_head"], temperature)
    ibot = student.ibot_head.prototypes.weight, targets["ibot_head"]
    first, second = outputs.tokens.chunk(2)
    return {
        "dino": dino.loss,
        "dino_global": dino.global_pairs,
        "dino_local": dino.local_pairs,
        "ibot": ibot_loss(outputs.masked_heads, *ibot, batch.masks.flatten(1), temperature),
        "koleo": koleo_loss(first, objective.koleo_group)
        + koleo_loss(second, objective.koleo_group),
    }


def total_loss(terms, objective):
    """Weigh the terms (equation 3)."""
    weights = objective.ibot_weight, objective.koleo_weight
    return terms["dino"] + weights[0] * terms["ibot"] + weights[1] * terms["koleo"]
