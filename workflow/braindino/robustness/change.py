"""A condition as imaging meets it: what becomes of a raw volume, and of a mask on its grid."""

from typing import NamedTuple

from braindino.robustness.conditions import parse
from braindino.robustness.perturbations import PERTURBATIONS, perturb


class Change(NamedTuple):
    """A kind of perturbation at a severity, under a run's seed."""

    kind: str
    severity: float
    seed: int = 0

    @classmethod
    def of(cls, condition, seed=0):
        """Return the change that a condition's name stands for."""
        return cls(*parse(condition), seed)

    def volume(self, volume, spacing, volume_id):
        """Perturb a raw volume, as `perturbations.perturb` does."""
        return perturb(volume, spacing, volume_id, self.kind, self.severity, self.seed)

    def mask(self, labels):
        """Move a mask or a label map [x, y, z] with its volume."""
        if not PERTURBATIONS[self.kind].moves:
            return labels
        return PERTURBATIONS[self.kind].apply(labels, self.severity, None, None)
