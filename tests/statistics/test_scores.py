import numpy as np
import pytest
from sklearn import metrics as sk

from braindino.statistics.scores import accuracy, auc, macro_auc, mae, r2, rmse


def weighted_set(rng, n=60, classes=3, resamples=20):
    target = rng.integers(classes, size=n)
    predicted = rng.integers(0, 8, size=(n, classes)) / 8  # few values: many ties
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples).T.astype(float)
    return target, predicted, weights


def resamples(weights):
    return [np.repeat(np.arange(len(weights)), column.astype(int)) for column in weights.T]


def test_macro_auc_equals_scikit_learn_on_explicit_resamples():
    target, predicted, weights = weighted_set(np.random.default_rng(0))
    expected = [
        np.mean([sk.roc_auc_score(target[rows] == k, predicted[rows, k]) for k in range(3)])
        for rows in resamples(weights)
    ]
    np.testing.assert_allclose(macro_auc(target, predicted, weights), expected, atol=1e-12)


def test_auc_accepts_fractional_weights():
    rng = np.random.default_rng(1)
    positive, score = rng.random(50) < 0.4, rng.integers(6, size=50)
    weights = rng.random((50, 5))
    expected = [sk.roc_auc_score(positive, score, sample_weight=w) for w in weights.T]
    np.testing.assert_allclose(auc(positive, score, weights), expected, atol=1e-12)


def test_auc_by_hand():
    positive = np.array([True, False, True, False])
    score = np.array([0.9, 0.5, 0.5, 0.1])  # pairs: 1, 1, ½ (tie), 1
    assert auc(positive, score, np.ones((4, 1)))[0] == 3.5 / 4


def test_auc_is_undefined_without_a_class_only_there():
    positive, score = np.array([True, False]), np.array([0.8, 0.2])
    values = auc(positive, score, np.array([[1.0, 2.0], [1.0, 0.0]]))
    assert values[0] == 1 and np.isnan(values[1])


def test_auc_ignores_any_increasing_transform_and_mirrors_its_sign():
    rng = np.random.default_rng(2)
    positive, score = rng.random(40) < 0.5, rng.normal(size=40)
    weights = np.ones((40, 1))
    value = auc(positive, score, weights)
    np.testing.assert_array_equal(auc(positive, np.exp(3 * score), weights), value)
    np.testing.assert_allclose(auc(positive, -score, weights), 1 - value, atol=1e-12)


@pytest.mark.parametrize(
    ("ours", "reference"),
    [
        (mae, sk.mean_absolute_error),
        (rmse, sk.root_mean_squared_error),
        (r2, sk.r2_score),
    ],
)
def test_regression_scores_equal_scikit_learn(ours, reference):
    rng = np.random.default_rng(3)
    target, predicted = rng.normal(50, 20, 30), rng.normal(50, 20, 30)
    weights = rng.multinomial(30, np.full(30, 1 / 30), size=7).T.astype(float)
    expected = [reference(target[rows], predicted[rows]) for rows in resamples(weights)]
    np.testing.assert_allclose(ours(target, predicted, weights), expected, rtol=1e-10)


def test_accuracy_equals_scikit_learn():
    target, predicted, weights = weighted_set(np.random.default_rng(4))
    expected = [
        sk.accuracy_score(target[rows], predicted[rows].argmax(1)) for rows in resamples(weights)
    ]
    np.testing.assert_allclose(accuracy(target, predicted, weights), expected, rtol=1e-12)


def test_r2_of_a_constant_target_is_undefined():
    assert np.isnan(r2(np.ones(4), np.arange(4.0), np.ones((4, 1)))[0])
