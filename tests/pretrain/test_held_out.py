import numpy as np
import pandas as pd
import pytest

from braindino.pretrain.held_out import choose_bank, choose_held_out, list_volumes


@pytest.fixture
def volumes():
    """A hundred subjects of three contrasts each."""
    rows = [
        (f"a/{s}/{m}", "a", f"{s}", m, "a/0.npy", 0, 8)
        for s in range(100)
        for m in ("T1w", "T2w", "FLAIR")
    ]
    columns = ["volume_id", "dataset", "subject", "modality", "shard", "first", "count"]
    return pd.DataFrame(rows, columns=columns)


def test_volumes_are_where_their_slices_lie(shards):
    volumes = list_volumes(shards)
    assert list(volumes["volume_id"]) == ["a/sub-0/-/T1w", "a/sub-1/-/T1w", "b/sub-0/-/T1w"]
    assert list(zip(volumes["first"], volumes["count"], strict=True)) == [(0, 3), (3, 3), (0, 5)]
    assert list(volumes["shard"]) == [str(shards[0])] * 2 + [str(shards[2])]


def test_subjects_are_held_out_whole_and_no_more_than_asked(volumes):
    held = choose_held_out(volumes, 20, seed=0)
    assert len(held) == 18  # six subjects; a seventh would be one volume too many
    assert (held.groupby("subject").size() == 3).all()


def test_no_more_than_a_fifth_is_held_out(volumes):
    assert len(choose_held_out(volumes, 1000, seed=0)) == 60
    assert len(choose_held_out(volumes[:12], 1000, seed=0)) == 0


def test_the_choice_hangs_on_ids_and_seed_alone(volumes):
    held = set(choose_held_out(volumes, 30, seed=0)["volume_id"])
    shuffled = volumes.sample(frac=1, random_state=1)
    assert set(choose_held_out(shuffled, 30, seed=0)["volume_id"]) == held
    assert set(choose_held_out(volumes, 30, seed=1)["volume_id"]) != held


def test_nobody_is_held_out_where_there_is_one_contrast(volumes):
    assert choose_held_out(volumes.assign(modality="T1w"), 64, seed=0).empty
    assert choose_held_out(volumes, 0, seed=0).empty


def test_larger_corpora_keep_the_smaller_ones_choice_in_order(volumes):
    few, more = (set(choose_held_out(volumes, n, seed=0)["subject"]) for n in (9, 30))
    assert few < more and np.issubdtype(volumes["count"].dtype, np.integer)


def test_a_bank_is_of_subjects_that_are_trained_on(volumes):
    held = choose_held_out(volumes, 20, seed=0)
    bank = choose_bank(volumes, held, 100, seed=0)
    assert 90 < len(bank) <= 100
    assert not set(bank["subject"]) & set(held["subject"])
    assert len(choose_bank(volumes, held, 10_000, seed=0)) == len(volumes) - len(held)
