"""What every encoder keeps to; ``pytest --encoder mine`` asks it of a card of your own.

MINE is the name of a card in config/encoders, or the path of one. Its weights are read from
BRAINDINO_WEIGHTS where they are there; without them the network is untrained.
"""

import numpy as np
import pytest
import torch

MODALITIES = ["T1w", "T1c", "T2w"]
NOISE = 1e-6  # of float32; an untrained network may change as little as 1e-5


def change(one, other):
    return ((one - other).norm() / one.norm()).item()


@pytest.fixture(scope="module")
def encoder(any_card, build):
    return build(any_card)


@pytest.fixture(scope="module")
def volumes(encoder, brains, see):
    return see(encoder, brains)


@pytest.fixture(scope="module")
def readout(encoder, volumes):
    return encoder.read(volumes, MODALITIES)


def test_one_finite_float32_vector_a_volume(encoder, volumes, readout):
    assert readout.embedding.dtype == torch.float32
    assert readout.embedding.shape == readout.embedding.shape[:1] + readout.embedding.shape[1:2]
    for vectors in readout[:2] + tuple(readout.layers.values()):
        assert vectors.ndim == 2
        assert len(vectors) == len(volumes)
        assert vectors.isfinite().all()
    torch.testing.assert_close(encoder.embed(volumes, MODALITIES), readout.embedding)
    assert set(readout.layers) in ({"early", "mid", "late"}, set())


def test_volumes_that_differ_get_vectors_that_differ(readout):
    first, *others = readout.embedding
    assert all(change(first, other) > NOISE for other in others)


def test_patch_tokens_lie_on_a_grid_of_the_input(encoder, volumes, readout):
    if torch.equal(readout.patch_mean, readout.embedding) and not encoder.card.tokens:
        pytest.skip("no patch tokens")
    tokens = encoder.tokens(volumes, MODALITIES)
    spatial = volumes.shape[2:] if encoder.view.kind == "slices" else volumes.shape[1:]
    grid = tokens.shape[-1 - len(spatial) : -1]
    assert tokens.shape[0] == len(volumes)
    assert tokens.shape[-1] == readout.patch_mean.shape[1]
    # As large as the input's axes, one after another: nothing is transposed.
    ratios = [side / count for side, count in zip(spatial, grid, strict=True)]
    assert max(ratios) - min(ratios) < max(ratios) / 2


def test_same_card_and_volumes_give_the_same_bits(any_card, build, volumes, readout):
    again = build(any_card).read(volumes, MODALITIES)
    assert torch.equal(again.embedding, readout.embedding)
    assert torch.equal(again.patch_mean, readout.patch_mean)


def test_neither_batch_size_nor_order_matters(any_card, build, volumes, readout):
    one_by_one = build(any_card, batch=1).read(volumes.flip(0), MODALITIES[::-1])
    assert (one_by_one.embedding.flip(0) - readout.embedding).abs().max() <= 1e-4
    assert (one_by_one.patch_mean.flip(0) - readout.patch_mean).abs().max() <= 1e-4
    for depth, vectors in readout.layers.items():
        assert (one_by_one.layers[depth].flip(0) - vectors).abs().max() <= 1e-4


def test_frozen_in_eval_mode_without_gradient(encoder, volumes):
    encoder.network.train()
    encoder.embed(volumes[:1], MODALITIES[:1])
    assert not any(module.training for module in encoder.network.modules())
    assert not any(value.requires_grad for value in encoder.network.parameters())
    encoder.assert_frozen()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_flipped_brain_changes_the_embedding_as_declared(axis, encoder, brain, see):
    array, affine = brain
    pair = see(encoder, [(array, affine), (np.flip(array, axis), affine)])
    one, flipped = encoder.embed(pair, ["T1w", "T1w"])
    kept = {*encoder.card.invariant_to}
    if encoder.view.kind == "slices" and not encoder.view.neighbours:
        kept.add("bottom-top")
    if ("left-right", "back-front", "bottom-top")[axis] in kept:
        assert change(one, flipped) <= 1e-3
    else:
        assert change(one, flipped) > NOISE


def test_the_order_in_which_voxels_are_stored_does_not_matter(encoder, brain, see):
    if encoder.view.kind == "slices":
        pytest.skip("slices are cut from brains in RAS+ order")
    array, affine = brain
    turned = affine.copy()
    turned[0, 0] *= -1
    turned[0, 3] = affine[0, 0] * (len(array) - 1)
    one, stored = see(encoder, [(array, affine), (array[::-1], turned)])
    torch.testing.assert_close(one, stored)


def test_the_intensity_is_the_declared_one_whatever_the_scanners_gain(encoder, brain, see):
    array, affine = brain
    one, gained = see(encoder, [(array, affine), (array * 8, affine)])
    torch.testing.assert_close(one, gained, atol=1e-4, rtol=1e-4)
    inside = one[one != 0].double()
    if encoder.view.intensity == "unit":
        assert one.min() >= 0
        assert one.max() <= 1
    else:
        assert abs(inside.mean().item()) < 1e-3
        assert inside.std().item() == pytest.approx(1, abs=1e-3)
