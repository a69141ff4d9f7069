import resource
from zlib import crc32

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from braindino.imaging.normalise import axial_slices, draw_slices
from braindino.imaging.shards import write_shard
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging(shape=(32, 32, 32), slices=8, slice_mean=16, slice_sd=6)


@pytest.fixture
def brains(save_volume, tmp_path, rng):
    """Return the index of three stripped, cropped brains."""
    rows = []
    for n in range(3):
        volume = rng.integers(50, 200, (16, 18, 20)).astype(np.int16)
        save_volume(volume, f"{n}.nii.gz")
        rows.append((f"lab/{n}/1/T1w", "lab", str(n), "T1w", f"{n}.nii.gz"))
    return pd.DataFrame(rows, columns=["volume_id", "dataset", "subject", "modality", "file"])


@pytest.fixture
def write(brains, tmp_path):
    """Return a function that writes a shard of the brains."""

    def write(name="0.npy", rows=slice(None), workers=1):
        return write_shard(brains[rows], tmp_path, tmp_path / name, PROTOCOL, 0, workers)

    return write


def test_shard_and_index_agree(write, brains, tmp_path):
    index, rejects = write()
    shard = np.load(tmp_path / "0.npy", mmap_mode="r")
    assert rejects.empty
    assert shard.dtype == np.float16
    assert shard.shape == (3 * 8, 32, 32)
    assert shard.flags.c_contiguous
    assert list(index["row"]) == list(range(24))
    assert list(index["crc32"]) == [crc32(pixels.tobytes()) for pixels in shard]
    assert list(index["volume_id"]) == list(brains["volume_id"].repeat(8))
    last = index.iloc[-1]
    assert last["slice_index"] == draw_slices("lab/2/1/T1w", PROTOCOL, 0)[-1]


def test_a_row_holds_the_slice_that_the_index_names(write, tmp_path):
    index, _ = write()
    brain = np.asarray(nib.load(tmp_path / "1.nii.gz").dataobj)
    whole = axial_slices(brain, PROTOCOL.shape, PROTOCOL).half().numpy()
    rows = index[index["volume_id"] == "lab/1/1/T1w"]
    np.testing.assert_array_equal(
        np.load(tmp_path / "0.npy")[rows["row"]], whole[rows["slice_index"]]
    )


def test_workers_and_reruns_change_no_byte(write, tmp_path):
    first, _ = write("0.npy")
    again, _ = write("1.npy", workers=3)
    assert (tmp_path / "0.npy").read_bytes() == (tmp_path / "1.npy").read_bytes()
    pd.testing.assert_frame_equal(first, again)


def test_no_brains_give_an_empty_shard(write, tmp_path):
    index, rejects = write(rows=slice(0))
    assert index.empty
    assert rejects.empty
    assert np.load(tmp_path / "0.npy", mmap_mode="r").shape == (0, 32, 32)


@pytest.mark.parametrize("damage", ["truncated", "empty", "missing", "a folder"])
def test_a_brain_that_was_lost_between_stages_is_listed(write, tmp_path, damage):
    alone, _ = write("alone.npy", slice(0, 3, 2))
    brain = tmp_path / "1.nii.gz"
    whole = brain.read_bytes()
    brain.unlink()
    if damage == "a folder":
        brain.mkdir()
    elif damage != "missing":
        brain.write_bytes(whole[:300] if damage == "truncated" else b"")
    index, rejects = write()
    assert list(rejects["volume_id"]) == ["lab/1/1/T1w"]
    assert list(rejects["stage"]) == ["shards"]
    assert rejects["reason"].iloc[0].startswith("1.nii.gz: cannot be read")
    pd.testing.assert_frame_equal(index, alone)
    assert (tmp_path / "0.npy").read_bytes() == (tmp_path / "alone.npy").read_bytes()


def test_a_full_disk_leaves_no_partial_shard(write, tmp_path):
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.iterdir()) == before
