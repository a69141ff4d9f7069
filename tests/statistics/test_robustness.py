"""Metrics and tests under perturbation, against scikit-learn and the clean statistics."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from braindino.settings.statistics import Statistics
from braindino.statistics.robustness import (
    robustness_comparisons,
    robustness_metrics,
    whole_cases,
)

PROTOCOL = Statistics(bootstrap=200)
GRID = [("clean", "gibbs", 0.0), ("gibbs-0.2", "gibbs", 0.2), ("gibbs-0.4", "gibbs", 0.4),
        ("clean", "contrast", 1.0)]  # fmt: skip


@pytest.fixture
def predictions(rng):
    """Two encoders, the second worse, both losing by the perturbation; 60 scans, two splits."""
    target = rng.integers(0, 2, 60)
    frames = []
    for encoder, skill in (("braindino", 2.0), ("brainiac", 0.7)):
        for condition, kept in (("clean", 1.0), ("gibbs-0.2", 0.4), ("gibbs-0.4", 0.0)):
            score = 1 / (1 + np.exp(-skill * kept * (2 * target - 1) - rng.normal(size=60)))
            frames.append(
                pd.DataFrame(
                    {
                        "task": "dx", "encoder": encoder, "ratio": 1.0, "seed": 0,
                        "fold": np.arange(60) % 2, "subject": [f"s{n}" for n in range(60)],
                        "volume_id": [f"v{n}" for n in range(60)], "target": target,
                        "score_0": 1 - score, "score_1": score, "condition": condition,
                    }
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def card(task_card):
    values = {"kind": "classification", "target": "dx", "classes": ["a", "b"], "unit": ""}
    return task_card(name="dx", folds=2, **values)


def test_auc_is_that_of_the_pooled_splits(predictions, card):
    rows = robustness_metrics(predictions, card, PROTOCOL, GRID)
    auc = rows[rows["metric"] == "macro_auc"].set_index(["encoder", "perturbation", "severity"])
    for (encoder, condition), part in predictions.groupby(["encoder", "condition"]):
        severity = float(condition.rpartition("-")[2]) if condition != "clean" else 0.0
        expected = roc_auc_score(part["target"], part["score_1"])
        assert auc.loc[(encoder, "gibbs", severity), "value"] == pytest.approx(expected)
    assert (
        auc.loc[("braindino", "gibbs", 0.0), "value"]
        == auc.loc[("braindino", "contrast", 1.0), "value"]
    )


def test_degradation_is_relative_to_clean_and_positive_where_worse(predictions, card):
    rows = robustness_metrics(predictions, card, PROTOCOL, GRID).set_index("severity")
    ours = rows[(rows["encoder"] == "braindino") & (rows["perturbation"] == "gibbs")]
    auc, ece = (ours[ours["metric"] == name] for name in ("macro_auc", "ece"))
    np.testing.assert_allclose(auc["degradation"], auc["clean"] - auc["value"])
    np.testing.assert_allclose(ece["degradation"], ece["value"] - ece["clean"])
    assert auc.loc[0.0, "degradation"] == auc.loc[0.0, "degradation_high"] == 0
    assert auc.loc[0.4, "degradation"] > auc.loc[0.2, "degradation"] > 0
    assert auc.loc[0.4, "degradation_low"] > 0  # significant


def test_clean_is_scored_on_the_volumes_that_are_left(predictions, card):
    gone = (predictions["condition"] == "gibbs-0.4") & (predictions["volume_id"] < "v3")
    rows = robustness_metrics(predictions[~gone], card, PROTOCOL, GRID)
    row = rows[(rows["severity"] == 0.4) & (rows["metric"] == "macro_auc")].iloc[0]
    clean = predictions[(predictions["encoder"] == row["encoder"])
                        & (predictions["condition"] == "clean")
                        & (predictions["volume_id"] >= "v3")]  # fmt: skip
    assert row["n"] == len(clean) < 60
    assert row["clean"] == pytest.approx(roc_auc_score(clean["target"], clean["score_1"]))


def test_encoders_are_paired_with_the_reference_under_each_condition(predictions, card):
    tests = robustness_comparisons(predictions, card, PROTOCOL, GRID)
    auc = tests[tests["metric"] == "macro_auc"].set_index(["perturbation", "severity"])
    assert list(auc.index) == [row[1:] for row in GRID]
    assert set(auc["encoder"]) == {"brainiac"} and set(auc["test"]) == {"paired bootstrap"}
    scores = robustness_metrics(predictions, card, PROTOCOL, GRID).set_index(
        ["encoder", "metric", "perturbation", "severity"]
    )["value"]
    for place, row in auc.iterrows():
        expected = (
            scores["brainiac", "macro_auc", *place] - scores["braindino", "macro_auc", *place]
        )
        assert row["difference"] == pytest.approx(expected)
    assert auc.loc[("gibbs", 0.0), "p"] < 0.05 < auc.loc[("gibbs", 0.4), "p"]


def test_a_segmentation_has_the_mean_dice_of_its_regions(task_card, rng):
    card = task_card(name="seg", kind="segmentation", target="segmentation", unit="")
    rows = [
        {"task": "seg", "encoder": encoder, "ratio": 1.0, "seed": 0, "fold": 0, "subject": f"s{n}",
         "volume_id": f"v{n}", "region": region, "dice": base - lost + 0.1 * rng.random(),
         "hd95": 3.0, "lesion_dice": 0.5, "condition": condition}
        for encoder, base in (("braindino", 0.9), ("brainiac", 0.7))
        for condition, lost in (("clean", 0.0), ("gibbs-0.2", 0.1), ("gibbs-0.4", 0.4))
        for n in range(12)
        for region in ("wt", "tc", "et")
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    cases = whole_cases(table, card)
    scores = robustness_metrics(cases, card, PROTOCOL, GRID)
    mean = scores[(scores["metric"] == "mean_dice") & (scores["perturbation"] == "gibbs")]
    mean = mean.set_index(["encoder", "severity"])
    for encoder in ("braindino", "brainiac"):
        own = table[(table["encoder"] == encoder) & (table["condition"] == "gibbs-0.4")]
        row = mean.loc[(encoder, 0.4)]
        assert row["value"] == pytest.approx(own["dice"].mean())
        assert row["degradation"] == pytest.approx(0.4, abs=0.05) and row["degradation_low"] > 0.3
    tests = robustness_comparisons(cases, card, PROTOCOL, GRID)
    assert {"dice_wt", "dice_tc", "dice_et"} <= set(tests["metric"])
