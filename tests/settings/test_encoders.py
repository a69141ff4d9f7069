"""Encoder cards: what is asked of them, their two presets, and the untrained control of each."""

import shutil

import pytest

from braindino.corpus.availability import availability
from braindino.errors import BadInput
from braindino.settings.load import load_card, load_run, read_yaml


@pytest.fixture
def load(root):
    """Return a function that loads a run of some encoders."""

    def load(*encoders, **changes):
        values = read_yaml(root / "config" / "config.yaml")
        values |= {"datasets": [], "tasks": [], "encoders": ["braindino", *encoders]} | changes
        return load_run(values, [], root / "config", environment={})

    return load


def test_every_encoder_has_an_untrained_control(load):
    run = load("random_brainmvp", "random_braindino", recipe="tiny")
    control, trained = run.encoders["random_brainmvp"], load("brainmvp").encoders["brainmvp"]
    assert control.arguments == trained.arguments
    assert control.input == trained.input
    assert control.pretrained_on == []
    assert "untrained" in control.title
    own = run.encoders["random_braindino"]
    assert (own.source, own.architecture) == ("timm", run.recipe.model.architecture)
    found = availability(run)
    assert {found["encoder", n].status for n in (control.name, own.name)} == {"untrained"}


@pytest.mark.parametrize(("recipe", "neighbours"), [("tiny", False), ("brainfound", True)])
def test_the_control_is_fed_as_its_encoder_is_trained(recipe, neighbours, load):
    native = load("random_braindino", recipe=recipe).encoders["random_braindino"].input.native
    assert native.neighbours == neighbours


def test_a_control_of_nothing(load):
    with pytest.raises(BadInput, match=r"no card .*brainmvq\.yaml; did you mean 'brainmvp'"):
        load("random_brainmvq")


def test_random_weights_stay_random_where_the_weights_are_there(load, tmp_path):
    (tmp_path / "brainmvp").mkdir()
    (tmp_path / "brainmvp" / "BrainMVP_uniformer.pt").touch()
    run = load("brainmvp", "random_brainmvp", "intensity", weights_root=str(tmp_path))
    found = {
        name: row.status for (kind, name), row in availability(run).items() if kind == "encoder"
    }
    assert found["brainmvp"] == "present"
    assert found["random_brainmvp"] == "untrained"
    assert found["intensity"] == "present"


def test_an_absent_file_says_how_to_get_it(load):
    row = availability(load("brainiac"))["encoder", "brainiac"]
    assert row.status == "absent"
    assert "braindino.encoders.convert BrainIAC.ckpt" in row.reason


def test_what_cannot_be_an_encoder_says_why(load):
    row = availability(load("genbrain"))["encoder", "genbrain"]
    assert (row.status, row.usable) == ("absent", False)
    assert "cannot be an encoder" in row.reason


def test_the_papers_preset_is_the_released_evaluations(root):
    for name in ("brainmvp", "bm_mae", "brainiac"):
        views = load_card("encoders", name, root / "config").input
        assert views.view("native").axcodes in ("RAS", "LPS")
        assert views.view("paper").axcodes == "SRA"
        assert views.view("paper").percentiles == (1, 99)
    dinov3 = load_card("encoders", "dinov3", root / "config").input
    assert dinov3.view("native").std == (0.229, 0.224, 0.225)
    assert dinov3.view("paper").std is None
    own = load_card("encoders", "braindino", root / "config").input
    assert own.view("paper") == own.view("native")


@pytest.mark.parametrize(
    ("line", "mend", "message"),
    [
        ("source: python", "source: none\nnote: ''", "'note' that says why"),
        ("architecture: mine.Net", "", "needs 'architecture' and 'input'"),
        ("source: python", "source: timm", "needs 'weights', or 'untrained: true'"),
        ("kind: slices", "kind: sagittal", "'input.native'"),
        ("title: Mine", "titel: Mine", "unknown key 'titel'; did you mean 'title'"),
    ],
)
def test_mistake_in_a_card(line, mend, message, root, tmp_path):
    folder = tmp_path / "config" / "encoders"
    shutil.copytree(root / "config" / "encoders", folder)
    text = """
name: mine
title: Mine
citation: none
licence: MIT
access: none
source: python
architecture: mine.Net
input:
  native:
    kind: slices
    source: mine
"""
    (folder / "mine.yaml").write_text(text)
    assert load_card("encoders", "mine", folder.parent).name == "mine"
    (folder / "mine.yaml").write_text(text.replace(line, mend))
    with pytest.raises(BadInput, match=r"mine\.yaml.*" + message):
        load_card("encoders", "mine", folder.parent)
