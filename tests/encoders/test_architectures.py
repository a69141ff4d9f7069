"""At full size, each card builds the network that its authors describe: parameters are counted."""

import pytest
import torch

from braindino.encoders.build import build_network
from braindino.errors import BadInput
from braindino.settings.load import load_card


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("dinov3", {}, 85_641_216),
        ("random", {}, 85_641_216),
        ("brainmvp", {}, 22_038_464),
        ("brainmvp", {"channels": 4}, 22_040_000),
        # 18,432 of MONAI's norms for cross-attention, which nobody uses, are in neither count.
        ("bm_mae", {"modalities": ["t1"]}, 60_266_496),
        ("brainiac", {}, 88_340_736),
        ("simclr_3d", {}, 33_160_896),
        ("intensity", {}, 0),
    ],
)
def test_full_size(name, arguments, expected, root):
    card = load_card("encoders", name, root / "config")
    card = card.model_copy(update={"arguments": card.arguments | arguments})
    with torch.device("meta"):
        network = build_network(card, seed=0)
    counted = [p.numel() for k, p in network.named_parameters() if "norm_cross_attn" not in k]
    assert sum(counted) == expected


def test_random_weights_depend_on_the_card_and_the_seed_alone(small_card):
    card, key = small_card("dinov3"), "blocks.0.attn.qkv.weight"
    torch.manual_seed(1)
    one = build_network(card, seed=0).state_dict()[key]
    torch.manual_seed(2)
    same, other = (build_network(card, seed).state_dict()[key] for seed in (0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"architecture": "vit_base_patch16_dinov4"},
            "no model 'vit_base_patch16_dinov4'; did you",
        ),
        ({"arguments": {"deep": 4}}, r"vit_small_patch16_dinov3 refuses its 'arguments': .*deep"),
        ({"source": "python", "architecture": "nowhere.Net"}, "'nowhere.Net' cannot be imported"),
        ({"source": "python", "architecture": "torch.nn.Nix"}, "'torch.nn.Nix' cannot be imported"),
        ({"source": "python", "architecture": "Net"}, "'Net' cannot be imported"),
    ],
)
def test_a_card_that_cannot_be_built(changes, message, small_card):
    with pytest.raises(BadInput, match=message):
        build_network(small_card("dinov3", **changes), seed=0)
