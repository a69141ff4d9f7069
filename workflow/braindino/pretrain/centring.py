"""From the teacher's scores of a whole step to its targets, by the recipe's method."""

import torch

from braindino.pretrain.losses.centring import Targets, sinkhorn, update_centre
from braindino.pretrain.losses.logits import Logits, may_keep
from braindino.pretrain.precision import product_dtype

HEADS = "dino_head", "ibot_head"


class Centring:
    """Makes targets; what it remembers between steps is `centres`.

    Parameters
    ----------
    objective : braindino.settings.pretrain.Objective
    prototypes : int
    device : torch.device

    Attributes
    ----------
    centres : dict of Tensor [prototypes]
        DINO's EMA centre of each head, for `mean`; Sinkhorn-Knopp leaves them at zero.
    """

    def __init__(self, objective, prototypes, device):
        self.objective = objective
        self.centres = {head: torch.zeros(prototypes, device=device) for head in HEADS}

    def targets(self, teacher, outputs, temperature):
        """Return the targets of each part of a step, centred over all parts and ranks.

        Parameters
        ----------
        teacher : braindino.pretrain.model.Network
        outputs : list of braindino.pretrain.model.Teacher
            One for each part.
        temperature : float

        Returns
        -------
        list of dict of Targets
            By head, for each part.
        """
        by_head = [
            self._centre("dino_head", teacher, [o.heads for o in outputs], temperature),
            self._centre("ibot_head", teacher, [o.masked_heads for o in outputs], temperature),
        ]
        return [dict(zip(HEADS, part, strict=True)) for part in zip(*by_head, strict=True)]

    def _centre(self, head, teacher, tokens, temperature):
        prototypes = getattr(teacher, head).prototypes.weight
        prototypes = prototypes.to(product_dtype(prototypes))
        keep = may_keep(tokens, prototypes)
        parts = [Logits(part, prototypes, temperature, keep) for part in tokens]
        if self.objective.centring == "sinkhorn_knopp":
            sinkhorn(parts, self.objective.sinkhorn_iterations)
        else:  # DINO centres a batch by the ones before it
            for part in parts:
                part.add(self.centres[head] / -temperature)
            momentum = self.objective.centre_momentum
            update_centre(self.centres[head], torch.cat(tokens), prototypes, momentum)
        return [Targets(part) for part in parts]
