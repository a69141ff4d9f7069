"""Copies are found whatever their disguise; other people are not."""

import nibabel as nib
import numpy as np
import pytest

from braindino.corpus.fingerprint import fingerprint, same_content
from braindino.corpus.phantoms import write_cohort
from braindino.settings.corpus import Corpus

THRESHOLD = Corpus().same_content


@pytest.fixture(scope="module")
def brains(tmp_path_factory):
    """Phantoms of one atlas and contrast: as alike as different people can be."""
    folder = tmp_path_factory.mktemp("cohort")
    write_cohort("BraTS2023-MEN", folder, 6)
    return [np.asanyarray(nib.load(path).dataobj) for path in sorted(folder.glob("*/*t1n.nii.gz"))]


DISGUISES = {
    "turned": lambda x: x[::-1, :, ::-1].transpose(2, 0, 1),
    "rescaled": lambda x: (3.7 * x - 20).astype(np.float32),
    "z-scored": lambda x: ((x - x.mean()) / x.std()).astype(np.float32),
    "8 bits": lambda x: np.round(255 * (x / x.max())).astype(np.uint8),
    "clipped": lambda x: np.round(255 * np.clip(x / np.quantile(x, 0.999), 0, 1)).astype(np.uint8),
    "cropped": lambda x: x[3:-4, 2:, 5:-1] if not x[:3].any() else x,
    "padded": lambda x: np.pad(x, ((5, 9), (0, 3), (2, 0))),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_copy_is_found(brains, disguise):
    for brain in brains[:2]:
        assert fingerprint(brain) @ fingerprint(DISGUISES[disguise](brain)) > THRESHOLD


def test_other_people_are_not_taken_for_copies(brains):
    prints = np.stack([fingerprint(brain) for brain in brains])
    others = (prints @ prints.T)[np.triu_indices(len(prints), 1)]
    assert others.max() < THRESHOLD - 0.05


def test_real_people_are_not_taken_for_copies(real_data):
    paths = sorted(real_data.glob("ds002748/*/anat/*.nii.gz"))[:6]
    prints = [fingerprint(np.asanyarray(nib.load(path).dataobj)) for path in paths]
    assert len(prints) == 6
    assert same_content(prints, 0.9) == []


def test_pairs_are_found_across_blocks(rng, monkeypatch):
    monkeypatch.setattr("braindino.corpus.fingerprint.BLOCK", 4)
    prints = rng.standard_normal((11, 64))
    prints[9] = prints[2]
    prints /= np.linalg.norm(prints, axis=1, keepdims=True)
    pairs = same_content(prints, 0.99)
    assert [(i, j) for i, j, _ in pairs] == [(2, 9)]
    assert pairs[0][2] == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(
    "volume",
    [
        np.full((8, 8, 8), 3, np.int16),
        np.full((8, 8, 8), np.nan, np.float32),
        np.ones((8, 8, 8, 2)),
    ],
    ids=["constant", "not finite", "4-D"],
)
def test_what_is_no_volume_has_no_fingerprint(volume):
    assert fingerprint(volume) is None
