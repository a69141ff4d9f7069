"""The converter of untrusted pickles: tensors come out, and nothing in the file is run."""

import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from braindino.encoders.convert import convert
from braindino.errors import BadInput
from braindino.tensors import read_tensors


class Hostile:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


class Settings(dict):
    """A class of the file's authors, which nobody else has."""


@pytest.fixture
def tensors():
    weight = torch.arange(6.0).reshape(2, 3)
    return {
        "backbone.weight": torch.nn.Parameter(weight),
        "backbone.turned": weight.T,  # not contiguous, and shares memory
        "backbone.half": weight.half(),
        "backbone.steps": torch.tensor(3),
    }


@pytest.fixture(params=[True, False], ids=["zip", "legacy"])
def checkpoint(tensors, request, tmp_path):
    """A checkpoint as Lightning writes it, with objects that run code when they are read."""
    content = {
        "state_dict": tensors,
        "hyper_parameters": Settings(rate=0.1),
        "callbacks": [Hostile(tmp_path / "harmed"), {"device": torch.device("cpu")}],
        "optimizer_states": [{"state": {0: {"step": torch.tensor(1.0)}}}],
    }
    path = tmp_path / "model.ckpt"
    torch.save(content, path, _use_new_zipfile_serialization=request.param)
    return path


def test_the_pipeline_refuses_it_and_says_how_to_convert_it(checkpoint, tmp_path):
    with pytest.raises(BadInput, match=r"braindino\.encoders\.convert .*model\.ckpt"):
        read_tensors(checkpoint, "state_dict")
    assert not (tmp_path / "harmed").exists()


def test_tensors_come_out_and_nothing_is_run(checkpoint, tensors, tmp_path):
    target = tmp_path / "model.safetensors"
    assert convert(checkpoint, target, "state_dict") == 4
    assert not (tmp_path / "harmed").exists()
    converted = load_file(target)
    assert set(converted) == set(tensors)
    for key, value in tensors.items():
        assert torch.equal(converted[key], value)


def test_without_the_key_it_says_which_there_are(checkpoint, tmp_path):
    with pytest.raises(BadInput, match="state_dict, hyper_parameters"):
        convert(checkpoint, tmp_path / "model.safetensors")
    assert not (tmp_path / "model.safetensors").exists()


@pytest.mark.parametrize("checkpoint", [True], indirect=True)
def test_the_command_in_a_process_of_its_own(checkpoint, tmp_path):
    target = tmp_path / "model.safetensors"
    command = [sys.executable, "-m", "braindino.encoders.convert", checkpoint, target]
    done = subprocess.run([*command, "--unwrap", "state_dict"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "4 tensors" in done.stdout
    assert len(load_file(target)) == 4
    wrong = subprocess.run(command, capture_output=True, text=True)
    assert wrong.returncode == 1
    assert "Traceback" not in wrong.stderr
