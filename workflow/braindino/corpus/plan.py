"""What a fetch would take from the net and from the disk, before it takes anything."""

import logging
from pathlib import Path
from typing import NamedTuple

from braindino.corpus.disk import free_bytes, show_bytes
from braindino.corpus.download import Remote, part_of
from braindino.errors import BadInput

log = logging.getLogger(__name__)


class Plan(NamedTuple):
    """What is to be downloaded of a cohort or of weights; `folder` appears when all is there."""

    name: str
    folder: Path
    files: list[Remote]

    @property
    def stage(self):
        """Folder in which it grows."""
        return part_of(self.folder)

    @property
    def archives(self):
        """Files in the stage that are to be unpacked."""
        return [self.stage / file.path for file in self.files if file.unpack]

    @property
    def bytes(self):
        """Size of all files, as far as it is known."""
        return sum(file.bytes or 0 for file in self.files)

    @property
    def here(self):
        """Bytes of them that an earlier fetch left."""
        places = [self.stage / file.path for file in self.files]
        kept = [place for path in places for place in (path, part_of(path)) if place.is_file()]
        return sum(place.stat().st_size for place in kept)

    @property
    def disk(self):
        """Bytes that it will take from the disk, an archive and what it holds side by side."""
        # Assumed: scans are gzipped already, so that unpacked they are as large as their archive.
        unpacked = sum(file.bytes or 0 for file in self.files if file.unpack)
        return max(0, self.bytes - self.here) + unpacked


def check_space(plans, root):
    """Log the size of every plan, and refuse them all where they do not fit on the disk.

    Parameters
    ----------
    plans : list of Plan
    root : path
        Folder that will hold them.

    Raises
    ------
    BadInput
        When the disk has less left than the plans need together.
    """
    for plan in plans:
        unknown = "at least " if any(file.bytes is None for file in plan.files) else ""
        here = f", {show_bytes(plan.here)} of it here already" if plan.here else ""
        size = f"{unknown}{show_bytes(plan.bytes)}{here}"
        log.info("%s: %d files, %s", plan.name, len(plan.files), size)
    needed, free = sum(plan.disk for plan in plans), free_bytes(root)
    log.info("%s: %s needed, %s free", root, show_bytes(needed), show_bytes(free))
    if needed > free:
        raise BadInput(
            f"{root}: the fetch needs {show_bytes(needed)} and the disk has {show_bytes(free)} "
            f"left; make room, or list fewer cohorts under 'datasets'."
        )
