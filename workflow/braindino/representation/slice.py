"""One subject's slice, seen by all encoders: what Fig. 6a is drawn from."""

from pathlib import Path

import numpy as np
import pandas as pd

from braindino.corpus.stripped import filled_box
from braindino.errors import BadInput
from braindino.files import written_whole
from braindino.imaging.normalise import axial_slices
from braindino.imaging.volume import crop, read_canonical
from braindino.representation.placement import slice_tokens
from braindino.representation.similarity import (
    COLUMNS,
    ceiling,
    separation,
    similarity,
    token_colours,
)
from braindino.representation.tissue import choose_plane, reference_points, slice_masks, upright

Z_RANGE = (-3.0, 3.0)  # of the shown grey levels: SD around the brain's mean


def choose_volume(manifest, index, protocol):
    """Return the row of the volume to show, as the manifest and the index of brains hold it.

    Parameters
    ----------
    manifest : DataFrame
    index : DataFrame
        Of the cohort's chunks, with the column folder.
    protocol : braindino.settings.representation.Similarity

    Raises
    ------
    BadInput
        When the subject has no such volume.
    """
    fits = manifest["modality"] == protocol.contrast
    if protocol.subject:
        fits &= manifest["subject"] == protocol.subject
    held = manifest[fits].merge(index[["volume_id", "file", "folder"]], on="volume_id")
    if held.empty:
        who = f"subject '{protocol.subject}'" if protocol.subject else "subject"
        raise BadInput(
            f"representation.similarity: {protocol.cohort} has no {who} with a stripped "
            f"{protocol.contrast} volume; name another 'contrast' or 'subject'."
        )
    return held.sort_values("volume_id").iloc[0]


def label_map(row, mask, shape):
    """Return the label map [planes, rows, columns] of a volume; zeros where there is none.

    Parameters
    ----------
    row : Series
        With the column segmentation.
    mask : ndarray of bool [x, y, z]
        The brain on the raw grid.
    shape : tuple of 3 ints
        Planes, rows and columns.
    """
    if not isinstance(row["segmentation"], str):
        return np.zeros(shape, int)
    labels, affine = read_canonical(row["segmentation"])
    return upright(np.rint(crop(labels, affine, filled_box(mask))[0]).astype(int), shape)


def look(encoders, brain, affine, labels, protocol, imaging):
    """Look at a slice with every encoder.

    Parameters
    ----------
    encoders : dict
        name → braindino.encoders.encoder.Encoder; those without patch tokens are left out.
    brain : ndarray [x, y, z]
    affine : ndarray [4, 4]
    labels : ndarray of int [planes, rows, columns]
    protocol : braindino.settings.representation.Similarity
    imaging : braindino.settings.imaging.Imaging

    Returns
    -------
    pictures : dict of ndarray
        slice (uint8), plane, references, points [references, 2], masks [references, height,
        width], encoders, maps [encoders, references, height, width] and colours [encoders,
        height, width, 3].
    table : DataFrame
        The AUC of each map against its tissue's mask.
    """
    slices = axial_slices(brain, imaging.evaluation_shape, imaging).numpy()
    plane = choose_plane(np.isin(labels, (1, 3, 4)), protocol.slice)
    masks = slice_masks(slices, labels, plane)
    inside = slices[plane] != 0
    points = reference_points(masks, inside, protocol.points)
    seen, rows = {}, []
    for name, encoder in encoders.items():
        try:
            placed = slice_tokens(encoder, brain, affine, protocol.contrast, plane, imaging)
        except BadInput:  # a control without patch tokens
            continue
        maps = [similarity(placed, point) for point in points.values()]
        seen[name] = np.stack(maps), token_colours(placed, inside)
        for reference, shown in zip(points, maps, strict=True):
            mask = masks.get(reference, np.zeros_like(inside))
            auc = separation(shown, mask, inside), ceiling(placed, mask, inside)
            key = protocol.cohort, protocol.contrast, name, reference
            rows.append((*key, *auc, int((inside & ~np.isnan(shown)).sum())))
    maps, colours = zip(*seen.values(), strict=True)
    pictures = {
        "slice": _grey(slices[plane]),
        "plane": np.array(plane),
        "references": np.array(list(points)),
        "points": np.array(list(points.values())),
        "masks": np.stack([masks.get(name, np.zeros_like(inside)) for name in points]),
        "encoders": np.array(list(seen)),
        "maps": np.stack(maps).astype(np.float32),
        "colours": np.stack(colours).astype(np.float32),
    }
    return pictures, pd.DataFrame(rows, columns=COLUMNS)


def save_pictures(pictures, path):
    """Write pictures as one .npz."""
    with written_whole(Path(path)) as part:
        np.savez_compressed(part, **pictures)


def _grey(plane):
    low, high = Z_RANGE
    grey = np.clip((plane - low) / (high - low), 0, 1) * 255
    return np.where(plane == 0, 0, grey).astype(np.uint8)
