import numpy as np
import pytest
from torch.utils.data import DataLoader

from braindino.pretrain.order import SliceOrder

SIZES = [5, 8, 1, 7, 3, 8, 8, 6, 2, 4]
COUNT = sum(SIZES)
SHARD = np.repeat(np.arange(len(SIZES)), SIZES)


def epochs(order, count=1):
    return np.array([order[k] for k in range(count * COUNT)]).reshape(count, COUNT)


@pytest.mark.parametrize("window", [1, 3, 10, 99])
def test_every_epoch_is_another_permutation(window):
    several = epochs(SliceOrder(SIZES, 3, window), 3)
    assert (np.sort(several) == np.arange(COUNT)).all()
    assert len(np.unique(several, axis=0)) == 3
    assert (epochs(SliceOrder(SIZES, 4, window)) != several[0]).any()


@pytest.mark.parametrize("position", [0, 1, 20, COUNT - 1, COUNT, COUNT + 33])
def test_a_run_resumes_from_its_position_alone(position):
    whole = SliceOrder(SIZES, 3, 3)
    tail = [whole[k] for k in range(2 * COUNT)][position:]
    resumed = SliceOrder(SIZES, 3, 3)
    assert [resumed[k] for k in range(position, 2 * COUNT)] == tail


@pytest.mark.parametrize("ranks", [1, 3])
def test_ranks_and_workers_share_an_epoch_out(ranks):
    order = SliceOrder(SIZES, 3, 3)
    loaders = [
        DataLoader(order, 4, sampler=range(rank, COUNT, ranks), num_workers=2)
        for rank in range(ranks)
    ]
    read = [[k for batch in loader for k in batch.tolist()] for loader in loaders]
    expected = epochs(order)[0]
    for rank, slices in enumerate(read):
        assert slices == expected[rank::ranks].tolist()


@pytest.mark.parametrize("window", [1, 3, 4])
def test_a_window_is_read_to_its_end_before_the_next(window):
    for shards in SHARD[epochs(SliceOrder(SIZES, 3, window), 4)]:
        first = np.array([np.flatnonzero(shards == s)[0] for s in range(len(SIZES))])
        last = np.array([np.flatnonzero(shards == s)[-1] for s in range(len(SIZES))])
        unfinished = [((first <= k) & (k <= last)).sum() for k in range(COUNT)]
        assert max(unfinished) <= window


def test_a_window_of_all_shards_is_a_plain_permutation():
    order = SliceOrder([50] * 8, 3, 8)
    firsts = np.array([order[k * 400] for k in range(400)])  # the first slice of 400 epochs
    assert len(np.unique(firsts // 50)) == 8
    # Every read of an epoch comes from any shard: 100 of them from each within 5 SD.
    shards = np.array([order[k] // 50 for k in range(800)]).reshape(8, 100)
    counts = np.array([np.bincount(part, minlength=8) for part in shards])
    assert abs(counts - 12.5).max() < 5 * np.sqrt(12.5)


def test_the_slices_of_a_window_are_mixed():
    order = SliceOrder([100] * 6, 3, 3)
    shards = np.array([order[k] // 100 for k in range(600)]).reshape(12, 50)
    assert all(len(np.unique(part)) == 3 for part in shards)
