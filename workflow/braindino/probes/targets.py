"""What a head is trained to put out, and the way back to the target's unit."""

from typing import NamedTuple

import numpy as np
import torch

from braindino.probes.losses import LOSSES, log_mixed


class Scale(NamedTuple):
    """A head's output is (target, or its logarithm, less `offset`) over `factor`."""

    offset: float = 0.0
    factor: float = 1.0
    log: bool = False

    def back(self, outputs):
        """Return outputs in the target's unit (of a logarithm by §4.3.3, eq. 8)."""
        values = outputs * self.factor + self.offset
        return np.expm1(values) if self.log else values


def head_loss(card):
    """Return the loss of a task's head."""
    return log_mixed if _logarithmic(card) else LOSSES[card.kind]


def head_targets(card, samples, labelled):
    """Return the targets of all samples as a head sees them, and the scale back.

    Regression targets are standardised by the mean and SD of the head's own label subset
    (`assumed`: at the stated learning rate a head cannot reach an offset of decades). Of a
    logarithm (eq. 7) the mean alone is taken off, which leaves the loss of §4.3.3 as it is.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    samples : DataFrame
        With the columns target and, of survival tasks, event.
    labelled : ndarray of bool [n]
        Whose targets the head knows.

    Returns
    -------
    targets : Tensor [n] or [n, 2]
        Class indices, numbers, or times and events.
    scale : Scale
    """
    values = samples["target"].to_numpy(float)
    if card.kind == "classification":
        return torch.from_numpy(values.astype(np.int64)), Scale()
    if card.kind == "survival":
        pairs = np.stack([values, samples["event"].to_numpy(float)], axis=1)
        return torch.from_numpy(pairs).float(), Scale()
    log = _logarithmic(card)
    values = np.log1p(values) if log else values
    scale = Scale(values[labelled].mean(), 1.0 if log else values[labelled].std() or 1.0, log)
    return torch.from_numpy((values - scale.offset) / scale.factor).float(), scale


def untrainable(card, labelled):
    """Say why nothing can be learnt from a label subset; empty if something can.

    Parameters
    ----------
    labelled : DataFrame
        Its samples.
    """
    if labelled.empty:
        return "no labelled sample is left"
    if card.kind == "survival":
        return "" if labelled["event"].any() else "no event among its patients, all are censored"
    if labelled["target"].nunique() > 1:
        return ""
    if card.kind == "classification":
        return f"one class alone, {card.classes[int(labelled['target'].iloc[0])]}"
    return f"one value alone, {labelled['target'].iloc[0]:g}"


def can_choose(card, held_out):
    """Whether the loss of held-out samples tells heads apart.

    Cox's knows order alone: it needs a death while another patient was still under observation.
    """
    if card.kind != "survival":
        return True
    deaths = held_out.loc[held_out["event"] == 1, "target"]
    return len(deaths) > 0 and (held_out["target"] > deaths.min()).any()


def _logarithmic(card):
    return bool(card.head and card.head.loss == "log_mixed")
