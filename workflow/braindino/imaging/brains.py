"""Strip and crop a chunk of volumes; one bad scan becomes a reject and never stops the chunk."""

import functools
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from tqdm import tqdm

from braindino.corpus.columns import REJECTS
from braindino.corpus.stripped import is_stripped
from braindino.errors import BadInput
from braindino.files import written_whole
from braindino.imaging.hdbet import load_backend
from braindino.imaging.pipeline import read_ahead
from braindino.imaging.quality import MEASURES, measures
from braindino.imaging.strip import Scan, brain_of, step, strip_scans
from braindino.imaging.thumbnails import blanked, thumbnail
from braindino.imaging.volume import spacing_of

COLUMNS = ["volume_id", "dataset", "subject", "modality", "file", "stripped_before", *MEASURES]


def strip_chunk(volumes, folder, protocol, device, workers=1):
    """Write the stripped, cropped brains of a chunk and their masks.

    While a brain is stripped, the next scans are read and the last ones written, on threads.

    Parameters
    ----------
    volumes : DataFrame
        Rows of corpus/volumes/<dataset>.parquet of one chunk.
    folder : path
        Receives `<name>.nii.gz` (the brain) and `<name>_mask.nii.gz` (on the raw grid, RAS+).
    protocol : braindino.settings.imaging.Imaging
    device : torch.device
    workers : int
        Threads that read, and as many that write; each holds one volume.

    Returns
    -------
    index : DataFrame
        Columns volume_id, dataset, subject, modality, file, stripped_before, and the measures of
        `quality.MEASURES`.
    rejects : DataFrame
        Columns volume_id, stage, reason.
    thumbnails : list of Thumbnail
        In the order of `index`.

    Raises
    ------
    BadInput
        When the backend cannot be loaded.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    stripped = volumes["skull_stripped"].astype(bool).all()
    backend = None if stripped else load_backend(protocol.skull_strip, device)
    write = functools.partial(step, _write, folder=folder, protocol=protocol)
    done = read_ahead(strip_scans(volumes, protocol, backend, workers), write, workers)
    return _tables(list(tqdm(done, total=len(volumes), disable=None, unit="volume")))


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


def _tables(scans):
    """Part the brains from the rejects."""
    rejects = [(scan.volume.volume_id, "imaging", scan.fault) for scan in scans if scan.fault]
    done = [scan.result for scan in scans if not scan.fault]
    index = pd.DataFrame([row for row, _ in done], columns=COLUMNS)
    return index, pd.DataFrame(rejects, columns=REJECTS), [picture for _, picture in done]


def _write(scan, folder, protocol):
    volume, raw, affine, mask = scan[:4]
    brain, brain_affine = brain_of(scan, protocol)
    name = volume.volume_id.replace("/", "_")
    _save(brain, brain_affine, folder / f"{name}.nii.gz")
    _save(mask.astype(np.uint8), affine, folder / f"{name}_mask.nii.gz")
    before = bool(volume.skull_stripped)
    dataset = volume.volume_id.split("/")[0]
    row = (volume.volume_id, dataset, volume.subject, volume.modality, f"{name}.nii.gz", before)
    numbers = measures(raw, mask, brain, affine, protocol)
    limits = numbers["intensity_low"], numbers["intensity_high"]
    picture = thumbnail(raw, mask, brain, spacing_of(affine), limits, protocol)
    # What is called stripped and does not look it may be a whole head, with its face.
    shown = not before or is_stripped(raw, protocol.skull_strip)
    return Scan(volume, result=((*row, *numbers.values()), picture if shown else blanked(picture)))


def _save(volume, affine, path):
    image = nib.Nifti1Image(volume, affine)
    image.set_qform(affine, 1)
    with written_whole(path) as part:
        nib.save(image, part)
