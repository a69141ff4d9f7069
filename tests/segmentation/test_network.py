"""The network: its size, what is frozen, how contrasts and axes enter."""

import pytest
import torch

from braindino.encoders.build import build_network
from braindino.segmentation.axes import Axes
from braindino.segmentation.channels import adapt
from braindino.segmentation.network import SegmentationNetwork
from braindino.settings.load import load_card


def network_of(card, way=None, **arguments):
    values = card.model_dump(mode="json")
    return SegmentationNetwork(4, 3, values, way or card.segmentation.channels, **arguments)


def test_size_at_vit_b_is_the_papers():
    network = network_of(load_card("encoders", "dinov3"))
    total = sum(p.numel() for p in network.parameters())
    frozen = sum(p.numel() for p in network.parameters() if not p.requires_grad)
    assert round(total / 1e6, 1) == 110.7  # §4.3.1
    assert round(100 * frozen / total, 1) == 77.4
    assert total - frozen == 25_076_751  # of the released code's decoder and fusion


def test_fusion_starts_as_the_mean(tiny):
    network = network_of(tiny("braindino"))
    images = torch.randn(2, 4, 32, 32)
    mean = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    torch.testing.assert_close(network.fusion(images), mean)
    assert network.fusion.bias is None


@pytest.mark.parametrize("name", ["braindino", "brainmvp", "bm_mae", "brainiac"])
def test_one_logit_a_region_and_voxel(tiny, name):
    card = tiny(name)
    for way in {card.segmentation.channels, card.segmentation.native or card.segmentation.channels}:
        network = network_of(card, way)
        patch = torch.randn(2, 4, *card.segmentation.size)
        assert network(patch).shape == (2, 3, *card.segmentation.size)


@pytest.mark.parametrize("name", ["braindino", "brainmvp", "bm_mae"])
def test_a_frozen_encoder_stays_as_it_is(tiny, name):
    card = tiny(name)
    network = network_of(card)
    before = {key: value.clone() for key, value in network.encoder.state_dict().items()}
    network.train()
    assert not any(module.training for module in network.encoder.modules())
    trained = [p for p in network.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=0.1)
    logits = network(torch.randn(2, 4, *card.segmentation.size))
    logits.square().mean().backward()
    assert all(p.grad is None for p in network.encoder.parameters())
    assert all(p.grad is not None and p.grad.any() for p in network.fusion.parameters())
    optimiser.step()
    for key, value in network.encoder.state_dict().items():
        assert torch.equal(value, before[key]), key  # BatchNorm's averages too


def test_a_replaced_convolution_learns_alone(tiny):
    network = network_of(tiny("brainmvp"), "replace")
    learning = [n for n, p in network.encoder.named_parameters() if p.requires_grad]
    assert learning == ["patch_embed1.proj.weight", "patch_embed1.proj.bias"]


@pytest.mark.parametrize("name", ["brainmvp", "brainiac", "bm_mae"])
def test_repeated_kernels_give_equal_contrasts_what_one_gave(tiny, name):
    card = tiny(name)
    one, names = build_network(card, 0).eval(), ["t1", "t1ce", "t2", "flair"]
    names = names if card.modalities else []
    volume = torch.randn(1, 1, *card.segmentation.size)
    with torch.no_grad():
        output = one(volume, ["t1"]) if names else one(volume)
        four = build_network(card, 0).eval()
        encode, new = adapt(four, "repeat", 4, names)
        again = encode(volume.expand(-1, 4, -1, -1, -1))
    first = (o[0] if isinstance(o, tuple) else o for o in (output, again))
    torch.testing.assert_close(*first, atol=1e-4, rtol=1e-4)
    assert not new


@pytest.mark.parametrize(("name", "codes"), [("brainmvp", "RAS"), ("bm_mae", "LPS")])
def test_axes_point_where_the_encoder_expects_them(name, codes):
    card = load_card("encoders", name)
    assert card.input.native.axcodes == codes
    axes = Axes(card.input.native)
    patch = torch.zeros(1, 1, 4, 5, 6)  # from below, from behind, from the left: S, A, R
    patch[..., 3, 4, 5] = 1  # uppermost, foremost, rightmost
    turned = axes.there(patch)
    assert turned.shape[2:] == (6, 5, 4)
    corner = {"RAS": (5, 4, 3), "LPS": (0, 0, 3)}[codes]
    assert turned[0, 0][corner] == 1
    assert torch.equal(axes.back(turned), patch)
    assert axes.size_of_patch([6, 5, 4]) == [4, 5, 6]


def test_slices_stand_upright():
    axes = Axes(load_card("encoders", "dinov3").input.native)
    patch = torch.zeros(1, 1, 5, 6)
    patch[..., 4, 5] = 1  # foremost, rightmost
    assert axes.there(patch)[0, 0, 0, 5] == 1  # first row, last column


def test_maps_lie_on_the_axes_of_the_image(tiny):
    """A bright corner lights the same corner of every map, whatever order the encoder has."""
    card = tiny("brainmvp")
    network = network_of(card)
    with torch.no_grad():
        blank = torch.zeros(1, 4, 32, 32, 32)
        bright = blank.clone()
        bright[..., :4, :4, 24:] = 50.0
        blank_maps = network._features(blank)[:2]  # later stages attend over everything
        for before, after in zip(blank_maps, network._features(bright)[:2], strict=True):
            change = (after - before).abs().sum(1)[0]
            x, y, z = (int(i) for i in torch.unravel_index(change.argmax(), change.shape))
            half = change.shape[0] // 2
            assert x < half
            assert y < half
            assert z >= half


def test_full_fine_tuning_trains_the_encoder_at_its_own_rate(tiny):
    from braindino.segmentation.optimiser import parameter_groups
    from braindino.settings.segmentation import Segmentation

    protocol = Segmentation()
    network = network_of(tiny("braindino"), frozen=False)
    decoder, encoder = parameter_groups(network, protocol)
    assert encoder["lr"] == protocol.encoder_learning_rate
    assert len(encoder["params"]) == len(list(network.encoder.parameters()))
    frozen = parameter_groups(network_of(tiny("braindino")), protocol)
    assert [group["lr"] for group in frozen] == [protocol.learning_rate]
    assert len(frozen[0]["params"]) == len(decoder["params"])


def test_rates_fall_as_stated():
    from braindino.segmentation.optimiser import rate_share
    from braindino.settings.segmentation import Segmentation

    flat, deep = (rate_share(Segmentation(), flat=f) for f in (True, False))
    assert flat(0) == deep(0) == 1
    assert flat(99) == pytest.approx(0.01)
    assert deep(99) == pytest.approx((1 - 99 / 1000) ** 0.9)  # PolyLR over 1000 epochs (§4.3.1)
