"""Notice that a cohort's folder changed, without reading a scan.

Snakemake looks at a folder's own time alone: a scan added or replaced deep below escapes it.
"""

import hashlib
import os
from pathlib import Path

STAMP = ".snakemake_timestamp"  # Snakemake's, in folders that a job made
STAMPING = 10**9  # ns; the stamp itself changes its folder's time a moment later


def folder_state(folder):
    """Describe what a cohort's folder holds, so that a change makes its manifest anew.

    Every folder counts with its name and time, every file with its size too; of DICOM files, of
    which there may be millions, their folder speaks.

    Parameters
    ----------
    folder : path

    Returns
    -------
    str
        Empty for a folder that is not there, or that nobody changed since a job made it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return ""
    entries = sorted(_entries(folder))
    stamp = folder / STAMP
    if stamp.exists():
        made = stamp.stat().st_mtime_ns
        latest = max((time for *_, time in entries), default=0)
        if latest <= made and folder.stat().st_mtime_ns <= made + STAMPING:
            return ""
    return hashlib.sha256(repr(entries).encode()).hexdigest()[:12]


def _entries(folder):
    """Yield (path, size or 0, time in ns) of what counts."""
    for parent, _, names in os.walk(folder, followlinks=True):
        below = Path(parent).relative_to(folder).as_posix()
        if below != ".":
            yield below, 0, Path(parent).stat().st_mtime_ns
        for name in names:
            if name != STAMP and not name.endswith(".dcm"):
                found = Path(parent, name).stat()
                yield f"{below}/{name}", found.st_size, found.st_mtime_ns
