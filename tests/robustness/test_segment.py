"""Perturbed images for segmentation: on the originals' grid, labels where the brain is."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from braindino.robustness.change import Change
from braindino.robustness.segment import write_perturbed
from braindino.segmentation.network import CONTRASTS

LPS = np.diag([-1.0, -1.0, 1.5, 1.0])


@pytest.fixture
def cases(save_volume, rng):
    """One case stored as LPS, its brain off the centre."""
    brain = np.zeros((20, 24, 16), np.int16)
    brain[3:12, 4:18, 2:13] = rng.integers(200, 900, (9, 14, 11))
    labels = np.zeros(brain.shape, np.uint8)
    labels[4:7, 5:9, 4:8] = 2
    row = {"case": "a", "volume_id": "lab/a/1", "label": save_volume(labels, "label.nii.gz", LPS)}
    row |= {name: save_volume(brain, f"{name}.nii.gz", LPS) for name in CONTRASTS}
    return pd.DataFrame([row]).map(str)


def read(path):
    image = nib.load(path)
    return np.asanyarray(image.dataobj), image.affine


def test_images_stay_on_their_grid_and_zeros_stay_zero(cases, tmp_path):
    changed = write_perturbed(cases, Change("gibbs", 0.4), tmp_path)
    before, affine = read(cases["T1w"][0])
    contrasts = [read(tmp_path / f"a_{channel:04d}.nii.gz") for channel in range(4)]
    for after, where in contrasts:
        np.testing.assert_array_equal(where, affine)
        assert after.shape == before.shape and not after[before == 0].any()
        assert not np.allclose(after, before)
    np.testing.assert_array_equal(read(changed["label"][0])[0], read(cases["label"][0])[0])


def test_each_contrast_has_its_own_draw(cases, tmp_path):
    write_perturbed(cases, Change("bias_field", 0.3), tmp_path)
    first, second = (read(tmp_path / f"a_{channel:04d}.nii.gz")[0] for channel in (0, 1))
    assert not np.allclose(first, second)


def test_a_flip_takes_the_label_map_with_it(cases, tmp_path):
    changed = write_perturbed(cases, Change("flip", 1), tmp_path)
    for made, given in ((changed["label"][0], "label"), (tmp_path / "a_0000.nii.gz", "T1w")):
        after, where = read(made)
        before, affine = read(cases[given][0])
        np.testing.assert_array_equal(after, before[::-1])
        np.testing.assert_array_equal(where, affine)
