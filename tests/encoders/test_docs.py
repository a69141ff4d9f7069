"""The examples of docs/encoders.md are cards that work as they stand."""

import re
import subprocess
import sys

import pytest
import torch
import yaml
from safetensors.torch import save_file

from braindino.encoders.build import build_network
from braindino.settings.load import load_card


@pytest.fixture
def examples(root):
    text = (root / "docs" / "encoders.md").read_text()
    blocks = re.findall(r"```(yaml|python)\n(.*?)```", text, re.DOTALL)
    return {kind: [body for k, body in blocks if k == kind] for kind in ("yaml", "python")}


@pytest.fixture
def write(examples, tmp_path):
    """Return a function that writes an example into a folder of cards, and its path."""

    def write(number):
        path = tmp_path / "encoders" / "mine.yaml"
        path.parent.mkdir()
        path.write_text(examples["yaml"][number])
        (path.parent / "my_module.py").write_text(examples["python"][-1])
        return path

    return write


@pytest.mark.parametrize(("number", "dim"), [(0, 192), (1, 128)])
def test_timm_and_monai_examples_load_their_weights(number, dim, write, build, tmp_path):
    card = load_card("encoders", "mine", write(number).parent.parent)
    network = build_network(card, seed=1)  # another seed's weights stand for trained ones
    state = {key: value + 0.01 for key, value in network.state_dict().items()}
    path = tmp_path / card.weights.file.split("/")[-1]
    if path.suffix == ".safetensors":
        own = {f"backbone.{key}": value for key, value in state.items()}
        save_file(own | {"head.weight": torch.ones(2)}, path)
    else:
        torch.save({"state_dict": state}, path)
    encoder = build(card, path)
    view = encoder.view
    volumes = torch.randn(2, *([2] if view.kind == "slices" else []), *view.size)
    out = encoder.read(volumes)
    assert out.embedding.shape == (2, dim)
    assert set(out.layers) == {"early", "mid", "late"}


@pytest.mark.parametrize("number", [0, 1, 2], ids=["timm", "monai", "class"])
def test_the_contract_of_ones_own(number, write, root):
    mine = str(write(number))
    command = [sys.executable, "-m", "pytest", "--encoder", mine, "-q", "tests/encoders"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert re.search(r"^1[0-9] passed", done.stdout, re.MULTILINE)


def test_every_card_is_in_the_table(root):
    text = (root / "docs" / "encoders.md").read_text()
    for path in (root / "config" / "encoders").glob("*.yaml"):
        assert f"`{yaml.safe_load(path.read_text())['name']}`" in text
