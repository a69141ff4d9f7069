"""Perturbed images for segmentation networks that were trained on clean ones."""

from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import axcodes2ornt, ornt_transform

from braindino.imaging.volume import read_canonical, spacing_of
from braindino.segmentation.dataset import ENDING
from braindino.segmentation.network import CONTRASTS


def write_perturbed(cases, change, folder):
    """Write the images of cases under a condition, in nnU-Net's raw format.

    A case's contrasts are perturbed each by its own draw. Their archive stripped them, so zeros
    stay zero.

    Parameters
    ----------
    cases : DataFrame
        As `braindino.segmentation.cases.list_cases` returns them.
    change : braindino.robustness.change.Change
    folder : path
        Receives <case>_<channel>.nii.gz, on the grid of the originals.

    Returns
    -------
    DataFrame
        The cases, whose label maps moved with their images where the perturbation moves them.
    """
    moved = []
    for case in cases.itertuples():
        for channel, contrast in enumerate(CONTRASTS):
            path = Path(folder, f"{case.case}_{channel:04d}{ENDING}")
            _write(
                getattr(case, contrast), path, _perturbed(change, f"{case.volume_id}/{contrast}")
            )
        moved.append(str(Path(folder, f"{case.case}_label{ENDING}")))
        _write(case.label, moved[-1], lambda labels, _spacing: change.mask(labels))
    return cases.assign(label=moved)


def _perturbed(change, volume_id):
    def work(raw, spacing):
        kept = change.mask(raw != 0)
        return np.where(kept, change.volume(raw, spacing, volume_id), 0)

    return work


def _write(source, target, work):
    """Apply `work(volume, spacing)` to a volume in RAS+, and write it as its file is stored."""
    volume, affine = read_canonical(source)
    made = nib.Nifti1Image(work(volume, spacing_of(affine)), affine)
    stored = nib.io_orientation(nib.load(source).affine)
    nib.save(made.as_reoriented(ornt_transform(axcodes2ornt("RAS"), stored)), target)
