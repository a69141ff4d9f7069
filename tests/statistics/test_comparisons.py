import numpy as np
import pandas as pd
import pytest

from braindino.errors import BadInput
from braindino.statistics.comparisons import COLUMNS, comparisons
from braindino.statistics.multiplicity import holm
from braindino.statistics.paired import crossing_p


def test_holm_by_hand():
    # sorted .01 .02 .03 .04, times 4 3 2 1 = .04 .06 .06 .04, made monotone: .04 .06 .06 .06
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.6, np.nan, 0.7]), [1, np.nan, 1])


def test_crossing_p_by_hand():
    assert crossing_p(np.array([1.0] * 98 + [-1.0])) == 2 * 2 / 100
    assert crossing_p(np.ones(99)) == 2 / 100
    assert crossing_p(np.zeros(99)) == 1


def test_paired_t_by_hand(regression_predictions, age, protocol):
    frame = regression_predictions({"braindino": (0, 0)}, ratios=(1.0,), subjects=3, volumes=1)
    frame = frame[frame.seed == 0]
    rival = frame.assign(encoder="dinov3", prediction=frame.target + np.array([1, -2, 3]))
    table = comparisons(frame_of(frame, rival), age, protocol)
    # errors 1, 2, 3 against 0: t = 2 / (1 / √3) = 3.4641 with 2 degrees of freedom
    assert table.p.item() == pytest.approx(1 - 3.4641016 / np.sqrt(3.4641016**2 + 2), rel=1e-6)
    assert table.difference.item() == pytest.approx(2)
    assert table.test.item() == "paired t-test"


def test_seeds_and_volumes_are_averaged_before_the_t_test(regression_predictions, age, protocol):
    frame = regression_predictions({"braindino": (0, 5), "dinov3": (2, 5)})
    more = frame.assign(seed=frame.seed + 3)
    once = comparisons(frame, age, protocol)
    np.testing.assert_allclose(
        comparisons(frame_of(frame, more), age, protocol).p, once.p, rtol=1e-9
    )


def test_identical_predictions_are_not_different(class_predictions, age, sequence, protocol,
                                                 regression_predictions):  # fmt: skip
    same = class_predictions({"braindino": 1.0})
    table = comparisons(frame_of(same, same.assign(encoder="dinov3")), sequence, protocol)
    assert (table.p == 1).all() and (table.p_holm == 1).all() and (table.difference == 0).all()
    same = regression_predictions({"braindino": (0, 5)})
    table = comparisons(frame_of(same, same.assign(encoder="dinov3")), age, protocol)
    assert (table.p == 1).all() and set(table.note) == {"identical errors"}


def test_bootstrap_finds_what_differs_and_only_that(class_predictions, sequence, protocol):
    frame = class_predictions({"braindino": 2.0, "dinov3": 0.3, "brainmvp": 2.0})
    table = comparisons(frame, sequence, protocol).query("metric == 'macro_auc'")
    assert list(table) == COLUMNS
    worse = table[table.encoder == "dinov3"]
    assert (worse.p == 2 / (protocol.bootstrap + 1)).all() and (worse.difference < 0).all()
    assert (table[table.encoder == "brainmvp"].p > 0.05).all()
    assert (table.p_holm >= table.p).all()
    assert (worse.p_holm == 2 * worse.p).all()


def test_p_is_about_uniform_under_the_null(regression_predictions, age, protocol):
    # encoders of equal error; the seed enters through the length of the name
    names = {"x" * k: (0, 5) for k in range(1, 40)} | {"braindino": (0, 5)}
    table = comparisons(regression_predictions(names, ratios=(1.0,)), age, protocol)
    assert 0.25 < np.median(table.p) < 0.8


def test_alone_there_is_nothing_to_compare(class_predictions, sequence, protocol):
    alone = class_predictions({"braindino": 1.0})
    for frame in (alone, alone.assign(encoder="dinov3")):
        table = comparisons(frame, sequence, protocol)
        assert list(table) == COLUMNS and table.empty


def test_an_absent_class_is_given_as_the_reason(class_predictions, sequence, protocol):
    frame = class_predictions({"braindino": 2.0, "dinov3": 1.0})
    table = comparisons(frame[frame.target < 3], sequence, protocol).set_index("metric")
    assert table.p["macro_auc"].isna().all()
    assert set(table.note["macro_auc"]) == {"a class is absent from the test set"}
    assert table.p["accuracy"].notna().all()


def test_resamples_that_prove_nothing_give_no_p(class_predictions, sequence, protocol):
    frame = class_predictions({"braindino": 0.0, "dinov3": 0.0})
    frame = frame[frame.ratio == frame.ratio.max()].reset_index(drop=True)
    right = frame.target.to_numpy()[:, None] == np.arange(4)
    ours = (frame.encoder == "braindino").to_numpy()[:, None]
    frame[[f"score_{k}" for k in range(4)]] = np.where(ours & right, 1.0, 0.25)
    table = comparisons(frame, sequence, protocol).set_index("metric")
    # 1 against 0.5 in every resample that holds all classes
    assert np.isnan(table.p["macro_auc"]) and table.difference["macro_auc"] == -0.5
    assert "no spread to test by" in table.note["macro_auc"]
    # Of the others one subject each: all three are drawn in (1 - 1/e)³, a quarter, of resamples.
    own = frame.subject == frame.target.map(dict(enumerate(frame.subject.unique()[:4])))
    few = frame[(frame.target == 0) | own]
    table = comparisons(few, sequence, protocol).set_index("metric")
    assert np.isnan(table.p["macro_auc"])
    assert table.note["macro_auc"].startswith("so in most resamples: a class is absent")


def test_different_test_volumes_cannot_be_paired(regression_predictions, age, protocol):
    frame = regression_predictions({"braindino": (0, 5), "dinov3": (2, 5)})
    frame = frame[(frame.encoder == "braindino") | (frame.subject != "s000")]
    with pytest.raises(BadInput, match="'dinov3' and 'braindino' were tested on different"):
        comparisons(frame, age, protocol)


def frame_of(*frames):
    return pd.concat(frames, ignore_index=True)
