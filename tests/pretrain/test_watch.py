import logging

import pandas as pd
import pytest

from braindino.pretrain.held_out import list_volumes
from braindino.pretrain.model import Backbone
from braindino.pretrain.slices import Slices
from braindino.pretrain.watch import Watch

LOGGER = logging.getLogger(__name__)


@pytest.fixture
def many(tmp_path, write_shard):
    """Three cohorts of ten volumes; one of them is another contrast's."""
    paths = [write_shard(tmp_path / name / "0.npy", name, 10, 3) for name in "abc"]
    table = paths[0].with_suffix(".parquet")
    pd.read_parquet(table).assign(modality="T2w").to_parquet(table, index=False)
    return paths


@pytest.fixture
def watched(recipe):
    probe = recipe.probe.model_copy(update={"every": 3, "volumes": 6, "slices": 2, "size": 48})
    return recipe.model_copy(update={"probe": probe})


def test_who_is_probed_is_not_trained_on(watched, many):
    watch = Watch(watched, many, 0, LOGGER)
    trained = Slices(many, watch.held_out)
    assert len(watch.held_out) == 6 and trained.volumes == 24
    assert watch.held_out <= set(list_volumes(many)["volume_id"])
    assert Watch(watched, many, 0, LOGGER).held_out == watch.held_out  # on every rank


def test_the_probe_is_due_at_both_ends_and_in_between(watched, many):
    watch = Watch(watched, many, 0, LOGGER)
    assert [i for i in range(7) if watch.is_due(i)] == [0, 3, 6]
    ends = watched.model_copy(update={"probe": watched.probe.model_copy(update={"every": 4})})
    assert [i for i in range(7) if Watch(ends, many, 0, LOGGER).is_due(i)] == [0, 4, 6]


def test_the_probe_leaves_the_backbone_as_it_was(watched, many):
    backbone = Backbone(watched.model.architecture, watched.model.arguments)
    before = {key: value.clone() for key, value in backbone.state_dict().items()}
    watch = Watch(watched, many, 0, LOGGER)
    first = watch.probe(backbone)
    assert first == watch.probe(backbone) and 0 <= first["knn_modality"] <= 1
    assert all((value == before[key]).all() for key, value in backbone.state_dict().items())


def test_without_a_probe_nobody_is_held_out(watched, many):
    off = watched.model_copy(update={"probe": watched.probe.model_copy(update={"volumes": 0})})
    watch = Watch(off, many, 0, LOGGER)
    assert not watch.held_out and not any(watch.is_due(i) for i in range(7))


def test_a_warning_is_said_once(watched, many, caplog):
    watch = Watch(watched, many, 0, LOGGER)
    entries = [{"iteration": i, "rankme": 1.0} for i in (5, 6, 7, 8)]
    with caplog.at_level(logging.WARNING):
        for end in (2, 3, 4):
            watch.warn(entries[:end])
    warnings = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert warnings == [
        "pretraining toy: From iteration 5, the effective rank of the class tokens is near one: "
        "all slices look alike to the teacher."
    ]
