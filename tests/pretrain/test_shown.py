import numpy as np
import pandas as pd

from braindino.pretrain.held_out import list_volumes
from braindino.pretrain.shown import choose_shown, middle_slices


def test_contrasts_take_turns():
    volumes = pd.DataFrame({"volume_id": list("abcdefg"), "modality": ["T1w"] * 5 + ["T2w"] * 2})
    assert list(choose_shown(volumes, 4)["volume_id"]) == ["a", "b", "f", "g"]
    assert list(choose_shown(volumes, 6)["volume_id"]) == ["a", "b", "c", "d", "f", "g"]
    assert len(choose_shown(volumes, 20)) == 7


def test_a_volumes_middle_slice_is_shown(shards):
    slices = middle_slices(list_volumes(shards))
    expected = np.stack(
        [np.load(shards[0])[[1, 4]][0], np.load(shards[0])[4], np.load(shards[2])[2]]
    )
    np.testing.assert_array_equal(slices.numpy(), expected.astype(np.float32))
