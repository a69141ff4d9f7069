"""The journal's numbers for TensorBoard, where that is installed and asked for."""

import logging


class Scalars:
    """Write the numbers of a run's entries as TensorBoard scalars.

    Parameters
    ----------
    folder : path
        Where the event files go.
    entries : list of dict
        What a resumed run has logged already; later points of an older event file are hidden.
    logger : logging.Logger, optional
        Hears if TensorBoard is not installed; nothing is written then.
    """

    def __init__(self, folder, entries=(), logger=None):
        self._writer = _open(folder, entries, logger or logging.getLogger(__name__))
        for entry in entries:
            self.append(entry)

    def append(self, entry):
        """Add one entry, at its iteration."""
        if self._writer:
            for name, value in entry.items():
                if name != "iteration":
                    self._writer.add_scalar(name, value, entry["iteration"])

    def close(self):
        """Write what is left."""
        if self._writer:
            self._writer.close()


def _open(folder, entries, logger):
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        logger.warning(
            "tensorboard: true needs the package tensorboard, which is not installed "
            "(pip install tensorboard); metrics.jsonl holds the same numbers"
        )
        return None
    # From its first step on, this file replaces what a run that was interrupted wrote.
    first = entries[0]["iteration"] if entries else 0
    return SummaryWriter(folder, purge_step=first)
