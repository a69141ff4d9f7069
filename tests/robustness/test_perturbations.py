"""Perturbations against their formulae, MONAI, and what must not change."""

import numpy as np
import pytest
from monai.transforms import RandBiasField

from braindino.robustness.conditions import conditions, parse
from braindino.robustness.perturbations import BRIGHT, PERTURBATIONS, bias_field, perturb
from braindino.settings.robustness import Severities

SPACING = (1.0, 1.5, 2.0)
STRONG = {"contrast": 2.0, "gibbs": 0.4, "bias_field": 0.4, "rician": 0.1, "ghosting": 2.0,
          "thick_slices": 6.0, "flip": 1.0}  # fmt: skip


@pytest.fixture
def volume(rng):
    """A ball with texture in a box of zeros, of a scanner's integers."""
    axes = np.ogrid[-1:1:32j, -1:1:40j, -1:1:36j]
    ball = sum(axis**2 for axis in axes) < 0.6
    return (ball * rng.integers(200, 900, (32, 40, 36))).astype(np.int16)


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_the_clean_severity_is_the_volume_itself(volume, kind):
    clean = perturb(volume, SPACING, "a", kind, PERTURBATIONS[kind].clean)
    assert clean is volume


@pytest.mark.parametrize("kind", PERTURBATIONS)
def test_what_is_drawn_depends_on_the_volume_s_name_alone(volume, kind):
    first, again, other = (perturb(volume, SPACING, i, kind, STRONG[kind]) for i in "aab")
    np.testing.assert_array_equal(first, again)
    drawn = kind in ("bias_field", "rician", "ghosting")
    assert np.array_equal(first, other) != drawn
    assert first.shape == volume.shape and first.dtype == np.float32
    assert np.isfinite(first).all() and not np.array_equal(first, volume)


def test_contrast_is_the_power_law_on_the_volume_s_range(volume):
    v = volume / volume.max()
    expected = volume.max() * v**1.5
    made = perturb(volume, SPACING, "a", "contrast", 1.5)
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-3)


def test_gibbs_keeps_the_centre_of_k_space_and_nothing_else(volume):
    made = perturb(volume, SPACING, "a", "gibbs", 0.4)
    before, after = (np.fft.fftshift(np.fft.fftn(v)) for v in (volume, made))
    places = np.indices(volume.shape) - (np.array(volume.shape).reshape(3, 1, 1, 1) - 1) / 2
    distance = np.sqrt((places**2).sum(0))
    # Conjugate samples lie on both sides of a grid of even size: a ring of one sample is mixed.
    radius = 0.6 * 40 / np.sqrt(2)
    kept, cut = distance < radius - 2, distance > radius + 2
    scale = np.abs(before).max()
    np.testing.assert_allclose(after[kept] / scale, before[kept] / scale, atol=1e-6)
    assert np.abs(after[cut]).max() < 1e-6 * scale


def test_the_bias_field_is_monai_s_but_for_its_draw_and_gain(volume):
    class Ones:
        def uniform(self, low, high, shape):
            return np.ones(shape)

    ours = bias_field(np.ones(volume.shape, np.float32), 0.3, SPACING, Ones())
    monai = RandBiasField(prob=1, coeff_range=(0.3, 0.3))
    theirs = monai(np.ones((1, *volume.shape), np.float32))[0].numpy()
    np.testing.assert_allclose(ours * np.exp(0.3), theirs, rtol=1e-4)  # the gain P0·P0·P0 = 1


def test_a_stronger_bias_field_is_a_power_of_a_weaker_one(volume):
    weak, strong = (perturb(volume, SPACING, "a", "bias_field", s) for s in (0.1, 0.3))
    inside = volume > 0
    ratio = np.log(strong[inside] / volume[inside]) / np.log(weak[inside] / volume[inside])
    np.testing.assert_allclose(np.median(ratio), 3, rtol=1e-3)


def test_noise_has_a_rayleigh_mean_in_air_and_its_sd_in_signal(volume):
    sd = 0.05 * np.percentile(volume, BRIGHT)
    made = perturb(volume, SPACING, "a", "rician", 0.05)
    air = made[volume == 0]
    assert air.mean() == pytest.approx(sd * np.sqrt(np.pi / 2), rel=0.02)
    bright = volume > 600
    assert (made - volume)[bright].std() == pytest.approx(sd, rel=0.03)


def test_motion_leaves_ghosts_an_eighth_of_the_field_apart():
    point = np.zeros((1, 64, 1))
    point[0, 32] = 1
    made = perturb(point, (1, 1, 1), "a", "ghosting", 1.0)[0, :, 0]
    ghosts = np.argsort(made)[::-1][:3]
    assert {32 - 8, 32, 32 + 8} & set(ghosts) and ghosts[0] in (24, 40, 32)
    away = np.delete(made, np.arange(32 % 8, 64, 8))
    assert away.max() < made.max()
    assert (made**2).sum() == pytest.approx(1, rel=1e-5)  # a phase moves signal, and loses none


def test_thick_slices_keep_the_mean_and_vary_no_more_than_their_slabs(volume):
    made = perturb(volume, SPACING, "a", "thick_slices", 8.0)
    assert made.mean() == pytest.approx(volume.mean(), rel=2e-2)
    assert np.abs(np.diff(made, axis=2)).mean() < 0.5 * np.abs(np.diff(volume, axis=2)).mean()
    np.testing.assert_array_equal(perturb(volume, SPACING, "a", "thick_slices", 1.5), volume)


def test_slabs_of_whole_slices_are_their_means():
    volume = np.arange(12.0).reshape(1, 1, 12) ** 2
    made = perturb(volume, (1, 1, 1), "a", "thick_slices", 4.0)[0, 0]
    means = volume.reshape(3, 4).mean(1)
    # Linear between the slabs' centres, which lie at 1.5, 5.5 and 9.5.
    np.testing.assert_allclose(made, np.interp(np.arange(12), [1.5, 5.5, 9.5], means), rtol=1e-6)


def test_a_flip_twice_is_no_flip(volume):
    once = perturb(volume, SPACING, "a", "flip", 1)
    np.testing.assert_array_equal(once[0], volume[-1])
    np.testing.assert_array_equal(perturb(once, SPACING, "a", "flip", 1), volume)


@pytest.mark.parametrize("kind", ["contrast", "gibbs", "bias_field", "rician", "ghosting",
                                  "thick_slices"])  # fmt: skip
def test_severities_grow(volume, kind):
    grid = sorted(getattr(Severities(), kind))
    above = [s for s in grid if s >= PERTURBATIONS[kind].clean]
    errors = [np.abs(perturb(volume, SPACING, "a", kind, s) - volume).mean() for s in above]
    assert errors[0] == 0 and (np.diff(errors) > 0).all()


def test_conditions_are_named_and_read_back():
    severities = Severities(gibbs=[0.4, 0.0], flip=[1], contrast=[1.0, 2.0], rician=[])
    named = conditions(severities)
    assert named[:2] == ["contrast-2", "gibbs-0.4"] and named[-1] == "flip-1"
    assert not any(name.startswith("rician") for name in named)
    assert parse("bias_field-0.1") == ("bias_field", 0.1)
    assert "clean" not in named and "gibbs-0" not in named
