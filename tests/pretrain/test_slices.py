import numpy as np
import pytest

from braindino.errors import BadInput
from braindino.pretrain.slices import Slices, slice_at


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


def test_every_epoch_is_another_permutation():
    first, second = np.array([slice_at(k, 50, seed=3) for k in range(100)]).reshape(2, 50)
    assert sorted(first) == sorted(second) == list(range(50))
    assert (first != second).any()
    assert any(slice_at(k, 50, seed=4) != first[k] for k in range(50))


def test_fingerprint_follows_content(shards):
    before = Slices(shards).fingerprint
    assert Slices(shards).fingerprint == before
    changed = np.load(shards[0])
    np.save(shards[0], changed + 1)
    assert Slices(shards).fingerprint != before


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
