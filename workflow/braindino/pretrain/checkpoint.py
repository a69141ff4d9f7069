"""Checkpoints: written whole, the newest few kept, a damaged one passed over."""

import logging
import pickle
import zipfile
from pathlib import Path

import torch

from braindino.files import written_whole

DAMAGE = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


class Checkpoints:
    """The checkpoints of one run in one folder.

    Parameters
    ----------
    folder : path
        Holds `iteration_<n>.pt`, and `final.pt` of a finished run; made when first needed.
    keep : int
        Number of newest checkpoints kept.
    logger : logging.Logger, optional
        Hears of damaged checkpoints.
    """

    def __init__(self, folder, keep, logger=None):
        self.folder = Path(folder)
        self.keep = keep
        self.logger = logger or logging.getLogger(__name__)

    def save(self, state):
        """Write a state (tensors, numbers, lists, dicts; key `iteration`) and drop the oldest."""
        with written_whole(self.folder / f"iteration_{state['iteration']:09d}.pt") as part:
            torch.save(state, part)
        for path in self._oldest_first()[: -self.keep]:
            path.unlink()

    def load_newest(self, device="cpu"):
        """Return the newest state that can be read, or None."""
        for path in reversed(self._oldest_first()):
            try:
                return _read(path, device)
            except DAMAGE as error:
                reason = str(error).partition("\n")[0]
                self.logger.warning("%s is damaged (%s): trying the one before", path, reason)
        return None

    def finish(self):
        """Keep the newest checkpoint alone, as `final.pt`.

        Nothing resumes from it: whoever runs a finished recipe again wants it computed again.
        """
        *older, newest = self._oldest_first()
        newest.replace(self.folder / "final.pt")
        for path in older:
            path.unlink()

    def _oldest_first(self):
        return sorted(self.folder.glob("iteration_*.pt"))


def _read(path, device):
    # torch.load does not verify the checksums that torch.save wrote.
    with zipfile.ZipFile(path) as archive:
        if record := archive.testzip():
            raise ValueError(f"wrong checksum of {record}")
    return torch.load(path, map_location=device, weights_only=True)
