"""Lean blocks: what is left out changes nothing that is read."""

import pytest
import timm
import torch

from braindino.encoders.lean import LeanBlock, lean_blocks

CPU = torch.device("cpu")
VIT = {"embed_dim": 48, "depth": 3, "num_heads": 3}


@pytest.fixture
def network():
    vit = timm.create_model("vit_small_patch16_dinov3", num_classes=0, **VIT)
    generator = torch.Generator().manual_seed(7)
    for value in vit.requires_grad_(False).parameters():  # its blocks are all but idle otherwise
        value.copy_(0.2 * torch.randn(value.shape, generator=generator))
    return vit.eval()


@pytest.fixture
def images():
    return torch.randn(3, 3, 48, 32, generator=torch.Generator().manual_seed(0))


@torch.inference_mode()
def test_the_class_token_alone_is_the_class_token_of_all(network, images):
    whole = network.forward_features(images)
    last = lean_blocks(network, CPU, bf16=False)
    assert torch.equal(network.forward_features(images), whole)
    last.kept = 1
    alone = network.forward_features(images)
    assert alone.shape == (3, 1, 48)
    torch.testing.assert_close(alone, whole[:, :1], atol=1e-5, rtol=1e-5)


@torch.inference_mode()
def test_quick_attention_is_timms(network, images):
    """In float32, where rounding hides nothing: turned by place, and prefix tokens not at all."""
    whole = network.forward_features(images)
    last = lean_blocks(network, CPU, bf16=False)
    for block in network.blocks:
        block.slicewise = True
    torch.testing.assert_close(network.forward_features(images), whole, atol=1e-5, rtol=1e-5)
    last.kept = 1
    alone = network.forward_features(images)
    torch.testing.assert_close(alone, whole[:, :1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("vit_small_patch16_224", {"img_size": 32}),
        ("vit_small_patch16_dinov3_qkvb", {}),  # with biases
        ("eva02_tiny_patch14_224", {"img_size": 28}),  # another rotation, another MLP
    ],
)
def test_other_networks_are_left_as_they_are(name, changes):
    network = timm.create_model(name, num_classes=0, **VIT | changes)
    assert lean_blocks(network, CPU, bf16=True) is None
    assert not any(isinstance(module, LeanBlock) for module in network.modules())
    assert {value.dtype for value in network.parameters()} == {torch.float32}


def test_patch_tokens_of_the_axial_range_are_still_there(small_card, build):
    card = small_card("dinov3")
    volumes = torch.randn(2, 9, 32, 32, generator=torch.Generator().manual_seed(0))
    encoder = build(card)
    out, tokens = encoder.read(volumes), encoder.tokens(volumes)
    inside = tokens[:, 3:5].mean((1, 2, 3))  # of planes centred at 0.39 and 0.5
    torch.testing.assert_close(out.patch_mean, inside, atol=1e-5, rtol=1e-5)
    assert encoder.tokens(volumes).shape == (2, 9, 2, 2, out.patch_mean.shape[1])
