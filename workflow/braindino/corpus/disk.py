"""How much a disk has left, in words."""

import shutil
from pathlib import Path


def free_bytes(path):
    """Return the bytes left on the disk of `path`, which need not exist yet."""
    return shutil.disk_usage(existing(path)).free


def existing(path):
    """Return `path`, or the nearest folder above it that exists."""
    path = Path(path).absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def show_bytes(count):
    """Print a size in MiB, or from one GiB on in GiB.

    Examples
    --------
    >>> show_bytes(3 * 2**20), show_bytes(1.5 * 2**30)
    ('3.0 MiB', '1.5 GiB')
    """
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:,.1f} GiB"
