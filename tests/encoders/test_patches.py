import numpy as np
import pandas as pd
import pytest
import timm
import torch
from sklearn.decomposition import PCA

from braindino.encoders.patches import patch_components, save_patches


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    arguments = {"embed_dim": 48, "depth": 2, "num_heads": 3, "init_values": 1.0}
    return timm.create_model("vit_small_patch16_dinov3", num_classes=0, **arguments)


@pytest.fixture(scope="module")
def slices():
    """Two slices whose right half is brain."""
    pixels = torch.randn(2, 64, 64, generator=torch.Generator().manual_seed(0))
    pixels[..., :32] = 0
    return pixels


def test_components_are_those_of_scikit_learn_on_the_brains_patches(network, slices):
    components = patch_components(network, slices, 64)
    assert components.shape == (2, 4, 4, 3) and components.dtype == np.float32
    assert np.isnan(components[:, :, :2]).all()
    with torch.inference_mode():
        tokens = network.eval().forward_features(slices[:, None].expand(-1, 3, -1, -1))
    brain = tokens[:, network.num_prefix_tokens :].unflatten(1, (4, 4))[:, :, 2:].flatten(0, 2)
    expected = PCA(3).fit_transform(brain.double().numpy())
    found = components[:, :, 2:].reshape(-1, 3)
    correlation = np.corrcoef(found.T, expected.T)[:3, 3:]
    np.testing.assert_allclose(np.abs(correlation), np.eye(3), atol=1e-3)
    np.testing.assert_allclose(found.std(axis=0, ddof=1), 1, rtol=1e-4)


def test_signs_do_not_hang_on_the_order_of_slices(network, slices):
    there, back = (
        patch_components(network, slices, 64),
        patch_components(network, slices.flip(0), 64),
    )
    np.testing.assert_allclose(back[::-1], there, atol=1e-3)


def test_a_larger_picture_has_more_patches(network, slices):
    assert patch_components(network, slices, 128).shape == (2, 8, 8, 3)


def test_pictures_are_grey_with_a_black_background(tmp_path):
    slices = np.array([[[0.0, -3], [3, 9]]])
    titles = pd.Series(["T1w"])  # as the column of a table, which would be pickled
    save_patches(np.zeros((1, 1, 1, 3)), slices, titles, tmp_path / "p.npz")
    saved = np.load(tmp_path / "p.npz")
    assert saved["slices"].tolist() == [[[0, 0], [255, 255]]] and saved["titles"].tolist() == [
        "T1w"
    ]
