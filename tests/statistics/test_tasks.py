"""Survival, folds, strata, calibration and kNN, against other libraries or by hand."""

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.datasets import load_gbsg2, load_rossi, load_waltons
from lifelines.statistics import logrank_test
from lifelines.utils import concordance_index
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import roc_auc_score

from braindino.statistics.comparisons import comparisons
from braindino.statistics.curves import curves, reliability
from braindino.statistics.knn import knn_comparisons, knn_metrics
from braindino.statistics.metrics import metrics
from braindino.statistics.scores import c_index, ece
from braindino.statistics.strata import stratum_names


@pytest.fixture(scope="module")
def km(age):
    values = age.model_dump() | {"name": "km", "kind": "survival", "target": "days"}
    return type(age)(**values | {"event": "dead", "unit": "days"})


def survival_frame(time, event, risk, encoder="braindino"):
    ids = [f"s{n:04d}" for n in range(len(time))]
    columns = {"subject": ids, "volume_id": ids, "time": time, "event": event, "prediction": risk}
    same = {"task": "km", "encoder": encoder, "ratio": 1.0, "seed": 0, "fold": 0}
    return pd.DataFrame(same | columns)


@pytest.mark.parametrize("decimals", [0, 6])
def test_c_index_is_that_of_lifelines(decimals):
    """With ties of times, of risks and of both, weighted as a resample is."""
    rng = np.random.default_rng(0)
    rossi, cancer = load_rossi(), load_gbsg2()
    for time, event in ((rossi.week, rossi.arrest), (cancer.time, cancer.cens)):
        risk = rng.normal(size=len(time)).round(decimals)
        target = np.stack([time, event], axis=1).astype(float)
        drawn = rng.integers(0, len(time), len(time))
        weights = np.stack([np.ones(len(time)), np.bincount(drawn, minlength=len(time))], axis=1)
        ours = c_index(target, risk, weights)
        assert ours[0] == pytest.approx(concordance_index(time, -risk, event))
        again = concordance_index(target[drawn, 0], -risk[drawn], target[drawn, 1])
        assert ours[1] == pytest.approx(again)


