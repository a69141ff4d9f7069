import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from braindino.corpus.splits import split_subjects
from braindino.corpus.subsets import label_subsets
from braindino.errors import BadInput
from braindino.probes.head import Heads
from braindino.probes.probe import probe
from braindino.probes.train import sample_losses, train_heads
from braindino.settings.probes import Probes

PROTOCOL = Probes(hidden=16, learning_rate=3e-3, steps=200, patience=60)


def generators(count):
    return [torch.Generator().manual_seed(n) for n in range(count)]


def masks(heads, n, seed=0):
    fit = torch.rand(heads, n, generator=torch.Generator().manual_seed(seed)) < 0.6
    return fit, ~fit


def test_head_is_layernorm_linear_gelu_linear():
    heads = Heads(3, 12, 16, 4, generators(3))
    alone = nn.Sequential(nn.LayerNorm(12), nn.Linear(12, 16), nn.GELU(), nn.Linear(16, 4))
    with torch.no_grad():
        alone[1].weight.copy_(heads.weight1[1].T)
        alone[1].bias.copy_(heads.bias1[1, 0])
        alone[3].weight.copy_(heads.weight2[1].T)
        alone[3].bias.copy_(heads.bias2[1, 0])
    features = torch.randn(5, 12)
    torch.testing.assert_close(heads(features)[1], alone(features))


@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_batched_heads_learn_what_each_would_alone(kind):
    features = torch.randn(40, 12, generator=torch.Generator().manual_seed(5))
    targets = features[:, 0] if kind == "regression" else (features[:, 0] > 0).long()
    outputs = 1 if kind == "regression" else 2
    targets = targets.expand(4, -1)
    fit, validate = masks(4, 40)
    together = train_heads(features, targets, fit, validate, kind, outputs, PROTOCOL, generators(4))
    for n in range(4):
        one = slice(n, n + 1)
        alone = train_heads(
            features,
            targets[one],
            fit[one],
            validate[one],
            kind,
            outputs,
            PROTOCOL,
            generators(4)[one],
        )
        torch.testing.assert_close(together(features)[n], alone(features)[0], atol=1e-4, rtol=1e-3)


def test_training_keeps_the_step_with_the_best_validation_loss():
    features = torch.randn(30, 12, generator=torch.Generator().manual_seed(1))
    noise = torch.randn(1, 30, generator=torch.Generator().manual_seed(2))
    fit, validate = masks(1, 30)
    trained = train_heads(features, noise, fit, validate, "regression", 1, PROTOCOL, generators(1))
    fresh = Heads(1, 12, 16, 1, generators(1))
    with torch.no_grad():
        losses = [sample_losses(h(features), noise, "regression") for h in (trained, fresh)]
    # Step 0 is a candidate: on pure noise nothing may end worse than where it began.
    assert losses[0][validate].mean() <= losses[1][validate].mean()


@pytest.fixture
def cohort(rng):
    n = 60
    subjects = [f"lab/{i:02d}" for i in range(n)]
    age = rng.uniform(20, 80, n)
    features = rng.normal(size=(n, 12)).astype(np.float32)
    features[:, 0] = (age - 50) / 10
    volumes = pd.DataFrame(
        {
            "task": "age",
            "subject": subjects,
            "session": "1",
            "volume_id": [f"{s}/1/T1w" for s in subjects],
            "dataset": "lab",
            "modality": "T1w",
            "target": age,
        }
    )
    return volumes, features


def run(card, cohort, keep=slice(None)):
    volumes, features = cohort
    split = split_subjects(card, volumes, {}, 3, seed=0)
    subsets = label_subsets(card, split, [0.5, 1.0], 2, 3, seed=0)
    ids = list(volumes["volume_id"])[keep]
    return probe(card, "enc", ids, features[keep], split, subsets, PROTOCOL, 3, seed=0), split


def test_predictions_of_every_ratio_and_seed_on_the_test_set(task_card, cohort):
    predictions, split = run(task_card(), cohort)
    test = split[split["split"] == "test"]
    assert len(predictions) == 2 * 2 * len(test)
    assert set(predictions["volume_id"]) == set(test["volume_id"])
    assert list(predictions.columns) == [
        *("task", "encoder", "ratio", "seed", "fold", "subject", "volume_id", "target"),
        "prediction",
    ]
    error = (predictions["prediction"] - predictions["target"]).abs().mean()
    spread = (test["target"] - test["target"].mean()).abs().mean()
    assert error < spread / 2


def test_classification_scores_are_probabilities(task_card, cohort):
    volumes, features = cohort
    card = task_card(kind="classification", classes=["young", "old"], unit="")
    old = volumes.assign(target=(volumes["target"] > 50).astype(float))
    predictions, _ = run(card, (old, features))
    scores = predictions[["score_0", "score_1"]].to_numpy()
    np.testing.assert_allclose(scores.sum(1), 1)
    assert (scores.argmax(1) == predictions["target"]).mean() > 0.8


def test_same_inputs_same_predictions(task_card, cohort):
    pd.testing.assert_frame_equal(run(task_card(), cohort)[0], run(task_card(), cohort)[0])


def test_test_targets_cannot_influence_predictions(task_card, cohort):
    volumes, features = cohort
    predictions, split = run(task_card(), cohort)
    test = split.loc[split["split"] == "test", "volume_id"]
    split.loc[split["split"] == "test", "target"] = 999.0
    subsets = label_subsets(task_card(), split, [0.5, 1.0], 2, 3, seed=0)
    ids = list(volumes["volume_id"])
    changed = probe(task_card(), "enc", ids, features, split, subsets, PROTOCOL, 3, seed=0)
    assert (changed["target"] == 999).sum() == 4 * len(test)
    pd.testing.assert_series_equal(predictions["prediction"], changed["prediction"])


def test_no_volume_left_is_said(task_card, cohort):
    with pytest.raises(BadInput, match=r"0 training subjects and 0 test volumes"):
        run(task_card(), cohort, keep=slice(0))
