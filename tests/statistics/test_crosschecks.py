import numpy as np
import pytest
from scipy import stats

from braindino.settings.statistics import Statistics
from braindino.statistics.comparisons import comparisons
from braindino.statistics.crosschecks import (
    delong,
    detectable,
    effect_size,
    paired_effect,
    signed_rank,
)
from braindino.statistics.metrics import metrics
from braindino.statistics.multiplicity import bonferroni

POSITIVE = np.array([True, True, False, False])


def test_delong_by_hand():
    reference, rival = np.array([[3, 1, 2, 0.0]]), np.array([[1, 1, 2, 0.0]])
    # Placements differ by (-1/2, 0) in both classes: mean -1/4, variance 1/16 + 1/16.
    assert delong(POSITIVE, reference, rival) == pytest.approx(2 * stats.norm.sf(0.25 / 0.125**0.5))
    assert delong(POSITIVE, reference, reference) == 1.0
    assert np.isnan(delong(np.array([True, False, False, False]), reference, rival))


def test_delong_is_near_the_bootstrap(rng):
    positive = rng.random(400) < 0.5
    scores = positive + rng.normal(0, 1.5, (2, 3, 400))  # of both encoders, three seeds
    rows = [rng.integers(0, 400, 400) for _ in range(1500)]

    def auc(score, draw):
        won = score[draw][positive[draw]][:, None] > score[draw][~positive[draw]]
        return won.mean()

    drawn = [np.mean([auc(b, r) - auc(a, r) for a, b in zip(*scores, strict=True)]) for r in rows]
    seen = np.mean(
        [auc(b, np.arange(400)) - auc(a, np.arange(400)) for a, b in zip(*scores, strict=True)]
    )
    z = abs(seen) / np.std(drawn)
    assert delong(positive, *scores) == pytest.approx(2 * stats.norm.sf(z), abs=0.05)


def test_signed_ranks_by_hand():
    reference = np.zeros((2, 6))
    rival = np.array([[1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 0.0]])
    # Six differences of one sign: p = 2 / 2**6; the other seed has none. Two seeds.
    assert signed_rank(reference, rival) == pytest.approx(2 * 2 / 2**6)


def test_bonferroni_by_hand():
    assert bonferroni([0.02, 0.5, np.nan]) == pytest.approx(0.04)
    assert bonferroni([0.6, 0.7]) == 1.0
    assert np.isnan(bonferroni([np.nan]))


def test_effect_sizes_by_hand():
    assert effect_size("accuracy", 0.5, 0.75) == pytest.approx(np.pi / 6)  # Cohen's h
    shifted = stats.norm.cdf(0.8 / 2**0.5)  # the AUC of two normals 0.8 SD apart
    assert effect_size("macro_auc", 0.5, shifted) == pytest.approx(0.8)
    assert np.isfinite(effect_size("macro_auc", 0.5, 1.0))
    assert np.isnan(effect_size("ece", 0.1, 0.2))
    assert paired_effect(np.array([1.0, 2, 3])) == pytest.approx(2.0)
    assert np.isnan(paired_effect(np.ones(3)))


def test_power_is_what_it_says(rng):
    """A true difference of the detectable size is found four times out of five."""
    n, runs = 60, 4000
    difference = detectable(1 / n**0.5, 0.05)
    p = stats.ttest_1samp(rng.normal(difference, 1, (runs, n)), 0, axis=1).pvalue
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.03)


def test_comparisons_carry_the_checks(
    class_predictions, regression_predictions, sequence, age, protocol
):
    binary = sequence.model_copy(update={"classes": ["a", "b"]})
    frame = class_predictions({"braindino": 2.0, "dinov3": 0.2}, ratios=(1.0,), subjects=30)
    frame = frame[frame["target"] < 2].copy()
    frame["subject"] = frame["volume_id"]  # one scan a subject
    table = comparisons(frame, binary, protocol).set_index("metric")
    assert table.loc["macro_auc", "p_delong"] < 0.05 and table.loc["macro_auc", "p_wilcoxon"] < 0.05
    assert table["p_delong"].notna().sum() == 1
    assert table.loc["macro_auc", "effect_size"] < 0 < table.loc["macro_auc", "detectable"]
    frame = regression_predictions({"braindino": (0, 2), "dinov3": (0, 9)}, ratios=(1.0,))
    (row,) = comparisons(frame, age, protocol).to_dict("records")
    assert row["p_wilcoxon"] < 0.05 and row["effect_size"] > 0.5 and np.isnan(row["p_delong"])


def test_splits_can_be_pooled_as_section_4_7_has_it(class_predictions, sequence):
    frame = class_predictions({"braindino": 1.5, "dinov3": 0.5}, ratios=(1.0,))
    frame["fold"] = frame["subject"].str[1:].astype(int) % 5
    pooled = Statistics(bootstrap=200, splits="bootstrap")
    tested = comparisons(frame, sequence, pooled)
    assert set(tested["test"]) == {"paired bootstrap"}
    assert set(comparisons(frame, sequence, Statistics(bootstrap=200))["test"]) == {
        "paired t-test over splits"
    }
    scored = metrics(frame, sequence, pooled)
    assert set(scored["resamples"]) <= set(range(150, 201))  # of the bootstrap, not five folds
