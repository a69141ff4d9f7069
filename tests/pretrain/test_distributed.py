"""Two processes against one: the same losses, gradients and weights, and the same manners."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.run import Run
from braindino.settings.load import validate
from braindino.settings.pretrain import Recipe

TORCHRUN = (sys.executable, "-m", "torch.distributed.run", "--standalone")


@pytest.fixture
def command(recipe, shards, tmp_path):
    """Return a function that gives the command of a run by some processes, and its folder."""
    values = recipe.model_dump(mode="json")
    values["model"] |= {"drop_path": 0.0, "rope_rescale": 1.0}
    values["optimisation"]["precision"] = "float32"
    values["objective"]["koleo_group"] = 2

    def make(processes, **optimisation):
        folder = tmp_path / f"by-{processes}"
        path = tmp_path / f"{processes}.yaml"
        values["optimisation"] |= optimisation
        path.write_text(yaml.safe_dump(values))
        program = ("-m", "braindino.pretrain", "--recipe", path, "--out", folder, "--device", "cpu")
        start = (
            (sys.executable,) if processes == 1 else (*TORCHRUN, f"--nproc-per-node={processes}")
        )
        return [str(part) for part in (*start, *program, *shards)], folder

    return make


def run(command):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def recipe_of(line):
    return yaml.safe_load(Path(line[line.index("--recipe") + 1]).read_text())


def final_student(folder):
    (path,) = folder.glob("checkpoints/*/final.pt")
    return torch.load(path, weights_only=True)["student"]


def flat(weights):
    weights = weights.state_dict() if isinstance(weights, torch.nn.Module) else weights
    return torch.cat([tensor.flatten() for tensor in weights.values()])


def journalled(folder, key):
    entries = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return [entry[key] for entry in entries if key in entry]


def test_torchrun_on_two_processes_gives_what_one_gives(command):
    folders = []
    for processes in (1, 2):
        line, folder = command(processes)
        done = run(line)
        assert done.returncode == 0, done.stderr[-3000:]
        folders.append(folder)
    for key in ("loss", "grad_norm_backbone", "grad_norm_dino_head", "grad_norm_ibot_head"):
        one, two = (journalled(folder, key) for folder in folders)
        rel = 1e-4 if key == "loss" else 1e-3
        assert one and one == pytest.approx(two, rel=rel), key
    # AdamW's first steps make much of gradients that are nearly zero: compare whole weights.
    start = flat(Run(validate(Recipe, recipe_of(line), []), 0, torch.device("cpu")).student)
    ours, theirs = (flat(final_student(folder)) for folder in folders)
    assert (ours - theirs).norm() < 0.02 * (ours - start).norm()
    made = [json.loads((folder / "encoder.json").read_text()) for folder in folders]
    assert made[0]["data"] == made[1]["data"]


def test_a_signal_to_one_run_of_two_processes_leaves_a_checkpoint(command):
    line, folder = command(2, iterations=2000)
    job = subprocess.Popen(
        line, env=os.environ | {"OMP_NUM_THREADS": "1"}, stderr=subprocess.PIPE, text=True
    )
    while not list(folder.glob("checkpoints/*/iteration_*.pt")):
        assert job.poll() is None, job.stderr.read()
        time.sleep(0.05)
    job.send_signal(signal.SIGTERM)
    _, errors = job.communicate(timeout=60)
    assert job.returncode != 0
    assert "checkpoint written, run again to go on" in errors
    newest = max(folder.glob("checkpoints/*/iteration_*.pt"))
    stopped = torch.load(newest, weights_only=True)["iteration"]
    assert f"at iteration {stopped} of 2000" in errors


def test_a_signal_ends_a_run_of_one_process_with_a_status_of_its_own(command):
    line, folder = command(1, iterations=2000)
    job = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    while not list(folder.glob("checkpoints/*/iteration_*.pt")):
        assert job.poll() is None, job.stderr.read()
        time.sleep(0.05)
    job.send_signal(signal.SIGUSR1)
    _, errors = job.communicate(timeout=60)
    assert job.returncode == Interrupted.status, errors
    assert "SIGUSR1" in errors
