"""Strip and crop a chunk of volumes; one bad scan becomes a reject and never stops the chunk."""

import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from tqdm import tqdm

from braindino.corpus.stripped import nonzero_box
from braindino.errors import BadInput
from braindino.files import written_whole
from braindino.imaging.hdbet import load_backend
from braindino.imaging.thumbnails import thumbnail
from braindino.imaging.volume import crop, read_canonical, spacing_of

log = logging.getLogger(__name__)

COLUMNS = ["volume_id", "dataset", "subject", "modality", "file", "stripped_before", "brain_ml"]


def strip_chunk(volumes, folder, protocol, device):
    """Write the stripped, cropped brains of a chunk and their masks.

    Parameters
    ----------
    volumes : DataFrame
        Rows of corpus/volumes/<dataset>.parquet of one chunk.
    folder : path
        Receives `<name>.nii.gz` (the brain) and `<name>_mask.nii.gz` (on the raw grid, RAS+).
    protocol : braindino.settings.imaging.Imaging
    device : torch.device

    Returns
    -------
    index : DataFrame
        Columns volume_id, dataset, subject, modality, file, stripped_before, brain_ml.
    rejects : DataFrame
        Columns volume_id, stage, reason.
    thumbnails : list of Thumbnail
        In the order of `index`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    rows, rejects, thumbnails, backend = [], [], [], None
    for volume in tqdm(volumes.itertuples(), total=len(volumes), disable=None, unit="volume"):
        try:
            if not volume.skull_stripped and backend is None:
                backend = load_backend(protocol.skull_strip, device)
            row, picture = _strip(volume, folder, protocol, backend)
        except BadInput as error:
            log.warning("rejected: %s: %s", volume.path, error)
            rejects.append((volume.volume_id, "imaging", f"{volume.path}: {error}"))
            continue
        rows.append(row)
        thumbnails.append(picture)
    index = pd.DataFrame(rows, columns=COLUMNS)
    return index, pd.DataFrame(rejects, columns=["volume_id", "stage", "reason"]), thumbnails


def check_reject_fraction(rejects, total, limit):
    """Fail a chunk of which more than the share `limit` was rejected.

    Raises
    ------
    BadInput
        Naming the first reason.
    """
    if total and len(rejects) / total > limit:
        raise BadInput(
            f"{len(rejects)} of {total} volumes were rejected, above imaging.max_reject_fraction "
            f"({limit}); the first: {rejects['reason'].iloc[0]}."
        )


def _strip(volume, folder, protocol, backend):
    raw, affine = read_canonical(volume.path, protocol.min_voxels)
    if volume.skull_stripped:
        mask = raw != 0
    else:
        mask = backend.brain_mask(raw, spacing_of(affine)) & (raw != 0)
    if not mask.any():
        raise BadInput("HD-BET found no brain")
    stripped = np.where(mask, raw, 0)
    brain, brain_affine = crop(stripped, affine, nonzero_box(stripped))
    if min(brain.shape) < protocol.min_voxels:
        raise BadInput(f"the brain's box is {brain.shape} voxels; HD-BET found no brain")
    name = volume.volume_id.replace("/", "_")
    _write(brain, brain_affine, folder / f"{name}.nii.gz")
    _write(mask.astype(np.uint8), affine, folder / f"{name}_mask.nii.gz")
    dataset = volume.volume_id.split("/")[0]
    millilitres = round(float(mask.sum() * np.prod(spacing_of(affine)) / 1000), 1)
    stripped_before = bool(volume.skull_stripped)
    row = (volume.volume_id, dataset, volume.subject, volume.modality, f"{name}.nii.gz")
    picture = thumbnail(raw, mask, brain, spacing_of(affine), stripped_before, protocol)
    return (*row, stripped_before, millilitres), picture


def _write(volume, affine, path):
    image = nib.Nifti1Image(volume, affine)
    image.set_qform(affine, 1)
    with written_whole(path) as part:
        nib.save(image, part)
