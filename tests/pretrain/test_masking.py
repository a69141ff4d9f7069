import numpy as np
import pytest

from braindino.pretrain.masking import block_mask, mask_ratios, random_mask


def draw(crops=32, seed=0, ratio=(0.1, 0.5), probability=0.5):
    rng = np.random.default_rng(seed)
    ratios = mask_ratios(crops, probability, ratio, rng)
    return np.stack([random_mask((16, 16), share, rng) for share in ratios])


@pytest.mark.parametrize("count", [1, 3, 26, 77, 128, 255, 256])
def test_block_mask_has_exactly_the_count(count):
    rng = np.random.default_rng(count)
    assert all(block_mask((16, 16), count, rng).sum() == count for _ in range(20))


@pytest.mark.parametrize(
    ("crops", "probability", "masked"), [(32, 0.5, 16), (7, 0.5, 3), (4, 0, 0)]
)
def test_share_of_masked_crops_is_exact(crops, probability, masked):
    masks = draw(crops, probability=probability)
    assert masks.shape == (crops, 16, 16)
    assert masks.any(axis=(1, 2)).sum() == masked


def test_a_batch_covers_the_range_of_ratios():
    ratios = np.sort(draw(64).mean(axis=(1, 2)))[32:]
    edges = np.linspace(0.1, 0.5, 33)
    assert (ratios >= edges[:-1] - 0.5 / 256).all()
    assert (ratios <= edges[1:] + 0.5 / 256).all()


def test_any_crop_may_be_masked():
    chosen = np.mean([draw(8, seed).any(axis=(1, 2)) for seed in range(200)], axis=0)
    assert (abs(chosen - 0.5) < 0.15).all()


def test_masks_are_blocks():
    def shared_edges(mask):
        return (mask[1:] & mask[:-1]).sum() + (mask[:, 1:] & mask[:, :-1]).sum()

    rng = np.random.default_rng(0)
    blocks = [block_mask((16, 16), 64, rng) for _ in range(20)]
    scattered = [rng.permutation(mask.ravel()).reshape(16, 16) for mask in blocks]
    assert np.mean([shared_edges(m) for m in blocks]) > 2 * np.mean(
        [shared_edges(m) for m in scattered]
    )
