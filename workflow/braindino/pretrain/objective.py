"""The pretraining objective of one batch (paper section 4.2, equation 3)."""

from dataclasses import dataclass

import torch

from braindino.pretrain.diagnostics import effective_rank, mean_entropy
from braindino.pretrain.losses import dino_loss, ibot_loss, koleo_loss, sinkhorn


@dataclass(frozen=True)
class Batch:
    """Views of a batch, view by view.

    Attributes
    ----------
    global_crops : Tensor [n_global · batch, 1, size, size]
    local_crops : Tensor [n_local · batch, 1, size, size]
    masks : Tensor of bool [n_global · batch, rows, columns]
        Patches of the global crops that are hidden from the student.
    """

    global_crops: torch.Tensor
    local_crops: torch.Tensor
    masks: torch.Tensor

    def to(self, device):
        """Copy to a device."""
        return Batch(
            self.global_crops.to(device, non_blocking=True),
            self.local_crops.to(device, non_blocking=True),
            self.masks.to(device, non_blocking=True),
        )


@dataclass(frozen=True)
class Outputs:
    """What both networks said: logits [tokens, prototypes], class tokens [crops, dim]."""

    global_tokens: torch.Tensor
    global_logits: torch.Tensor
    local_logits: torch.Tensor
    masked_logits: torch.Tensor
    teacher_tokens: torch.Tensor
    targets: torch.Tensor
    masked_targets: torch.Tensor


def run_networks(student, teacher, batch, temperature, iterations):
    """Show both networks their views, in bfloat16, and centre the teacher's scores.

    Parameters
    ----------
    student, teacher : Network
        The pair.
    batch : Batch
        Views and masks.
    temperature : float
        The teacher's temperature.
    iterations : int
        Sinkhorn-Knopp iterations.

    Returns
    -------
    Outputs
        Targets cover both global crops together, and the masked patches alone.
    """
    masked = batch.masks.flatten(1)
    with torch.autocast(batch.global_crops.device.type, torch.bfloat16):
        with torch.no_grad():
            teacher_tokens, patches = teacher.backbone(batch.global_crops)
            scores = teacher.dino_head(teacher_tokens)
            masked_scores = teacher.ibot_head(patches[masked])
        tokens, patches = student.backbone(batch.global_crops, batch.masks)
        local_tokens, _ = student.backbone(batch.local_crops)
        logits = student.dino_head(torch.cat([tokens, local_tokens]))
        masked_logits = student.ibot_head(patches[masked])
    return Outputs(
        tokens,
        *logits.split([len(tokens), len(local_tokens)]),
        masked_logits,
        teacher_tokens,
        sinkhorn(scores, temperature, iterations),
        sinkhorn(masked_scores, temperature, iterations),
    )


def loss_terms(outputs, batch, views, objective):
    """Return the unweighted terms as scalars: dino_global, dino_local, ibot, koleo.

    KoLeo looks for neighbours within one global crop of every slice, and is summed over the crops.
    """
    crops, temperature = views.global_crops, objective.student_temperature
    targets = outputs.targets.unflatten(0, (crops, -1))
    global_logits = outputs.global_logits.unflatten(0, (crops, -1))
    local_logits = outputs.local_logits.unflatten(0, (views.local_crops, -1))
    return {
        "dino_global": dino_loss(global_logits, targets, temperature, other_views=True),
        "dino_local": dino_loss(local_logits, targets, temperature),
        "ibot": ibot_loss(
            outputs.masked_logits, outputs.masked_targets, batch.masks.flatten(1), temperature
        ),
        "koleo": sum(koleo_loss(tokens) for tokens in outputs.global_tokens.chunk(crops)),
    }


def total_loss(terms, views, objective):
    """Weigh the terms: DINO pairs count alike (2 global, 16 local of 18), then equation 3."""
    global_pairs = views.global_crops * (views.global_crops - 1)
    local_pairs = views.global_crops * views.local_crops
    dino = (global_pairs * terms["dino_global"] + local_pairs * terms["dino_local"]) / (
        global_pairs + local_pairs
    )
    return dino + objective.ibot_weight * terms["ibot"] + objective.koleo_weight * terms["koleo"]


@torch.no_grad()
def diagnose(outputs, objective):
    """Return the entropies of teacher and student (nats) and RankMe of the teacher's tokens."""
    student = (outputs.global_logits.float() / objective.student_temperature).softmax(dim=-1)
    return {
        "teacher_entropy": mean_entropy(outputs.targets).item(),
        "student_entropy": mean_entropy(student).item(),
        "rankme": effective_rank(outputs.teacher_tokens).item(),
    }
