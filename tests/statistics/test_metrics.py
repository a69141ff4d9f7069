import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from braindino.errors import BadInput
from braindino.statistics.baselines import training_mean_mae
from braindino.statistics.bootstrap import percentile_interval, volume_weights
from braindino.statistics.metrics import COLUMNS, metrics


@pytest.fixture(scope="module")
def two(regression_predictions):
    return regression_predictions({"braindino": (0, 5), "dinov3": (3, 8)})


def one(frame, **where):
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_a_volume_follows_its_subject():
    subject = np.array([0, 1, 1, 2, 0])
    weights = volume_weights(subject, 50, np.random.default_rng(0))
    np.testing.assert_array_equal(weights[0], weights[4])
    np.testing.assert_array_equal(weights[1], weights[2])
    np.testing.assert_array_equal(weights[[0, 1, 3]].sum(axis=0), 3)


def test_interval_of_a_mean_agrees_with_scipy():
    values = np.random.default_rng(1).gamma(2, 3, 80)
    weights = volume_weights(np.arange(80), 20_000, np.random.default_rng(2))
    ours = percentile_interval(values @ weights / 80, 0.05)
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(3)
    )
    # the Monte-Carlo error of such a percentile is about 2 % of the estimate's SD
    tolerance = 0.06 * reference.standard_error
    np.testing.assert_allclose(ours, reference.confidence_interval, atol=tolerance)


def test_mae_is_the_mean_over_seeds(two, age, protocol):
    frame = metrics(two, age, protocol)
    assert list(frame) == COLUMNS
    rows = two[(two.encoder == "dinov3") & (two.ratio == 0.1)]
    by_seed = (rows.prediction - rows.target).abs().groupby(rows.seed).mean()
    row = one(frame, encoder="dinov3", ratio=0.1, metric="mae_years")
    assert row.value == pytest.approx(by_seed.mean())
    assert row.sd_seeds == pytest.approx(by_seed.std())
    assert (row.n, row.n_volumes) == (40, 80)
    assert row.ci_low < row.value < row.ci_high


def test_sd_of_the_estimate_is_near_its_standard_error(two, age, protocol):
    row = one(metrics(two, age, protocol), encoder="braindino", ratio=1.0, metric="mae_years")
    assert row.sd == pytest.approx(row.sd_subjects / np.sqrt(row.n), rel=0.15)


def test_macro_auc_equals_scikit_learn(class_predictions, sequence, protocol):
    frame = class_predictions({"braindino": 1.0}, ratios=(0.4,))
    expected = [
        np.mean([roc_auc_score(rows.target == k, rows[f"score_{k}"]) for k in range(4)])
        for _, rows in frame.groupby("seed")
    ]
    row = one(metrics(frame, sequence, protocol), metric="macro_auc")
    assert row.value == pytest.approx(np.mean(expected), abs=1e-12)
    assert np.isnan(row.sd_subjects)


def test_row_order_and_other_encoders_change_nothing(two, age, protocol):
    expected = metrics(two, age, protocol)
    shuffled = metrics(two.sample(frac=1, random_state=0), age, protocol)
    pd.testing.assert_frame_equal(shuffled, expected)
    alone = metrics(two[two.encoder == "dinov3"], age, protocol)
    rest = expected[expected.encoder == "dinov3"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, rest)


def test_more_volumes_of_a_subject_do_not_narrow_the_interval(
    regression_predictions, age, protocol
):
    frame = regression_predictions({"braindino": (0, 5)}, ratios=(1.0,), volumes=1)
    copies = [frame.assign(volume_id=frame.volume_id + f"-{k}") for k in range(5)]
    kept = ["value", "sd", "ci_low", "ci_high", "n"]
    single = metrics(frame, age, protocol)[kept]
    pd.testing.assert_frame_equal(metrics(pd.concat(copies), age, protocol)[kept], single)


def test_a_class_absent_from_the_test_set_leaves_macro_auc_open(
    class_predictions, sequence, protocol
):
    frame = class_predictions({"braindino": 1.0})
    frame = metrics(frame[frame.target < 3], sequence, protocol)
    auc = frame[frame.metric == "macro_auc"]
    assert auc.value.isna().all() and (auc.resamples == 0).all()
    assert frame[frame.metric == "accuracy"].value.notna().all()


def test_rare_class_resamples_are_excluded(class_predictions, sequence, protocol):
    frame = class_predictions({"braindino": 1.0}, subjects=6)
    frame = frame[(frame.target < 3) | (frame.subject == "s000")]
    row = one(metrics(frame, sequence, protocol), metric="macro_auc", ratio=1.0)
    # a subject among six is missing from (5/6)^6 = 33 % of the resamples
    assert row.resamples / protocol.bootstrap == pytest.approx(0.665, abs=0.08)
    assert row.ci_low <= row.value <= row.ci_high


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda f: f.drop(columns="prediction"), "no column prediction"),
        (lambda f: f.iloc[1:], "seeds differ in their test volumes"),
        (lambda f: pd.concat([f, f]), "seeds differ in their test volumes"),
        (lambda f: f.assign(prediction=np.nan), "not finite"),
    ],
)
def test_bad_predictions_are_named(two, age, protocol, spoil, message):
    with pytest.raises(BadInput, match=f"^predictions/age/braindino.parquet.*{message}"):
        metrics(spoil(two), age, protocol)


def test_training_mean_baseline_by_hand():
    split = pd.DataFrame(
        {"split": ["train", "train", "test", "test"], "fold": 0, "target": [10.0, 30.0, 20.0, 50.0]}
    )
    assert training_mean_mae(split) == 15
