import pickle
from pathlib import Path

import numpy as np
import pytest

from braindino.errors import BadInput
from braindino.pretrain.order import WINDOW
from braindino.pretrain.slices import Slices


def test_slices_are_those_of_the_shards_in_order(shards):
    expected = np.concatenate([np.load(path) for path in shards])
    slices = Slices(shards)
    assert len(slices) == len(expected) == 11
    np.testing.assert_array_equal(np.stack([slices[k] for k in range(11)]), expected)


def test_provenance(shards):
    slices = Slices(shards)
    assert slices.datasets == ["a", "b"]
    assert slices.volumes == 3


def test_empty_shards_alone_hold_nothing(shards):
    slices = Slices(shards[1:2])
    assert (len(slices), slices.datasets, slices.volumes) == (0, [], 0)


def test_fingerprint_follows_content(shards, write_shard):
    before = Slices(shards).fingerprint
    assert Slices(shards).fingerprint == before
    write_shard(shards[0], "a", 2, 3, seed=9)
    assert Slices(shards).fingerprint != before


def test_a_shard_made_again_is_read_anew(shards, write_shard):
    before = Slices(shards)[0].copy()
    shards[0].unlink()
    write_shard(shards[0], "a", 2, 3, seed=9)
    after = Slices(shards)[0]
    assert (after != before).any()
    np.testing.assert_array_equal(after, np.load(shards[0])[0])


def test_a_slice_is_a_view_of_the_file(shards):
    pixels = Slices(shards)[4]
    assert not pixels.flags.owndata
    assert not pixels.flags.writeable


def test_a_worker_is_sent_names_not_slices(shards):
    slices = Slices(shards)
    expected = slices[7].copy()  # its shard is open now
    sent = pickle.dumps(slices)
    assert len(sent) < 2000
    np.testing.assert_array_equal(pickle.loads(sent)[7], expected)


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files by /proc")
def test_open_files_do_not_grow_with_the_shards(tmp_path, write_shard):
    count = 2 * WINDOW + 10
    slices = Slices([write_shard(tmp_path / f"{n}.npy", "a", 1, 1) for n in range(count)])
    open_files = set()
    for n in range(count):
        assert slices[n].shape == (48, 48)
        open_files.add(len(list(Path("/proc/self/fd").iterdir())))
    assert max(open_files) - min(open_files) <= 2 * WINDOW


def test_a_table_that_disagrees_is_named(shards):
    np.save(shards[0], np.load(shards[0])[:-1])
    with pytest.raises(BadInput, match=r"0\.parquet: 6 rows for 5 slices of 0\.npy"):
        Slices(shards)


def test_shards_of_two_sizes_are_named(shards, tmp_path, write_shard):
    other = write_shard(tmp_path / "shards" / "c.npy", "c", 1, 2)
    np.save(other, np.load(other)[:, :32])
    with pytest.raises(BadInput, match=r"different sizes .*48×48.*32×48"):
        Slices([*shards, other])


def test_a_truncated_shard_is_named(shards):
    shards[0].write_bytes(shards[0].read_bytes()[:500])
    with pytest.raises(BadInput, match=r"0\.npy: not a readable shard"):
        Slices(shards)


def test_slices_of_held_out_volumes_are_passed_over(shards):
    expected = np.concatenate([np.load(shards[0])[3:], np.load(shards[2])])
    slices = Slices(shards, held_out={"a/sub-0/-/T1w"})
    assert (len(slices), slices.volumes) == (8, 2)
    np.testing.assert_array_equal(np.stack([slices[k] for k in range(8)]), expected)
    assert slices.fingerprint != Slices(shards).fingerprint


def test_a_cohort_may_be_held_out_whole(shards):
    slices = Slices(shards, held_out={"a/sub-0/-/T1w", "a/sub-1/-/T1w"})
    assert (slices.sizes, slices.datasets, slices.volumes) == ([5], ["b"], 1)


def test_a_volume_in_a_shards_middle_parts_it(tmp_path, write_shard):
    path = write_shard(tmp_path / "0.npy", "a", 3, 2)
    slices = Slices([path], held_out={"a/sub-1/-/T1w"})
    assert slices.sizes == [2, 2]
    np.testing.assert_array_equal(
        np.stack([slices[k] for k in range(4)]), np.load(path)[[0, 1, 4, 5]]
    )
