"""Several processes as Snakemake's job starts them, on the CPU."""

import json

import pytest

from braindino.errors import BadInput
from braindino.pretrain.launch import launch
from braindino.pretrain.train import pretrain


def test_two_processes_leave_one_encoder_and_a_log_each(recipe, shards, tmp_path):
    launch(2, tmp_path / "job.log", pretrain, recipe, shards, tmp_path / "out", 1, "cpu")
    card = json.loads((tmp_path / "out" / "encoder.json").read_text())
    assert card["iterations"] == recipe.optimisation.iterations
    assert "done, 6 iterations" in (tmp_path / "job.0.log").read_text()
    assert (tmp_path / "job.1.log").read_text() == ""


def test_a_process_that_fails_is_named_with_its_log(recipe, shards, tmp_path):
    with pytest.raises(BadInput, match=r"process \d of the pretraining failed; .*job\.\d\.log"):
        launch(2, tmp_path / "job.log", pretrain, recipe, shards[1:2], tmp_path / "out", 1, "cpu")
    assert "fewer than one batch" in (tmp_path / "job.0.log").read_text()
