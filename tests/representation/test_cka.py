"""CKA against Gram matrices, hand-computed cases and its invariances."""

import numpy as np
import pytest
from scipy.stats import ortho_group

from braindino.representation.cka import Features, bootstrap_cka, cka, debiased_cka


def gram_cka(x, y):
    """The paper's formula, word by word."""
    n = len(x)
    h = np.eye(n) - np.ones((n, n)) / n
    kx, ky = h @ (x @ x.T) @ h, h @ (y @ y.T) @ h
    return np.sum(kx * ky) / (np.linalg.norm(kx) * np.linalg.norm(ky))


def unbiased_hsic(kx, ky):
    """Song et al. 2012, eq. 5, on whole matrices."""
    n = len(kx)
    kx, ky = kx - np.diag(np.diag(kx)), ky - np.diag(np.diag(ky))
    one = np.ones(n)
    middle = one @ kx @ one * (one @ ky @ one) / ((n - 1) * (n - 2))
    return (np.trace(kx @ ky) + middle - 2 / (n - 2) * one @ kx @ ky @ one) / (n * (n - 3))


@pytest.fixture
def pair(rng):
    x = rng.normal(size=(40, 12)) + 5
    return x, x[:, :6] + rng.normal(size=(40, 6))


@pytest.mark.parametrize("dims", [(12, 6), (90, 70), (90, 6)])
def test_equals_the_gram_formula(rng, dims):
    x, y = (rng.normal(size=(40, dim)) * 30 + 7 for dim in dims)
    assert cka(Features(x), Features(y)) == pytest.approx(gram_cka(x, y), abs=1e-6)


def test_of_two_features_it_is_the_squared_correlation(rng):
    x, y = rng.normal(size=(2, 30))
    expected = np.corrcoef(x, y)[0, 1] ** 2
    assert cka(Features(x[:, None]), Features(y[:, None])) == pytest.approx(expected, abs=1e-6)


def test_by_hand():
    # Centred: (1, -1, 0) and (1, 0, -1); K·L sums to 1, both norms are 2.
    x, y = np.array([[1.0], [-1], [0]]), np.array([[1.0], [0], [-1]])
    assert cka(Features(x), Features(y)) == pytest.approx(1 / 4, abs=1e-6)


def test_knows_neither_rotation_nor_scale_nor_place(pair):
    x, y = pair
    turned = 3e4 * x @ ortho_group.rvs(12, random_state=0) - 100
    for measure in (cka, debiased_cka):
        before = measure(Features(x), Features(y))
        assert measure(Features(turned), Features(y)) == pytest.approx(before, abs=1e-6)
        assert measure(Features(x), Features(turned)) == pytest.approx(1, abs=1e-6)
        assert measure(Features(y), Features(x)) == pytest.approx(before, abs=1e-7)


def test_a_linear_map_that_is_no_rotation_changes_it(pair):
    x, y = pair
    stretched = x * np.logspace(0, 2, 12)
    assert abs(cka(Features(stretched), Features(y)) - cka(Features(x), Features(y))) > 0.01


def test_debiased_equals_its_definition(pair):
    x, y = pair
    kx, ky = x @ x.T, y @ y.T
    expected = unbiased_hsic(kx, ky) / np.sqrt(unbiased_hsic(kx, kx) * unbiased_hsic(ky, ky))
    assert debiased_cka(Features(x), Features(y)) == pytest.approx(expected, abs=1e-6)


def test_noise_of_many_features_looks_alike_until_debiased(rng):
    first, second = (Features(rng.normal(size=(30, 500))) for _ in range(2))
    assert cka(first, second) > 0.85
    assert abs(debiased_cka(first, second)) < 0.1


def test_bootstrap_equals_cka_of_the_repeated_rows(pair, rng):
    x, y = pair
    drawn = rng.integers(0, 40, (3, 40))
    weights = np.stack([np.bincount(draw, minlength=40) for draw in drawn], axis=1).astype(float)
    ours = bootstrap_cka(Features(x), Features(y), weights)
    expected = [gram_cka(x[draw], y[draw]) for draw in drawn]
    np.testing.assert_allclose(ours, expected, atol=1e-5)
    whole = bootstrap_cka(Features(x), Features(y), np.ones((40, 1)))
    assert whole[0] == pytest.approx(cka(Features(x), Features(y)), abs=1e-6)


def test_constant_features_have_none():
    assert np.isnan(cka(Features(np.ones((5, 2))), Features(np.eye(5))))
    assert np.isnan(debiased_cka(Features(np.eye(3)), Features(np.eye(3))))
