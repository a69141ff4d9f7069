"""Tests hold their level, and intervals their coverage, on simulated data (about two minutes)."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from braindino.settings.statistics import Statistics
from braindino.statistics.bootstrap import percentile_interval, volume_weights
from braindino.statistics.crosschecks import delong
from braindino.statistics.folds import student_interval
from braindino.statistics.knn import knn_comparisons, knn_metrics
from braindino.statistics.paired import crossing_p
from braindino.statistics.scores import accuracy, auc, mae
from braindino.statistics.survival import survival_rows

pytestmark = pytest.mark.slow
RUNS, RESAMPLES, N = 1000, 400, 150
PROTOCOL = Statistics(bootstrap=RESAMPLES)


def level(p):
    return np.mean(np.asarray(p) < 0.05)


def classes(rng, n=N):
    """Half of each class, and the scores of two equally good encoders that agree in part."""
    positive = np.arange(n) % 2 == 0
    shared = rng.normal(size=n)
    return positive, [positive + 0.7 * shared + 0.7 * rng.normal(size=n) for _ in range(2)]


def weights(rng, n=N):
    return volume_weights(np.arange(n), RESAMPLES, rng)


def test_paired_bootstrap_of_auc(rng):
    p = []
    for _ in range(RUNS):
        positive, (a, b) = classes(rng)
        drawn = weights(rng)
        p.append(crossing_p(auc(positive, b, drawn) - auc(positive, a, drawn)))
    assert 0.03 <= level(p) <= 0.07


def test_delong(rng):
    def p():
        positive, scores = classes(rng)
        return delong(positive, *(score[None] for score in scores))

    assert 0.03 <= level([p() for _ in range(RUNS)]) <= 0.07


def test_paired_t_over_errors_and_over_splits(rng):
    for n in (40, 5):
        a, b = (np.abs(rng.normal(size=(4 * RUNS, n))) for _ in range(2))
        assert 0.03 <= level(stats.ttest_rel(a, b, axis=1).pvalue) <= 0.07


def test_sign_flips(rng):
    p = [
        stats.permutation_test(
            (rng.normal(size=40),), np.mean, permutation_type="samples", n_resamples=RESAMPLES,
            rng=rng,
        ).pvalue
        for _ in range(RUNS)
    ]  # fmt: skip
    assert 0.03 <= level(p) <= 0.07


def knn_frame(rng, encoder, n):
    target = np.arange(n) % 2
    right = rng.random(n) < 0.7
    names = [f"A/s{i}/1/T1w" for i in range(n)]
    return pd.DataFrame(
        {"task": "knn", "encoder": encoder, "k": 5, "subject": names, "volume_id": names,
         "target": target, "predicted": np.where(right, target, 1 - target)}
    )  # fmt: skip


def test_mcnemar(rng):
    p = []
    for _ in range(RUNS):
        frames = [knn_frame(rng, name, 600) for name in ("braindino", "dinov3")]
        p += [row["p"] for row in knn_comparisons(pd.concat(frames), PROTOCOL)]
    assert 0.03 <= level(p) <= 0.07  # exact, thus conservative, but not much with 250 discordant


def test_log_rank(rng):
    def p():
        frame = pd.DataFrame({"volume_id": range(100), "prediction": rng.normal(size=100)})
        frame["time"] = rng.exponential(400, 100)
        frame["event"] = (rng.random(100) < 0.7).astype(float)
        return next(iter(survival_rows(frame)))["value"]

    assert 0.03 <= level([p() for _ in range(RUNS)]) <= 0.07


def covered(intervals, truth):
    low, high = np.transpose(intervals)
    return np.mean((low <= truth) & (truth <= high))


def test_bootstrap_intervals_cover(rng):
    found = {"auc": [], "mae": [], "accuracy": []}
    for _ in range(RUNS):
        positive, (score, _) = classes(rng)
        drawn = weights(rng)
        found["auc"].append(percentile_interval(auc(positive, score, drawn), 0.05))
        error = mae(np.zeros(N), rng.normal(size=N), drawn)
        found["mae"].append(percentile_interval(error, 0.05))
        right = rng.random(N) < 0.7
        share = accuracy(np.zeros(N), np.stack([right, ~right], axis=1), drawn)
        found["accuracy"].append(percentile_interval(share, 0.05))
    truth = {
        "auc": stats.norm.cdf(1 / (2 * 0.98) ** 0.5),
        "mae": (2 / np.pi) ** 0.5,
        "accuracy": 0.7,
    }
    for name, intervals in found.items():
        assert 0.93 <= covered(intervals, truth[name]) <= 0.97, name


def test_stratified_bootstrap_of_knn_covers(rng):
    intervals = []
    for _ in range(RUNS):
        (row,) = knn_metrics(knn_frame(rng, "braindino", N), PROTOCOL)
        intervals.append((row["ci_low"], row["ci_high"]))
    assert 0.93 <= covered(intervals, 0.7) <= 0.97


def test_student_interval_covers(rng):
    intervals = [student_interval(rng.normal(0.8, 0.05, 5), 0.05) for _ in range(4 * RUNS)]
    assert 0.93 <= covered(intervals, 0.8) <= 0.97
