"""The perturbed volume's path: perturbed before stripping, with its own mask or the clean one."""

from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from braindino.imaging.strip import brain_of, strip_scans
from braindino.robustness.change import Change
from braindino.robustness.embed import embed_condition, embed_kept, volumes_in_test
from braindino.robustness.perturbations import perturb
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging(min_voxels=4)


class Bright:
    """A stand-in for HD-BET: what is brighter than half of the maximum is brain."""

    def brain_mask(self, volume, spacing):
        return volume > volume.max() / 2


@pytest.fixture
def head(rng):
    """Air of noise, a dim skull on the right, a bright brain off the centre."""
    volume = rng.integers(1, 20, (24, 28, 20)).astype(np.int16)
    volume[1:3] = 300
    volume[6:18, 8:22, 4:16] = rng.integers(700, 900, (12, 14, 12))
    return volume


@pytest.fixture
def volumes(save_volume):
    """Return a function that lists volumes as the corpus does."""

    def make(*arrays, stripped=False):
        rows = [
            {
                "volume_id": f"lab/{n}/1/T1w",
                "subject": str(n),
                "modality": "T1w",
                "path": str(save_volume(array, f"{n}.nii.gz")),
                "skull_stripped": stripped,
            }
            for n, array in enumerate(arrays)
        ]
        return pd.DataFrame(rows)

    return make


def one(table, change=None, masks=None, backend=None):
    (scan,) = strip_scans(table, PROTOCOL, backend or Bright(), change=change, masks=masks)
    assert not scan.fault, scan.fault
    return scan


def test_the_volume_is_perturbed_before_it_is_stripped(volumes, head):
    table = volumes(head)
    scan = one(table, Change("gibbs", 0.4))
    expected = perturb(head, (1, 1, 1), "lab/0/1/T1w", "gibbs", 0.4)
    np.testing.assert_array_equal(scan.raw, expected)
    np.testing.assert_array_equal(scan.mask, expected > expected.max() / 2)


def test_a_clean_change_is_no_change(volumes, head):
    table = volumes(head)
    for got, want in zip(one(table, Change("contrast", 1.0)), one(table), strict=True):
        np.testing.assert_array_equal(got, want)


def test_the_clean_mask_keeps_the_box(volumes, head, tmp_path):
    table = volumes(head)
    clean = one(table)
    path = tmp_path / "mask.nii.gz"
    nib.save(nib.Nifti1Image(clean.mask.astype(np.uint8), clean.affine), path)
    scan = one(table, Change("gibbs", 0.4), {"lab/0/1/T1w": path}, backend=None)
    np.testing.assert_array_equal(scan.mask, clean.mask)
    brain, affine = brain_of(scan, PROTOCOL)
    before, where = brain_of(clean, PROTOCOL)
    assert brain.shape == before.shape and np.array_equal(affine, where)
    assert not np.array_equal(brain, before)


def test_a_stripped_archive_s_mask_survives_noise_in_its_zeros(volumes, head):
    stripped = np.where(head > 600, head, 0).astype(np.int16)
    table = volumes(stripped, stripped=True)
    scan = one(table, Change("rician", 0.1))
    np.testing.assert_array_equal(scan.mask, stripped != 0)
    assert (scan.raw[stripped == 0] > 0).all()


def test_a_flip_takes_the_mask_with_it(volumes, head):
    stripped = np.where(head > 600, head, 0).astype(np.int16)
    brain, _ = brain_of(one(volumes(stripped, stripped=True), Change("flip", 1)), PROTOCOL)
    clean, _ = brain_of(one(volumes(stripped, stripped=True)), PROTOCOL)
    np.testing.assert_array_equal(brain, clean[::-1])


class Mean:
    """A stand-in for an encoder: the mean of what it is given."""

    view = SimpleNamespace(kind="slices", size=None, intensity="z_score")

    def __init__(self):
        self.passes = 0

    def read(self, volumes, modalities):
        self.passes += 1
        mean = volumes.abs().mean((1, 2, 3), keepdim=True)[:, 0, 0]
        return SimpleNamespace(embedding=mean, patch_mean=mean, layers={"early": 2 * mean})


def test_every_volume_is_embedded_by_every_encoder_or_rejected(volumes, head):
    protocol = Imaging(min_voxels=4, evaluation_shape=(8, 8, 8))
    table = volumes(head, head.T.copy())
    broken = table.assign(path=[table["path"][0], "nowhere.nii.gz"])
    encoders = {"a": Mean(), "b": Mean()}
    made, rejects = embed_condition(encoders, broken, "gibbs-0.2", protocol, Bright())
    assert list(made["encoder"]) == ["a", "b"]
    assert {"volume_id", "feature", "patch_mean", "early"} < set(made)
    assert list(rejects["volume_id"]) == ["lab/1/1/T1w"]
    assert rejects["stage"][0] == "imaging, gibbs-0.2"


def test_an_interrupted_job_goes_on_after_its_last_chunk(volumes, head, tmp_path):
    protocol = Imaging(min_voxels=4, evaluation_shape=(8, 8, 8))
    table, encoder = volumes(head, head + 1, head + 2), Mean()
    common = tmp_path, "key", 2, {"a": encoder}

    def run(rows):
        return embed_kept(*common, rows, "contrast-2", protocol, Bright())[0]

    run(table[:2])
    assert encoder.passes == 2
    whole = run(table)
    assert encoder.passes == 3 and len(whole) == 3
    again = embed_kept(tmp_path / "new", *common[1:], table, "contrast-2", protocol, Bright())[0]
    pd.testing.assert_frame_equal(whole, again)


def test_only_volumes_in_test_that_are_whole_when_clean_are_perturbed():
    listed = pd.DataFrame({"volume_id": list("cabd")})
    splits = pd.DataFrame({"volume_id": list("aabc"), "split": ["train", "test", "test", "train"]})
    assert list(volumes_in_test(listed, splits, {"a": 1, "c": 1})["volume_id"]) == ["a"]