def test_all_censored_has_no_c_index(km, protocol):
    frame = survival_frame([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [1.0, 0.0, 0.0])
    table = metrics(frame, km, protocol).set_index("metric")
    assert np.isnan(table.value["c_index"])
    both = pd.concat([frame, frame.assign(encoder="dinov3")])
    assert set(comparisons(both, km, protocol).note) == {
        "no pair of test subjects can be ordered: too few events"
    }


def test_risk_groups_on_the_example_data_of_lifelines(km, protocol):
    data = load_waltons()
    first = data.group == data.group.iloc[0]
    frame = survival_frame(data["T"], data["E"], np.where(first, 1.0, -1.0))
    table = metrics(frame, km, protocol).set_index(["metric", "stratum"])["value"]
    test = logrank_test(data["T"][first], data["T"][~first], data["E"][first], data["E"][~first])
    assert table["logrank_p", "all"] == pytest.approx(test.p_value)
    fit = KaplanMeierFitter().fit(data["T"][first], data["E"][first])
    assert table["median_survival_days", "high_risk"] == fit.median_survival_time_
    curve = curves(frame, km).query("curve == 'kaplan_meier high_risk'")
    expected = fit.survival_function_.iloc[:, 0].to_numpy()
    np.testing.assert_allclose(curve.y, expected)
    np.testing.assert_allclose(curve.n, fit.event_table["at_risk"])


def test_risk_groups_average_the_label_seeds(km, protocol):
    frame = survival_frame([1.0, 2.0, 8.0, 9.0], [1.0] * 4, [3.0, 1.0, -1.0, -1.0])
    other = frame.assign(
        seed=1, prediction=[-1.0, 1.0, 0.5, -1.0]
    )  # the second vote of s0002 loses
    table = metrics(pd.concat([frame, other]), km, protocol)
    medians = table[table.metric == "median_survival_days"].set_index("stratum")["n"]
    assert medians.to_dict() == {"low_risk": 2, "high_risk": 2}


def fold_frame(class_predictions, encoders, folds=5):
    frame = class_predictions(encoders, ratios=(1.0,), seeds=2)
    parts = []
    for fold in range(folds):
        rng = np.random.default_rng(fold)
        chosen = rng.choice(frame.subject.unique(), 12, replace=False)
        part = frame[frame.subject.isin(chosen)].assign(fold=fold)
        scores = part.filter(like="score_") + rng.uniform(0, 0.3, (len(part), 4)).round(3)
        parts.append(part.assign(**scores.div(scores.sum(axis=1), axis=0)))
    return pd.concat(parts, ignore_index=True)


def test_folds_are_averaged_with_a_student_interval(class_predictions, sequence, protocol):
    frame = fold_frame(class_predictions, {"braindino": 2.0, "dinov3": 1.5})
    scores = ["score_0", "score_1", "score_2", "score_3"]

    def aucs(encoder):
        part = frame[frame.encoder == encoder]
        by = [
            [
                roc_auc_score(one.target, one[scores], multi_class="ovr")
                for _, one in fold.groupby("seed")
            ]
            for _, fold in part.groupby("fold")
        ]
        return np.mean(by, axis=1)

    table = metrics(frame, sequence, protocol).query("metric == 'macro_auc'")
    row = table[table.encoder == "braindino"].iloc[0]
    ours = aucs("braindino")
    assert row.value == pytest.approx(ours.mean())
    interval = stats.t.interval(0.95, 4, ours.mean(), stats.sem(ours))
    np.testing.assert_allclose((row.ci_low, row.ci_high), interval)
    test = comparisons(frame, sequence, protocol).query("metric == 'macro_auc'").iloc[0]
    assert test.p == pytest.approx(stats.ttest_rel(aucs("dinov3"), ours).pvalue)
    assert test.test == "paired t-test over splits"


def test_age_strata_pool_what_each_scan_got_where_it_was_held_out(
    class_predictions, sequence, protocol
):
    card = sequence.model_copy(update={"age_bins": [55, 65]})
    frame = fold_frame(class_predictions, {"braindino": 1.5})
    number = frame.subject.str[1:].astype(int)
    frame["age"] = np.where(number < 5, 40, np.where(number % 2, 60, 70))
    table = metrics(frame, card, protocol).query("metric == 'macro_auc'").set_index("stratum")
    assert list(table.index) == ["all", "55-64", "65+"]
    scores = ["score_0", "score_1", "score_2", "score_3"]
    held = frame[frame.age == 60].groupby(["seed", "volume_id"])[["target", *scores]].mean()
    by_seed = [
        roc_auc_score(part.target, part[scores], multi_class="ovr")
        for _, part in held.groupby("seed")
    ]
    assert table.value["55-64"] == pytest.approx(np.mean(by_seed))
    assert table.n["55-64"] == frame[frame.age == 60].subject.nunique()


def test_strata_are_named_as_the_paper_does():
    assert stratum_names([0, 10, 30, 50, 70]) == ["0-9", "10-29", "30-49", "50-69", "70+"]


def test_ages_are_compared_by_sign_flips(regression_predictions, age, protocol):
    card = age.model_copy(update={"age_bins": [0, 50]})
    frame = regression_predictions({"braindino": (0, 3), "dinov3": (9, 3)}, ratios=(1.0,))
    frame["age"] = frame.target
    table = comparisons(frame, card, protocol).set_index("stratum")
    assert table.test.to_dict() == {
        **{"all": "paired t-test", "0-49": "paired sign-flip", "50+": "paired sign-flip"}
    }
    assert (table.p < 0.01).all()


def test_sign_flip_of_three_errors_by_hand(regression_predictions, age, protocol):
    card = age.model_copy(update={"age_bins": [0]})
    frame = regression_predictions({"braindino": (0, 0)}, ratios=(1.0,), subjects=3, volumes=1)
    frame = frame[frame.seed == 0].assign(age=30)
    rival = frame.assign(encoder="dinov3", prediction=frame.target + np.array([1.0, 2.0, 3.0]))
    table = comparisons(pd.concat([frame, rival]), card, protocol).set_index("stratum")
    assert table.p["0+"] == 2 / 8  # all signs as they are, or all turned


def test_calibration_by_scikit_learn_and_by_hand(rng):
    confidence = rng.uniform(0.5, 1, 400)
    right = rng.random(400) < confidence**2
    scores = np.stack([confidence, 1 - confidence], axis=1)
    target = np.where(right, 0, 1)
    frame = pd.DataFrame({"target": target, "score_0": scores[:, 0], "score_1": scores[:, 1]})
    card = type("Card", (), {"kind": "classification", "classes": ["a", "b"]})
    curve = reliability(frame, card)
    share, mean = calibration_curve(right, confidence, n_bins=10)
    np.testing.assert_allclose(curve.y, share)
    np.testing.assert_allclose(curve.x, mean)
    expected = (np.abs(curve.x - curve.y) * curve.n).sum() / 400
    assert ece(target, scores, np.ones((400, 1)))[0] == pytest.approx(expected)
    two = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6], [0.4, 0.6]])
    # half of the bin at 0.9 is right, all of the one at 0.6
    assert ece(np.array([0, 1, 1, 1]), two, np.ones((4, 1)))[0] == pytest.approx(0.4)


def knn_frame(right, encoder, k):
    ids = [f"s{n}" for n in range(len(right))]
    same = {"task": "knn_oasis", "encoder": encoder, "k": k, "target": np.arange(len(right)) % 2}
    frame = pd.DataFrame({"subject": ids, "volume_id": ids} | same)
    return frame.assign(predicted=np.where(right, frame.target, 1 - frame.target))


def test_mcnemar_by_hand(protocol):
    ours = np.array([True] * 8 + [False] * 4)
    theirs = np.array([True] * 2 + [False] * 6 + [True] + [False] * 3)
    frames = [knn_frame(ours, "braindino", 1), knn_frame(theirs, "dinov3", 1)]
    frames += [knn_frame(ours, "braindino", 3), knn_frame(ours, "dinov3", 3)]
    first, second = knn_comparisons(pd.concat(frames), protocol)
    # 6 against 1 of 7 discordant: 2 · (1 + 7) / 2^7
    assert first["p"] == pytest.approx(16 / 128)
    assert first["p_holm"] == pytest.approx(2 * 16 / 128)
    assert first["difference"] == pytest.approx(-5 / 12)
    assert second["p"] == 1
    row = knn_metrics(frames[0], protocol)[0]
    assert (row["task"], row["stratum"]) == ("knn_oasis", "k:1")
    assert row["value"] == pytest.approx(8 / 12)
    assert row["ci_low"] < 8 / 12 < row["ci_high"]
