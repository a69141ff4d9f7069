import builtins
import logging
import sys
import types

import pytest

from braindino.pretrain.tensorboard import Scalars

ENTRIES = [{"iteration": 10, "loss": 4.0, "lr": 0.1}, {"iteration": 20, "loss": 3.0}]


@pytest.fixture
def written(monkeypatch):
    """Stand in for torch's writer, and list what it was told."""
    calls = []

    class SummaryWriter:
        def __init__(self, folder, purge_step):
            calls.append((str(folder), purge_step))

        def add_scalar(self, name, value, step):
            calls.append((name, value, step))

        def close(self):
            calls.append("closed")

    module = types.ModuleType("torch.utils.tensorboard")
    module.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", module)
    return calls


def test_a_resumed_run_writes_its_course_again_and_goes_on(written):
    scalars = Scalars("events", ENTRIES)
    scalars.append({"iteration": 30, "loss": 2.0})
    scalars.close()
    assert written == [
        ("events", 10),  # from here on, what the interrupted run wrote is hidden
        ("loss", 4.0, 10),
        ("lr", 0.1, 10),
        ("loss", 3.0, 20),
        ("loss", 2.0, 30),
        "closed",
    ]


def test_without_tensorboard_one_sentence_says_so_and_the_run_goes_on(
    monkeypatch, caplog, tmp_path
):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with caplog.at_level(logging.WARNING):
        scalars = Scalars(tmp_path, ENTRIES)
        scalars.append({"iteration": 30, "loss": 2.0})
        scalars.close()
    assert [record.message for record in caplog.records] == [
        "tensorboard: true needs the package tensorboard, which is not installed "
        "(pip install tensorboard); metrics.jsonl holds the same numbers"
    ]
    assert not list(tmp_path.iterdir())
