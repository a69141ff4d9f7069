"""The backbone beside timm's own forward passes."""

import math

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from braindino.errors import BadInput
from braindino.pretrain.backbone import Backbone
from braindino.pretrain.model import build_pair
from braindino.pretrain.randomness import seeded_torch
from braindino.settings.load import load_card

DINOV2 = "vit_small_patch14_dinov2"
TINY = {"embed_dim": 48, "depth": 2, "num_heads": 3, "init_values": 1.0}
LEARNED = TINY | {"img_size": 56, "dynamic_img_size": True}


def images(channels=3, size=56, batch=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, channels, size, size, generator=generator)


@pytest.fixture
def learned():
    with seeded_torch(0):
        return Backbone(DINOV2, LEARNED).eval()


@pytest.fixture
def lively(recipe):
    """Settings without stochastic depth, whose blocks are not idle."""
    arguments = recipe.model.arguments | {"init_values": 1.0}
    return recipe.model.model_copy(update={"arguments": arguments, "drop_path": 0.0})


@pytest.mark.parametrize("size", [56, 28])
@torch.no_grad()
def test_learned_positions_are_timms(learned, size):
    cls, patches = learned(images(size=size))
    tokens = learned.vit.forward_features(images(size=size))
    torch.testing.assert_close(cls, tokens[:, 0])
    torch.testing.assert_close(patches, tokens[:, 1:])


@torch.no_grad()
def test_three_channels_are_three_different_ones(lively):
    backbone = build_pair(lively, seed=0)[1].backbone
    expected = backbone.vit.forward_features(images(size=48))
    torch.testing.assert_close(backbone(images(size=48))[0], expected[:, 0])
    grey = images(channels=1, size=48)
    torch.testing.assert_close(backbone(grey)[0], backbone(grey.expand(-1, 3, -1, -1))[0])


@torch.no_grad()
def test_masked_pixels_are_invisible_with_learned_positions(learned):
    masks = torch.zeros(2, 4, 4).bool()
    masks[:, 1, 2] = True
    changed = images()
    changed[:, :, 14:28, 28:42] += 5
    assert torch.equal(learned(images(), masks)[1], learned(changed, masks)[1])
    assert not torch.allclose(learned(images())[0], learned(changed)[0])


@torch.no_grad()
def test_rescaled_coordinates_are_shorter_periods(lively):
    """An angle is coordinate over period, so scaling the one is dividing the other."""
    student, teacher = (network.backbone for network in build_pair(lively, seed=0))
    slices = images(channels=1, size=48)
    torch.manual_seed(3)
    drawn = student(slices)
    torch.manual_seed(3)
    scale = math.exp(torch.empty(1).uniform_(-math.log(2), math.log(2)).item())
    assert abs(scale - 1) > 0.05
    assert not torch.allclose(drawn[0], teacher(slices)[0], atol=1e-4)
    teacher.vit.rope.periods /= scale
    torch.testing.assert_close(drawn, teacher(slices))


@torch.no_grad()
def test_coordinates_are_rescaled_in_training_alone(lively):
    student, teacher = build_pair(lively, seed=0)
    rope = student.backbone.vit.rope
    plain = teacher.backbone.vit.rope.get_embed([2, 2])
    assert not torch.equal(rope.get_embed([2, 2]), rope.get_embed([2, 2]))
    before = torch.random.get_rng_state()
    assert torch.equal(teacher.train().backbone.vit.rope.get_embed([2, 2]), plain)
    assert torch.equal(student.eval().backbone.vit.rope.get_embed([2, 2]), plain)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_scale_is_log_uniform_between_its_bounds(lively):
    rope = build_pair(lively, seed=0)[0].backbone.vit.rope
    torch.manual_seed(0)
    scales = torch.stack([rope._apply_coord_augs(torch.ones(1, 2)) for _ in range(2000)])
    logs = scales[:, 0].log2()
    assert torch.equal(logs[:, 0], logs[:, 1])  # one draw for both axes
    assert -1 <= logs.min() < -0.99
    assert 0.99 < logs.max() <= 1
    assert logs.mean().abs() < 0.05
    assert logs.var().item() == pytest.approx(1 / 3, rel=0.1)


def test_recomputed_blocks_give_the_same_gradients(recipe):
    """Draws of stochastic depth and of the positions included."""
    dropped = recipe.model.model_copy(update={"drop_path": 0.5})
    gradients = []
    for recompute in (False, True):
        backbone = build_pair(dropped, seed=0)[0].backbone
        backbone.vit.set_grad_checkpointing(recompute)
        with seeded_torch(1), sdpa_kernel(SDPBackend.MATH):
            cls, patches = backbone(images(channels=1, size=48), torch.ones(2, 3, 3).bool())
            (cls.square().sum() + patches.square().sum()).backward()
        gradients.append([p.grad for p in backbone.parameters()])
    torch.testing.assert_close(*gradients, rtol=0, atol=0)


@pytest.mark.parametrize("drop_path", [0.0, 0.5])
def test_tokens_alone_that_are_wanted_are_those_of_all(recipe, drop_path):
    """With their gradients, and whichever images stochastic depth leaves out."""
    backbone = build_pair(recipe.model, seed=0)[0].backbone
    backbone.drop_path = drop_path
    wanted = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(2)) < 0.5
    results = []
    for asked in (None, wanted):
        backbone.zero_grad()
        with seeded_torch(1):
            cls, patches = backbone(images(channels=1, size=48), wanted=asked)
        patches = patches[wanted.flatten(1)] if asked is None else patches
        (cls.square().sum() + patches.pow(3).sum()).backward()
        grads = [p.grad for p in backbone.parameters() if p.grad is not None]
        results.append([cls.detach(), patches.detach(), *grads])
    torch.testing.assert_close(*results)


@pytest.mark.parametrize("size", ["small", "base", "large"])
def test_the_papers_architecture_in_three_sizes(size):
    with torch.device("meta"):
        backbone = Backbone(f"vit_{size}_patch16_dinov3", {})
    expected = {"small": (384, 12), "base": (768, 12), "large": (1024, 24)}
    assert (backbone.dim, backbone.depth) == expected[size]
    assert backbone.vit.num_prefix_tokens == 5  # class token and 4 storage tokens
    gammas = [g for n, g in backbone.named_parameters() if "gamma" in n]
    assert len(gammas) == 2 * backbone.depth


def test_the_papers_encoder_has_the_references_count():
    with torch.device("meta"):
        backbone = Backbone("vit_base_patch16_dinov3", {})
    assert sum(p.numel() for p in backbone.parameters()) == 85_641_984


@pytest.mark.parametrize(
    ("architecture", "arguments", "message"),
    [
        ("vit_bse_patch16_dinov3", {}, "timm has no model 'vit_bse_patch16_dinov3'"),
        ("resnet18", {}, "resnet18 is not a vision transformer"),
        (DINOV2, TINY, "takes images of one size; add dynamic_img_size: true"),
        (DINOV2, LEARNED | {"depht": 2}, "depht"),
    ],
)
def test_what_is_no_backbone_is_refused(architecture, arguments, message):
    with pytest.raises(BadInput, match=message):
        Backbone(architecture, arguments)


def test_the_backbone_of_every_recipe_can_be_built(root):
    for path in (root / "config" / "recipes").glob("*.yaml"):
        model = load_card("recipes", path.stem, root / "config").model
        with torch.device("meta"):
            Backbone(model.architecture, model.arguments)
