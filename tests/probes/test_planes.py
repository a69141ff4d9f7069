"""Heads on features of other planes."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from braindino.corpus.splits import split_subjects
from braindino.corpus.subsets import label_subsets
from braindino.files import write_table
from braindino.probes.planes import plane_probes
from braindino.probes.probe import label_draws, probe
from braindino.probes.samples import read_samples
from braindino.settings.probes import Probes
from braindino.settings.statistics import Statistics
from braindino.statistics.supplement import supplement_metrics

PROTOCOL = Probes(hidden=16, learning_rate=3e-3, epoch_steps=20, leave_out=[])


@pytest.fixture
def task(classes, cohort, tmp_path):
    """Return a card, its split and subsets, and files of features: sagittal ones know the class."""
    card, files = classes(), []
    for plane, signal in (("sagittal", 1.0), ("coronal", 0.0)):
        volumes, features = cohort(card, n=90, signal=signal)
        table = pd.DataFrame({"volume_id": volumes["volume_id"], "feature": list(features)})
        files.append(tmp_path / plane / "lab.parquet")
        write_table(table.assign(patch_mean=table["feature"]), files[-1])
    split = split_subjects(card, volumes, {}, 3, seed=0)
    return card, split, label_subsets(card, split, [0.5, 1.0], 2, 3, seed=0), files


def test_each_plane_has_heads_of_its_own(task):
    card, split, subsets, files = task
    made = plane_probes(card, "enc", split, files, subsets, PROTOCOL, 3, 0)
    auc = {p: roc_auc_score(f["target"], f["score_1"]) for p, f in made.groupby("probe")}
    assert list(made["probe"].unique()) == ["sagittal", "coronal"]
    assert auc["sagittal"] > 0.95 > 0.8 > auc["coronal"]
    test = split[split["split"] == "test"]
    assert len(made) == 2 * len(test)
    assert set(made["ratio"]) == {1.0}


def test_a_plane_differs_from_the_axial_head_by_its_features_alone(task):
    card, split, subsets, files = task
    made = plane_probes(card, "enc", split, files[:1], subsets, PROTOCOL, 3, 0)
    samples = read_samples(card, split, files[:1], PROTOCOL, 0)
    draws, _ = label_draws(card, samples.table, subsets, PROTOCOL, 3, 0)
    axial = probe(card, "enc", samples, draws, PROTOCOL, 0)
    axial = axial[(axial["ratio"] == 1.0) & (axial["seed"] == 0)].reset_index(drop=True)
    np.testing.assert_allclose(made["score_1"], axial["score_1"], atol=1e-6)


def test_the_statistics_name_the_plane(task):
    card, split, subsets, files = task
    made = plane_probes(card, "enc", split, files, subsets, PROTOCOL, 3, 0)
    rows = supplement_metrics(made, card, Statistics(bootstrap=50), 0)
    assert {"sagittal", "coronal"} <= set(rows["stratum"])


def test_without_planes_there_is_nothing(task):
    card, split, subsets, _ = task
    assert plane_probes(card, "enc", split, [], subsets, PROTOCOL, 3, 0).empty
