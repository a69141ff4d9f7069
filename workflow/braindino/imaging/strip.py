"""From a file to a stripped brain, with what may happen to the raw volume before."""

import functools
import logging
from typing import NamedTuple

import nibabel as nib
import numpy as np

from braindino.corpus.stripped import filled_box
from braindino.errors import BadInput
from braindino.imaging.pipeline import read_ahead
from braindino.imaging.volume import crop, read_canonical, spacing_of

log = logging.getLogger(__name__)


class Scan(NamedTuple):
    """A volume on its way: its row, its voxels, its brain; at the end the result or the fault."""

    volume: tuple
    raw: np.ndarray | None = None
    affine: np.ndarray | None = None
    mask: np.ndarray | None = None
    result: tuple | None = None
    fault: str | None = None


def strip_scans(volumes, protocol, backend, workers=1, change=None, masks=None):
    """Strip volumes one after the other, while threads read the next ones.

    Parameters
    ----------
    volumes : DataFrame
        Rows of corpus/volumes/<dataset>.parquet.
    protocol : braindino.settings.imaging.Imaging
    backend : braindino.imaging.hdbet.HDBET
        May be None where no volume needs it.
    workers : int
        Threads that read.
    change : braindino.robustness.change.Change, optional
        What happens to a raw volume before all else. A brain that was stripped before keeps the
        mask of its zeros then, for its archive stripped it as it was.
    masks : dict, optional
        volume_id → path of a brain mask on the raw grid, in the place of a new one.

    Yields
    ------
    Scan
        With raw, affine and mask, or with a fault.
    """
    read = functools.partial(step, _read, protocol=protocol, change=change, masks=masks)
    scans = read_ahead(map(Scan, volumes.itertuples()), read, workers)
    return map(functools.partial(step, _strip, backend=backend), scans)


def brain_of(scan, protocol):
    """Cut a scan down to its brain.

    Returns
    -------
    brain : ndarray [x, y, z]
        Intensities in the box of the mask, zero outside it.
    affine : ndarray [4, 4]

    Raises
    ------
    BadInput
        When the box is too small to hold a brain.
    """
    stripped = np.where(scan.mask, scan.raw, 0)
    brain, affine = crop(stripped, scan.affine, filled_box(scan.mask))
    if min(brain.shape) < protocol.min_voxels:
        raise BadInput(f"the brain's box is {brain.shape} voxels; HD-BET found no brain")
    return brain, affine


def step(work, scan, **settings):
    """Take a scan a step further; bad input ends its way, and that of no other."""
    if scan.fault:
        return scan
    try:
        return work(scan, **settings)
    except BadInput as error:
        log.warning("rejected: %s: %s", scan.volume.path, error)
        return Scan(scan.volume, fault=f"{scan.volume.path}: {error}")


def _read(scan, protocol, change, masks):
    raw, affine = read_canonical(scan.volume.path, protocol.min_voxels, protocol.axial)
    mask = _known_mask(scan.volume, raw, masks) if change or masks else None
    if change:
        raw = change.volume(raw, spacing_of(affine), scan.volume.volume_id)
        mask = None if mask is None else change.mask(mask)
    return scan._replace(raw=raw, affine=affine, mask=mask)


def _known_mask(volume, raw, masks):
    """Return the brain mask that a volume has before it is stripped, or None."""
    if masks:
        return np.asanyarray(nib.load(masks[volume.volume_id]).dataobj) > 0
    return raw != 0 if volume.skull_stripped else None


def _strip(scan, backend):
    if scan.mask is not None:
        return scan
    mask = scan.raw != 0
    if not scan.volume.skull_stripped:
        mask &= backend.brain_mask(scan.raw, spacing_of(scan.affine))
    if not mask.any():
        raise BadInput("HD-BET found no brain")
    return scan._replace(mask=mask)
