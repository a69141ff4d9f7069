from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from braindino.errors import BadInput
from braindino.files import write_table
from braindino.imaging.shards import write_shard
from braindino.imaging.verify import check_sound, verify_shards
from braindino.settings.imaging import Imaging

PROTOCOL = Imaging(shape=(32, 32, 32), slices=8, slice_mean=16, slice_sd=6)


@pytest.fixture
def shards(save_volume, tmp_path, rng):
    """Two shards, the first of two brains, the second of none."""
    rows = []
    for n in range(2):
        save_volume(rng.integers(50, 200, (16, 18, 20)).astype(np.int16), f"{n}.nii.gz")
        rows.append((f"lab/{n}/1/T1w", "lab", str(n), "T1w", f"{n}.nii.gz"))
    columns = ["volume_id", "dataset", "subject", "modality", "file"]
    brains = pd.DataFrame(rows, columns=columns)
    paths = [tmp_path / "0.npy", tmp_path / "1.npy"]
    for path, part in zip(paths, (brains, brains[:0]), strict=True):
        index, _ = write_shard(part, tmp_path, path, PROTOCOL, seed=0)
        write_table(index, path.with_suffix(".parquet"))
    return paths


def change_index(shards, **columns):
    path = shards[0].with_suffix(".parquet")
    pd.read_parquet(path).assign(**columns).to_parquet(path)


def flip_a_bit(shards):
    data = bytearray(shards[0].read_bytes())
    data[128 + 3 * 32 * 32 * 2 + 100] ^= 1  # the header is 128 bytes
    shards[0].write_bytes(data)


def put_nan(shards):
    pixels = np.load(shards[0])
    pixels[5, 2, 2] = np.nan
    np.save(shards[0], pixels)
    change_index(shards, crc32=[crc32(part) for part in pixels])


def cut(shards):
    shards[0].write_bytes(shards[0].read_bytes()[:-10])


def lengthen(shards):
    shards[0].write_bytes(shards[0].read_bytes() + b"\0")


def drop_slices(shards):
    np.save(shards[0], np.load(shards[0])[:-1])


def widen(shards):
    np.save(shards[0], np.load(shards[0]).astype(np.float32))


def transpose(shards):
    np.save(shards[0], np.asfortranarray(np.load(shards[0])))


def repeat_a_slice(shards):
    change_index(shards, slice_index=np.tile([3, 3, 4, 5, 6, 7, 8, 9], 2))


def leave_the_volume(shards):
    change_index(shards, slice_index=np.tile(np.arange(25, 33), 2))


def shuffle_rows(shards):
    change_index(shards, row=np.arange(16)[::-1])


def merge_volumes(shards):
    change_index(shards, volume_id="lab/0/1/T1w")


def lose_index(shards):
    shards[0].with_suffix(".parquet").unlink()


def lose_shard(shards):
    shards[0].unlink()


def garble(shards):
    shards[0].write_bytes(b"not a shard")


DAMAGE = {
    flip_a_bit: "slice 3 does not match its checksum",
    put_nan: "slice 5 has NaN or infinite pixels",
    cut: "ends within slice 15",
    lengthen: "is longer than its header says",
    drop_slices: r"has shape \(15, 32, 32\), and its index says \(16, 32, 32\)",
    widen: "holds float32, not float16 in C order",
    transpose: "holds float16, not float16 in C order",
    repeat_a_slice: "a slice is there twice",
    leave_the_volume: "a slice_index lies outside 0–31",
    shuffle_rows: "the index's rows are out of order",
    merge_volumes: "a volume without 8 slices",
    lose_index: "cannot be read",
    lose_shard: "cannot be read",
    garble: "cannot be read",
}


def test_sound_shards_pass(shards):
    report = verify_shards(shards, PROTOCOL, workers=2)
    assert list(report["shard"]) == list(map(str, shards))
    assert list(report["slices"]) == [16, 0]
    assert (report["problem"] == "").all()
    check_sound(report)


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda damage: damage.__name__)
def test_damage_is_named_with_the_mend(shards, damage):
    damage(shards)
    report = verify_shards(shards, PROTOCOL)
    assert list(report["problem"] != "") == [True, False]
    with pytest.raises(BadInput, match=rf"1 of 2 .*0\.npy: {DAMAGE[damage]}.*delete each"):
        check_sound(report)


def test_slices_drawn_with_replacement_may_repeat(shards):
    repeat_a_slice(shards)
    relaxed = PROTOCOL.model_copy(update={"slice_replacement": True})
    check_sound(verify_shards(shards, relaxed))
