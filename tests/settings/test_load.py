import shutil

import pytest
import yaml

from braindino.errors import BadInput
from braindino.settings.load import load_card, load_run


@pytest.fixture
def folder(tmp_path, root):
    return shutil.copytree(root / "config", tmp_path / "config")


def load(folder, **changes):
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(changes))
    values = yaml.safe_load((folder / "config.yaml").read_text()) | changes
    return load_run(values, [folder / "config.yaml", file], folder, environment={})


def message(folder, **changes):
    with pytest.raises(BadInput) as error:
        load(folder, **changes)
    text = str(error.value)
    assert "\n" not in text
    return text


def test_the_papers_configuration_is_valid(folder):
    run = load(folder)
    assert run.config.imaging.shape == (256, 256, 256)
    assert run.recipe.model.prototypes == 65536
    assert len(run.datasets) == 31
    assert {"age", "sequence", "cls_ppmi", "survival_km", "seg_brats2021"} <= set(run.tasks)


def test_unknown_key_names_file_key_and_mend(folder):
    text = message(folder, imaging={"slcies": 64})
    assert "mine.yaml" in text
    assert "'imaging.slcies'" in text
    assert "did you mean 'slices'" in text


def test_wrong_type_names_the_key_and_the_value(folder):
    text = message(folder, probes={"epochs": "many"})
    assert "'probes.epochs'" in text
    assert "'many'" in text


def test_card_that_is_not_there(folder):
    text = message(folder, datasets=["IXII"])
    assert "IXII.yaml" in text
    assert "did you mean 'IXI'" in text


def test_task_whose_cohort_is_not_listed(folder):
    text = message(folder, datasets=["IXI", "LONG579"], tasks=["age"])
    assert "Pixar" in text


def test_override_changes_one_key_of_a_card(folder):
    card = load_card("tasks", "age", folder, {"test_fraction": 0.5})
    assert card.test_fraction == 0.5
    assert card.title == "Brain age"


def test_misspelt_card_key_names_the_card(folder):
    path = folder / "tasks" / "age.yaml"
    path.write_text(path.read_text().replace("target:", "traget:"))
    with pytest.raises(BadInput, match=r"age\.yaml: unknown key 'traget'; did you mean 'target'"):
        load_card("tasks", "age", folder)


def test_misspelt_key_of_a_recipes_weights_is_known(folder):
    init = {"fiel": "dinov2.pth", "how_to_get": "ask"}
    with pytest.raises(BadInput, match=r"unknown key 'model\.init.*did you mean 'file'"):
        load_card("recipes", "braindino", folder, {"model": {"init": init}})


def test_broken_yaml_names_the_line(folder):
    path = folder / "tasks" / "age.yaml"
    path.write_text("name: age\n  title: [unclosed\n")
    with pytest.raises(BadInput, match=r"age\.yaml: not valid YAML at line \d+"):
        load_card("tasks", "age", folder)


def test_data_root_from_the_environment(folder):
    values = yaml.safe_load((folder / "config.yaml").read_text())
    run = load_run(values, [], folder, environment={"BRAINDINO_DATA": "/scans"})
    assert run.config.data_root == "/scans"


def test_every_card_in_the_repository_is_valid(root):
    for kind in ("datasets", "tasks", "encoders", "recipes"):
        for path in (root / "config" / kind).glob("*.yaml"):
            assert load_card(kind, path.stem, root / "config").name == path.stem
