"""From the teacher's scores of a whole step to its targets, by the recipe's method."""

import torch

from braindino.pretrain.losses.centring import Targets, sinkhorn_shift, update_centre
from braindino.pretrain.losses.logits import Logits


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
        heads = "dino_head", "ibot_head"
        self.centres = {head: torch.zeros(prototypes, device=device) for head in heads}

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
        tokens = {
            "dino_head": [output.heads for output in outputs],
            "ibot_head": [output.masked_heads for output in outputs],
        }
        by_head = [
            [(head, part) for part in self._centre(head, teacher, parts, temperature)]
            for head, parts in tokens.items()
        ]
        return [dict(part) for part in zip(*by_head, strict=True)]

    def _centre(self, head, teacher, parts, temperature):
        prototypes = getattr(teacher, head).prototypes.weight
        shift = self._shift(head, Logits(torch.cat(parts), prototypes), temperature)
        return [Targets(Logits(part, prototypes), temperature, shift) for part in parts]

    def _shift(self, head, logits, temperature):
        if self.objective.centring == "sinkhorn_knopp":
            return sinkhorn_shift(logits, temperature, self.objective.sinkhorn_iterations)
        # DINO centres a batch by the ones before it.
        shift = -self.centres[head] / temperature
        update_centre(self.centres[head], logits, self.objective.centre_momentum)
        return shift
