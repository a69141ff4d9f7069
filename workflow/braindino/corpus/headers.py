"""What one scan says of itself: geometry, acquisition, whether it is stripped, its fingerprint."""

import json
from pathlib import Path

import bids2table
import nibabel as nib
import numpy as np

from braindino.corpus.fingerprint import fingerprint
from braindino.corpus.stripped import is_stripped

SIDECAR = {
    "Manufacturer": "vendor",
    "MagneticFieldStrength": "field_strength",
    "SliceThickness": "slice_thickness",
}


def describe_scan(path, card, protocol):
    """Read a scan once, whole: a file that is cut short is found here and not in a later stage.

    Parameters
    ----------
    path : str
    card : braindino.settings.cards.DatasetCard
    protocol : braindino.settings.imaging.SkullStrip
        Decides `skull_stripped` where the card says auto.

    Returns
    -------
    dict or str
        skull_stripped, orientation, shape, spacing, fingerprint and what header and sidecar say of
        the acquisition; or, in one sentence, why the scan cannot be read.
    """
    try:
        Path(path).open("rb").close()  # nibabel would not say why it may not read a file
        image = nib.load(path)
        volume = np.squeeze(np.asanyarray(image.dataobj))
        axes = nib.aff2axcodes(image.affine)
        if volume.dtype.names or volume.ndim < 3:
            raise ValueError("it is no volume of grey values")
    except Exception as error:
        return f"{path}: cannot be read ({_one_line(error)}); replace the file"
    stripped = card.skull_stripped
    zooms = [float(zoom) for zoom in image.header.get_zooms()[:3]]
    header = {
        "skull_stripped": is_stripped(volume, protocol) if stripped == "auto" else stripped,
        "orientation": "".join(axis or "?" for axis in axes),
        "shape": "x".join(map(str, image.shape)),
        "spacing": "x".join(f"{zoom:.3g}" for zoom in zooms),
        "slice_thickness": _thickness(image.header, zooms),
        "fingerprint": fingerprint(volume),
    }
    return header | _sidecar(path, card)


def _thickness(header, zooms):
    """Return the voxel size across the slices, where a NIfTI header says which axis that is."""
    axis = header.get_dim_info()[2] if isinstance(header, nib.Nifti1Header) else None
    return None if axis is None else zooms[axis]


def _sidecar(path, card):
    """Read the acquisition from the JSON beside a scan; a missing or broken one says nothing."""
    try:
        if card.reader == "bids":
            fields = bids2table.load_bids_metadata(path)
        else:
            fields = json.loads(Path(path.split(".nii")[0] + ".json").read_text())
    except (OSError, ValueError, StopIteration):
        return {}
    return {ours: fields[theirs] for theirs, ours in SIDECAR.items() if theirs in fields}


def _one_line(error):
    return " ".join(str(error).split())[:200] or type(error).__name__
