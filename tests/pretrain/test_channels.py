import numpy as np
import pandas as pd
import pytest

from braindino.pretrain.channels import Images, channel_rows
from braindino.pretrain.slices import Slices


@pytest.fixture
def session(tmp_path, write_shard):
    """One shard: T1w of two subjects; T2w and FLAIR of the first, at other heights."""
    path = write_shard(tmp_path / "c" / "0.npy", "c", 4, 3)
    table = pd.read_parquet(path.with_suffix(".parquet"))
    people = ["1", "2", "1", "1"]
    contrasts = ["T1w", "T1w", "T2w", "FLAIR"]
    heights = [[10, 20, 30], [10, 20, 30], [11, 19, 40], [1, 2, 29]]
    table["volume_id"] = np.repeat(
        [f"c/{who}/1/{what}" for who, what in zip(people, contrasts, strict=True)], 3
    )
    table["modality"] = np.repeat(contrasts, 3)
    table["slice_index"] = np.ravel(heights)
    table.to_parquet(path.with_suffix(".parquet"), index=False)
    return [path]


def test_one_slice_is_itself(session):
    assert channel_rows("slice", session).tolist() == [[n] for n in range(12)]


def test_neighbours_stay_in_their_volume(session):
    rows = channel_rows("neighbours", session)
    assert rows[:4].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 2], [3, 3, 4]]


def test_contrasts_are_the_nearest_in_height_of_the_session(session):
    rows = channel_rows("contrasts", session)
    # T1w at 10, 20, 30; T2w (rows 6 to 8) at 11, 19, 40; FLAIR (9 to 11) at 1, 2, 29.
    assert rows[:3].tolist() == [[0, 6, 10], [1, 7, 11], [2, 8, 11]]
    assert rows[8].tolist() == [2, 8, 11]
    # The second subject has T1w alone.
    assert rows[3:6].tolist() == [[3, 3, 3], [4, 4, 4], [5, 5, 5]]


def test_held_out_volumes_are_nobodys_channel(session):
    held_out = {"c/1/1/T2w"}
    rows = channel_rows("contrasts", session, held_out)
    assert rows[0].tolist() == [0, 0, 7]
    slices = Slices(session, held_out)
    assert len(rows) == len(slices) == 9
    pixels = np.load(session[0])
    image = Images(slices, range(9), rows)[0]
    np.testing.assert_array_equal(image, pixels[[0, 0, 10]])


def test_a_slice_is_identified_by_volume_and_height(session):
    slices = Slices(session, {"c/1/1/T1w"})
    found = Images(slices, [3], channel_rows("slice", session, {"c/1/1/T1w"})).identify(0)
    assert (found["volume_id"], found["slice_index"]) == ("c/1/1/T2w", 11)
    assert found["shard"] == str(session[0])
