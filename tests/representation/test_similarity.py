"""Reference points by rule, similarity maps and their numbers."""

import numpy as np
import pytest

from braindino.errors import BadInput
from braindino.representation.placement import SliceTokens
from braindino.representation.similarity import ceiling, separation, similarity, token_colours
from braindino.representation.tissue import choose_plane, reference_points, slice_masks, upright

SIZE, GRID = 32, 8


@pytest.fixture
def placed():
    """Tokens of two kinds: left and right half."""
    tokens = np.zeros((GRID, GRID, 5))
    tokens[:, :4, 0], tokens[:, 4:, 1] = 3.0, 0.5
    places = (np.arange(SIZE) + 0.5) * GRID / SIZE - 0.5
    return SliceTokens(tokens, places, places, np.ones((SIZE, SIZE), bool))


@pytest.fixture
def halves():
    left = np.zeros((SIZE, SIZE), bool)
    left[:, : SIZE // 2] = True
    return left


def test_similarity_is_the_cosine(placed):
    shown = similarity(placed, (5, 3))
    assert shown[5, 3] == pytest.approx(1) and shown[5, 30] == pytest.approx(0)
    # Orthogonal halves meet between the tokens' centres, halfway.
    assert shown[5, 15] + shown[5, 16] == pytest.approx(1)
    scaled = placed._replace(tokens=placed.tokens * 7)
    np.testing.assert_allclose(similarity(scaled, (5, 3)), shown)


def test_separation_by_hand(placed, halves):
    brain = np.ones_like(halves)
    assert separation(similarity(placed, (5, 3)), halves, brain) == 1
    assert separation(similarity(placed, (5, 30)), halves, brain) == 0
    assert separation(np.zeros((SIZE, SIZE)), halves, brain) == 0.5
    assert np.isnan(separation(np.zeros((SIZE, SIZE)), brain, brain))


def test_the_grid_limits_what_a_map_can_show(placed, halves):
    brain = np.ones_like(halves)
    assert ceiling(placed, halves, brain) == 1
    checked = np.indices((SIZE, SIZE)).sum(0) % 2 == 0  # finer than any token
    assert ceiling(placed, checked, brain) == pytest.approx(0.5, abs=0.01)


def test_like_tokens_have_like_colours(placed, halves, rng):
    noisy = placed._replace(tokens=placed.tokens + 0.01 * rng.normal(size=placed.tokens.shape))
    brain = np.ones_like(halves)
    brain[:, -8:] = False
    colours = token_colours(noisy, brain)
    first = colours[..., 0]
    assert np.isnan(first[:, -8:]).all() and not np.isnan(first[:, :-8]).any()
    assert abs(first[:, :16].mean() - first[:, 16:24].mean()) > 5 * first[:, :16].std()


@pytest.fixture
def brain(rng):
    """Planes with CSF inside white matter inside grey matter, and a tumour in two planes."""
    rows, columns = np.indices((64, 64)) - 32
    radius = np.hypot(rows, columns)
    plane = np.select([radius < 6, radius < 18, radius < 28], [-2.0, 1.5, 0.2], 0)
    slices = np.stack([plane] * 6)
    slices += (slices != 0) * rng.normal(size=slices.shape) * 0.1
    labels = np.zeros(slices.shape, int)
    labels[3, 40:48, 40:48] = 2
    labels[3, 42:46, 42:46] = 4
    labels[4, 44:46, 44:46] = 1
    return slices, labels, radius


def test_tissues_are_found_by_intensity_and_label(brain):
    slices, labels, radius = brain
    masks = slice_masks(slices, labels, 3)
    assert set(masks) == {"tumour", "csf", "white_matter"}
    np.testing.assert_array_equal(masks["tumour"], labels[3] == 4)
    np.testing.assert_array_equal(masks["csf"], (radius < 6) & (labels[3] == 0))
    white = (radius >= 6) & (radius < 18) & (labels[3] == 0)
    np.testing.assert_array_equal(masks["white_matter"], white)
    assert "tumour" not in slice_masks(slices, labels, 0)


def test_a_reference_point_lies_deepest_in_its_tissue(brain):
    slices, labels, radius = brain
    masks = slice_masks(slices, labels, 3)
    points = reference_points(masks, slices[3] != 0)
    assert radius[points["csf"]] < 2
    assert 8 < radius[points["white_matter"]] < 16
    assert labels[3][points["tumour"]] == 4
    rim = masks | {"csf": masks["csf"] | (radius > 20)}  # thick, but at the brain's edge
    assert radius[reference_points(rim, slices[3] != 0)["csf"]] < 2


def test_the_configuration_s_points_win_and_must_be_inside(brain):
    masks = slice_masks(*brain[:2], 3)
    inside = brain[0][3] != 0
    assert reference_points(masks, inside, {"csf": (1, 2)})["csf"] == (1, 2)
    with pytest.raises(BadInput, match="64 rows"):
        reference_points(masks, inside, {"csf": (64, 0)})


def test_the_plane_is_that_of_most_tumour(brain):
    core = np.isin(brain[1], (1, 3, 4))
    assert choose_plane(core) == 3
    assert choose_plane(core, asked=1) == 1
    assert choose_plane(np.zeros((100, 2, 2), bool)) == 55
    with pytest.raises(BadInput, match="0 to 5"):
        choose_plane(core, asked=6)


def test_labels_stand_on_the_slices_grid():
    labels = np.zeros((4, 6, 8), int)
    labels[0, 5, 2] = 3  # left, front, low
    shown = upright(labels, (8, 6, 4))
    assert shown[2, 0, 0] == 3 and shown.sum() == 3
    assert upright(labels, (16, 12, 8)).sum() == 3 * 8
