"""One writer a run: who starts last owns its folder, whoever still works there steps back."""

import secrets
from pathlib import Path

from braindino.files import write_text
from braindino.pretrain.preemption import Interrupted


class Claim:
    """The claim of this process on a folder of checkpoints.

    A scheduler that has lost sight of a node starts its job elsewhere while the first may still
    run. Locks are not to be relied on across the nodes of a shared file system; a file is.

    Parameters
    ----------
    folder : path
    """

    def __init__(self, folder):
        self.path = Path(folder) / "owner"
        self.token = secrets.token_hex(8)
        write_text(self.token, self.path)

    def check(self):
        """Make sure that nobody has come since.

        Raises
        ------
        Interrupted
            When another process has claimed the folder; it goes on from the last checkpoint.
        """
        if self.path.read_text() != self.token:
            raise Interrupted(
                f"{self.path.parent}: another process has taken this pretraining over"
            )

    def release(self):
        """Leave the folder; its run is done."""
        self.path.unlink()
