"""A training of seconds inside nnU-Net: frozen bytes, nested shares, going on, predicting."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from braindino import segmentation
from braindino.encoders.build import build_network
from braindino.segmentation.cases import list_cases
from braindino.segmentation.dataset import write_raw, write_split
from braindino.segmentation.environment import nnunet_environment
from braindino.segmentation.evaluation import score_cases
from braindino.segmentation.names import checkpoint_file, configuration_of, model_name
from braindino.segmentation.plans import write_plan
from braindino.segmentation.prediction import predict
from braindino.segmentation.preprocess import preprocess
from braindino.segmentation.training import train
from braindino.settings.segmentation import Segmentation

CPU, DATA = torch.device("cpu"), "Dataset137_BraTS2021"
SHORT = Segmentation(
    ratios=[0.5, 1.0],
    epochs=2,
    iterations=3,
    validation_iterations=1,
    batch_2d=2,
    batch_3d=1,
    learning_rate=1e-3,
    mirroring=False,
)


@pytest.fixture(scope="module")
def root(cohort, task, regions, tmp_path_factory):
    """A preprocessed data set in nnU-Net's folders."""
    folder = tmp_path_factory.mktemp("nnunet")
    before = dict(os.environ)
    nnunet_environment(folder, 1)
    manifest, split = cohort
    cases = list_cases(split, manifest)
    write_raw(task, cases, regions, folder / "raw" / DATA)
    preprocess(task.nnunet_id, folder / "preprocessed" / DATA)
    train_subjects = cases.loc[cases["split"] == "train", "subject"].tolist()
    subsets = pd.DataFrame(
        [(r, 0, 0, s) for r in SHORT.ratios for s in train_subjects[: round(4 * r)]],
        columns=["ratio", "seed", "fold", "subject"],
    )
    write_split(cases, subsets, SHORT.ratios, folder / "preprocessed" / DATA)
    nnunet_environment(folder)
    yield folder
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="module")
def fit(root, tiny):
    """Return a function that trains an encoder and returns the folder of its network."""

    def fit(name, ratio=1.0, protocol=SHORT, key="", frozen=True):
        card, folder = tiny(name), root / "preprocessed" / DATA
        plan = write_plan(folder, card, None, ratio, protocol, 0, frozen, key)
        suffix = "" if frozen else "_full_ft"
        model = root / "results" / DATA / model_name(card, ratio, suffix)
        train(DATA, configuration_of(card), plan, folder, model, CPU)
        return model

    return fit


def weights_of(model):
    state = torch.load(checkpoint_file(model), weights_only=False)
    return state["network_weights"], state


@pytest.fixture(scope="module")
def model(fit):
    return fit("braindino")


def test_the_encoder_is_byte_for_byte_what_it_was(model, tiny):
    trained, _ = weights_of(model)
    card = tiny("braindino")
    before = build_network(card, 0).state_dict()
    for key, value in before.items():
        assert torch.equal(trained[f"encoder.{key}"], value), key
    fusion = trained["fusion.weight"]
    assert not torch.equal(fusion, torch.full_like(fusion, 0.25))


def test_full_fine_tuning_moves_the_encoder(fit, tiny):
    trained, _ = weights_of(fit("braindino", frozen=False))
    before = build_network(tiny("braindino"), 0).state_dict()
    moved = [k for k, v in before.items() if not torch.equal(trained[f"encoder.{k}"], v)]
    assert "blocks.0.mlp.fc1.weight" in moved


def test_a_3d_network_trains(fit):
    _, state = weights_of(fit("brainmvp"))
    assert state["current_epoch"] == SHORT.epochs
    assert np.isfinite(state["logging"]["train_losses"]).all()


def test_a_training_that_was_killed_goes_on_to_the_same_end(fit, model, monkeypatch):
    """Kill it in its second epoch; the next one starts there, and ends with the same weights."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    whole, _ = weights_of(model)
    shutil.rmtree(model)
    step = nnUNetTrainer.train_step

    def dying(self, batch):
        if self.current_epoch == 1:
            raise KeyboardInterrupt
        return step(self, batch)

    with monkeypatch.context() as patch:
        patch.setattr(nnUNetTrainer, "train_step", dying)
        with pytest.raises(KeyboardInterrupt):
            fit("braindino")
    assert checkpoint_file(model, "latest").is_file()
    again, state = weights_of(fit("braindino"))
    assert len(state["logging"]["train_losses"]) == SHORT.epochs
    for key, value in whole.items():
        assert torch.equal(again[key], value), key


def test_other_settings_start_anew(fit):
    first = fit("braindino", ratio=0.5)
    before = checkpoint_file(first).stat().st_mtime_ns
    assert checkpoint_file(fit("braindino", ratio=0.5)).stat().st_mtime_ns == before
    assert checkpoint_file(fit("braindino", ratio=0.5, key="b")).stat().st_mtime_ns > before


def test_a_share_sees_no_other_case(root, fit, monkeypatch):
    from nnunetv2.training.nnUNetTrainer import nnUNetTrainer as module

    seen = []
    loader = module.nnUNetDataLoader

    def spy(data, *args, **kwargs):
        seen.append(list(data.identifiers))
        return loader(data, *args, **kwargs)

    monkeypatch.setattr(module, "nnUNetDataLoader", spy)
    fit("braindino", ratio=0.5, key="share")
    training, validation = seen
    fold = json.loads((root / "preprocessed" / DATA / "splits_final.json").read_text())[0]
    assert len(training) == 2
    assert set(training) < set(fold["train"])
    assert validation == fold["val"]


def test_predictions_lie_on_the_grid_of_the_scans(root, model, task, cohort, regions, tmp_path):
    manifest, split = cohort
    cases = list_cases(split, manifest).query("split == 'test'")
    images = root / "raw" / DATA / "imagesTr"
    predict(model, images, list(cases["case"]), tmp_path, SHORT, CPU)
    label = nib.load(cases["label"].iloc[0])
    made = nib.load(tmp_path / f"{cases['case'].iloc[0]}.nii.gz")
    assert made.shape == label.shape
    assert np.allclose(made.affine, label.affine)
    table = score_cases(task, "braindino", 1.0, cases, tmp_path, regions)
    assert len(table) == 2 * 3
    assert table["dice"].between(0, 1).all()


@pytest.mark.slow  # 20 s: a program of its own, with its processes
def test_nnunets_own_command_predicts_alike(root, model, tmp_path):
    source, out, ours = tmp_path / "in", tmp_path / "out", tmp_path / "ours"
    source.mkdir()
    case = "BraTS2021_00000-1"
    for path in (root / "raw" / DATA / "imagesTr").glob(f"{case}_*.nii.gz"):
        shutil.copy(path, source)
    predict(model, source, [case], ours, SHORT, CPU)
    shutil.copytree(model, tmp_path / "sent" / DATA / model.name)  # and nothing else of ours
    command = [
        *(str(Path(sys.executable).with_name("nnUNetv2_predict")), "-d", DATA, "-i", source),
        *("-o", out, "-tr", "BrainDINOTrainer", "-p", "braindino_100", "-c", "2d", "-f", "0"),
        *("-device", "cpu", "--disable_tta", "-npp", "1", "-nps", "1"),
    ]
    environment = os.environ | {
        "nnUNet_results": str(tmp_path / "sent"),
        "PYTHONPATH": str(Path(segmentation.__file__).parents[2]),
    }
    subprocess.run(list(map(str, command)), check=True, env=environment, capture_output=True)
    theirs, own = (np.asanyarray(nib.load(f / f"{case}.nii.gz").dataobj) for f in (out, ours))
    assert np.array_equal(theirs, own)
