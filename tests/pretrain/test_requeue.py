"""Back into SLURM's queue on its warning alone; and one writer, the last one started."""

import os
import signal

import pytest

from braindino.pretrain.claim import Claim
from braindino.pretrain.nodes import srun_command, torchrun_command
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.requeue import requeued
from braindino.pretrain.run import Run
from braindino.pretrain.train import pretrain


@pytest.fixture
def scontrol(tmp_path, monkeypatch):
    """A SLURM job, and a file that shows what its scontrol was asked."""
    asked = tmp_path / "asked"
    command = tmp_path / "bin" / "scontrol"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    return asked


@pytest.mark.parametrize("name", ["SIGUSR1", "SIGTERM", "SIGINT", None])
def test_the_warning_alone_requeues_the_job(name, scontrol):
    with pytest.raises(Interrupted), requeued():
        raise Interrupted("stopped", name and signal.Signals[name])
    assert scontrol.exists() == (name == "SIGUSR1")
    if scontrol.exists():
        assert scontrol.read_text() == "requeue 17\n"


def test_nothing_is_asked_outside_of_slurm(scontrol, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID")
    with pytest.raises(Interrupted), requeued():
        raise Interrupted("stopped", signal.SIGUSR1)
    assert not scontrol.exists()


def test_who_starts_last_owns_the_folder(tmp_path):
    first = Claim(tmp_path)
    first.check()
    second = Claim(tmp_path)
    second.check()
    with pytest.raises(Interrupted, match="another process has taken this pretraining over"):
        first.check()
    second.release()
    assert not list(tmp_path.iterdir())


def test_a_run_taken_over_writes_nothing_more(recipe, shards, tmp_path, monkeypatch):
    step, out = Run.step, tmp_path / "out"

    def taken_over(run, *args, **kwargs):
        if run.iteration == 2:
            (folder,) = out.glob("checkpoints/*")
            Claim(folder)
        return step(run, *args, **kwargs)

    monkeypatch.setattr(Run, "step", taken_over)
    with pytest.raises(Interrupted, match="taken this pretraining over"):
        pretrain(recipe, shards, out, seed=1, device="cpu")
    assert not list(out.glob("checkpoints/*/iteration_*"))
    assert not (out / "encoder.safetensors").exists()


def test_several_nodes_meet_on_the_first_by_the_jobs_id():
    assert srun_command(2, 16)[-2:] == ("env", "--ignore-signal=USR1")
    command = torchrun_command(2, 4, {"SLURM_JOB_ID": "123456"})
    assert {"--nnodes=2", "--nproc-per-node=4", "--rdzv-id=123456"} <= set(command)
    assert any(part.endswith(":23456") for part in command)
