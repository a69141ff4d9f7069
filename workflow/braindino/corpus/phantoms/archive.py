"""Write an archive's files, the same bytes for the same contents."""

import json

import nibabel as nib
import numpy as np

from braindino.files import written_whole


def save_scan(scan, grid, path, orientation="RAS", origin=None):
    """Save a scan as NIfTI in an archive's own orientation.

    Parameters
    ----------
    scan : ndarray
        In RAS order.
    grid : braindino.corpus.phantoms.fields.Grid
    path : Path
    orientation : str
        Axis codes of the stored array, e.g. PSR for a sagittal acquisition.
    origin : sequence of float, optional
        RAS position in mm of the *stored* array's first voxel; by default the grid's centre is
        at zero.
    """
    affine = np.diag([*grid.spacing, 1.0])
    affine[:3, 3] = [axis[0] for axis in grid.axes()]
    image = nib.Nifti1Image(scan, affine)
    stored = nib.orientations.axcodes2ornt(orientation)
    image = image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(affine), stored))
    if origin is not None:
        affine = image.affine
        affine[:3, 3] = origin
        image = nib.Nifti1Image(np.asanyarray(image.dataobj), affine)
    image.header.set_xyzt_units("mm", "sec")
    with written_whole(path) as part:
        # nibabel compresses at level 1 and leaves the name and the time out of the header.
        nib.save(image, part)


def save_analyze(scan, grid, path):
    """Save a scan as an Analyze pair, `path` (.img) and its .hdr, with a last axis of length 1.

    Parameters
    ----------
    scan : ndarray
        int16 in RAS order; stored in LAS, which is how nibabel reads a format that does not say.
    grid : braindino.corpus.phantoms.fields.Grid
    path : Path
    """
    image = nib.AnalyzeImage(scan[::-1, ..., None], np.diag([*grid.spacing, 1.0]) * [-1, 1, 1, 1])
    with written_whole(path) as voxels, written_whole(path.with_suffix(".hdr")) as header:
        names = {"image": voxels, "header": header}
        image.to_file_map({part: nib.FileHolder(str(name)) for part, name in names.items()})


def write_bids_root(folder, name, licence, participants):
    """Write the files at the top of a BIDS folder; missing values become n/a."""
    description = {"Name": name, "BIDSVersion": "1.8.0", "License": licence, "DatasetType": "raw"}
    with written_whole(folder / "dataset_description.json") as part:
        part.write_text(json.dumps(description, indent=4) + "\n")
    with written_whole(folder / "participants.tsv") as part:
        participants.to_csv(part, sep="\t", index=False, na_rep="n/a", lineterminator="\n")
