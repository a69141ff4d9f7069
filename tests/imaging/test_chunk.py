import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from braindino.errors import BadInput
from braindino.imaging.brains import check_reject_fraction, strip_chunk
from braindino.imaging.thumbnails import SIDE, save_thumbnails
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging(shape=(32, 32, 32), slices=8, slice_mean=16, slice_sd=6)
CPU = torch.device("cpu")


@pytest.fixture
def chunk(save_volume, tmp_path, rng):
    """Three stripped brains and a truncated file."""
    rows = []
    for n in range(4):
        brain = np.zeros((24, 26, 28), np.int16)
        brain[4:20, 5:21, 6:22] = rng.integers(50, 200, (16, 16, 16))
        path = save_volume(brain, f"scan{n}.nii.gz", np.diag([-1.5, 1, 1, 1]))
        rows.append((f"lab/{n}/1/T1w", str(n), "T1w", str(path), True))
    broken = tmp_path / "scan2.nii.gz"
    broken.write_bytes(broken.read_bytes()[:300])
    columns = ["volume_id", "subject", "modality", "path", "skull_stripped"]
    return pd.DataFrame(rows, columns=columns)


def test_one_bad_scan_is_listed_and_the_rest_go_on(chunk, tmp_path):
    index, rejects, thumbnails = strip_chunk(chunk, tmp_path / "brains", PROTOCOL, CPU)
    assert list(index["volume_id"]) == ["lab/0/1/T1w", "lab/1/1/T1w", "lab/3/1/T1w"]
    assert list(rejects["volume_id"]) == ["lab/2/1/T1w"]
    assert "cannot be read" in rejects["reason"].iloc[0]
    assert len(thumbnails) == len(index)
    brain = nib.load(tmp_path / "brains" / index["file"].iloc[0])
    assert brain.shape == (16, 16, 16)
    # A stripped volume passes through unchanged, but for the crop and the axes.
    raw = np.asarray(nib.as_closest_canonical(nib.load(chunk["path"].iloc[0])).dataobj)
    np.testing.assert_array_equal(np.asarray(brain.dataobj), raw[4:20, 5:21, 6:22])
    assert index["brain_ml"].iloc[0] == pytest.approx(16**3 * 1.5 / 1000, abs=0.05)


def test_empty_chunk_gives_empty_tables(chunk, tmp_path):
    index, rejects, thumbnails = strip_chunk(chunk[:0], tmp_path / "brains", PROTOCOL, CPU)
    save_thumbnails(thumbnails, tmp_path / "t.npz")
    assert rejects.empty
    assert index.empty
    assert np.load(tmp_path / "t.npz")["raw"].shape == (0, 3, SIDE, SIDE)


def test_too_many_rejects_fail_the_chunk(chunk):
    rejects = pd.DataFrame({"volume_id": ["a", "b"], "stage": "imaging", "reason": "broken"})
    check_reject_fraction(rejects, 4, 0.5)
    with pytest.raises(BadInput, match=r"2 of 3 volumes were rejected.*max_reject_fraction"):
        check_reject_fraction(rejects, 3, 0.5)
