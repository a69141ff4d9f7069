"""The recipes beside BrainDINO's."""

import pytest
import torch

from braindino.corpus.availability import availability
from braindino.errors import BadInput
from braindino.pretrain.backbone import Backbone
from braindino.settings.load import load_card, load_run, read_yaml

TINY = {"embed_dim": 48, "depth": 2, "num_heads": 3}


@pytest.fixture
def recipes(root):
    return [load_card("recipes", n, root / "config") for n in ("brainfound", "ssl_brain_images")]


@pytest.fixture
def make_run(root, tmp_path):
    """Return a function that loads a run on a folder that holds LONG579 alone."""

    def make(**changes):
        (tmp_path / "ds003604").mkdir(exist_ok=True)
        values = read_yaml(root / "config" / "config.yaml")
        values |= {"data_root": str(tmp_path), "weights_root": str(tmp_path)}
        return load_run(values | changes, [], root / "config", environment={})

    return make


def test_the_control_differs_in_its_start_alone(recipes):
    ours, control = (recipe.model_dump(exclude={"name", "title"}) for recipe in recipes)
    assert ours["model"].pop("init")["file"] == "dinov2/model.safetensors"
    assert control["model"].pop("init") == "random"
    assert ours == control


@torch.no_grad()
def test_the_exported_brainfound_takes_evaluation_slices(recipes):
    model = recipes[0].model
    vit = Backbone(model.architecture, model.arguments | TINY).vit.eval()
    tokens = vit.forward_features(torch.randn(1, 3, 256, 256))
    assert tokens.shape == (1, 1 + 19 * 19, 48)  # padded to 266 pixels


def test_a_recipe_without_its_start_is_absent_with_its_encoder(make_run):
    found = availability(make_run(recipe="brainfound"))
    row = found["recipe", "brainfound"]
    assert row.status == "absent"
    assert row.reason.startswith("dinov2/model.safetensors is not below weights_root; download")
    encoder = found["encoder", "braindino"]
    assert (encoder.status, encoder.reason) == ("absent", "recipe brainfound is absent")
    with pytest.raises(BadInput, match="strict"):
        availability(make_run(recipe="brainfound", strict=True))


def test_a_recipe_with_its_start_is_present(make_run, tmp_path):
    weights = tmp_path / "dinov2" / "model.safetensors"
    weights.parent.mkdir()
    weights.touch()
    found = availability(make_run(recipe="brainfound"))
    assert found["recipe", "brainfound"].reason == f"starts from {weights}"
    assert found["encoder", "braindino"].status == "present"


def test_a_recipe_from_random_weights_needs_nothing(make_run):
    found = availability(make_run(recipe="ssl_brain_images"))
    assert found["recipe", "ssl_brain_images"].reason == "starts from random weights"
    assert found["encoder", "braindino"].status == "present"
