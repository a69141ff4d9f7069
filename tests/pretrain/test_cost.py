"""The counted FLOPs beside those that torch sees, and the cost of the paper's recipe."""

import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import normalize
from torch.utils.flop_counter import FlopCounterMode

from braindino.pretrain.cost import cost, show_cost
from braindino.pretrain.flops import expected_masked, shape_of, slice_flops
from braindino.pretrain.model import build_pair
from braindino.settings.imaging import Imaging
from braindino.settings.load import load_card
from braindino.settings.plan import Plan
from braindino.settings.pretrain import Objective, Recipe

LEARNED = {"embed_dim": 48, "depth": 2, "num_heads": 3, "dynamic_img_size": True, "img_size": 56}


def measured_flops(function):
    """Count what torch multiplies; flash attention would hide its products."""
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        function()
    return counter.get_total_flops()


def scores(head, tokens):
    return head.prototypes(normalize(head.mlp(tokens), dim=-1))


@pytest.mark.parametrize(
    ("changes", "sizes", "channels"),
    [
        ({}, (48, 32), 1),
        ({"architecture": "vit_small_patch14_dinov2", "arguments": LEARNED}, (56, 28), 3),
    ],
)
def test_counted_flops_are_torchs(recipe, changes, sizes, channels):
    model = recipe.model.model_copy(update={"drop_path": 0.0} | changes)
    views = recipe.views.model_copy(
        update={"global_sizes": [sizes[0]], "local_sizes": [sizes[1]], "local_crops": 3}
    )
    student, teacher = build_pair(model, seed=0)
    whole = torch.randn(2, channels, sizes[0], sizes[0])
    parts = torch.randn(3, channels, sizes[1], sizes[1])
    shape = shape_of(model, channels)
    side = sizes[0] // shape.pixels[0]
    masks = torch.zeros(2, side, side).bool()
    masks[:, 0] = True

    def see():
        cls, masked = student.backbone(whole, masks, wanted=masks)
        local, _ = student.backbone(parts, wanted=student._no_patches(parts))
        seen = scores(student.dino_head, torch.cat([cls, local]))
        (seen.sum() + scores(student.ibot_head, masked).sum()).backward()

    def give():
        with torch.no_grad():
            cls, masked = teacher.backbone(whole, wanted=masks)
            scores(teacher.dino_head, cls)
            scores(teacher.ibot_head, masked)

    # Every crop is masked, a row of it: one part in `side`.
    objective = Objective(mask_probability=1, mask_ratio=(1 / side, 1 / side))
    counted = slice_flops(shape, views, objective)
    total = measured_flops(see) + measured_flops(give)
    assert sum(counted.values()) == pytest.approx(total, rel=1e-12)
    heads = 2 * shape.head  # of one token, forward
    assert counted["heads"] == pytest.approx(heads * (3 * (5 + 2 * side) + 2 + 2 * side))


def test_several_crop_sizes_cost_their_mean(recipe):
    shape = shape_of(recipe.model)
    pairs = [([48], [32], [1.0]), ([96], [64], [1.0]), ([48, 96], [32, 64], [0.75, 0.25])]
    first, second, both = (
        sum(slice_flops(shape, with_sizes(recipe.views, *pair), recipe.objective).values())
        for pair in pairs
    )
    assert both == pytest.approx(0.75 * first + 0.25 * second)


def with_sizes(views, *sizes):
    keys = ("global_sizes", "local_sizes", "size_ratios")
    return views.model_copy(update=dict(zip(keys, sizes, strict=True)))


def test_the_network_is_measured_without_its_weights(recipe):
    shape = shape_of(recipe.model)
    student, _ = build_pair(recipe.model, seed=0)
    assert shape.parameters == sum(p.numel() for p in student.parameters())
    assert shape.prefix == 5
    assert shape.blocks == 2 * 12 * 48**2  # four products of attention, eight of the MLP


def test_masked_patches_are_counted_by_their_mean(recipe):
    shape, views = shape_of(recipe.model), recipe.views
    # 2 crops of 9 patches, half of the crops masked, 10 to 50 % of their patches
    assert expected_masked(shape, views, recipe.objective, 48) == pytest.approx(2 * 9 * 0.5 * 0.3)


def test_the_papers_recipe_costs_700_hours(root):
    recipe, plan = load_card("recipes", "braindino", root / "config"), Plan()
    found = cost(recipe, plan, Imaging())
    total = sum(found.flops.values())
    # By hand: 12 blocks of 12·768² weights, 261 and 54 tokens; patches of 256 pixels
    blocks = {n: 2 * 12 * 12 * 768**2 * n + 4 * 12 * 768 * n**2 for n in (261, 54)}
    embed = {n: 2 * 256 * 768 * n for n in (256, 49)}
    student = 2 * (3 * blocks[261] + 2 * embed[256]) + 8 * (3 * blocks[54] + 2 * embed[49])
    # The last MLP sees class tokens and the masked patches, half of the crops' 10 to 50 %.
    unread = 2 * (260 - 256 * 0.5 * 0.3) + 8 * 53
    assert found.flops["student"] == pytest.approx(student - 3 * 2 * 8 * 768**2 * unread)
    assert total == pytest.approx(0.6e12, rel=0.05)
    assert found.slices == 512_000_000
    assert found.gpu_hours == pytest.approx(700, rel=0.05)
    assert found.corpus == pytest.approx(6.6e6, rel=0.02)  # §4.1.1
    # Eight hundred slices a second of 128 KiB
    assert found.slices_per_second * total == pytest.approx(4 * 312e12 * 0.4)
    assert found.image_bytes == 131072
    text = show_cost(found, recipe, plan)
    for part in ("0.59 TFLOP a slice", "512,000,000", "667 A100-hours", "4 × A100", "2.0 GiB"):
        assert part in text


def test_the_checkpoint_is_as_large_as_reckoned(recipe, tmp_path):
    """Four float32 copies of the parameters, and little else."""
    larger = recipe.model.model_copy(update={"prototypes": 20_000, "head_bottleneck": 64})
    student, teacher = build_pair(larger, seed=0)
    optimiser = torch.optim.AdamW(student.parameters())
    for parameter in student.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    state = [student.state_dict(), teacher.state_dict(), optimiser.state_dict()]
    torch.save(state, tmp_path / "state.pt")
    found = cost(Recipe(name="x", title="", model=larger), Plan(), Imaging())
    size = (tmp_path / "state.pt").stat().st_size
    assert found.checkpoint_bytes == pytest.approx(size, rel=0.02)


def test_twice_the_machine_takes_the_same_gpu_hours(recipe):
    one, two = (cost(recipe, Plan(gpus=gpus, gpu="H100"), Imaging()) for gpus in (1, 2))
    assert one.gpu_hours == two.gpu_hours
    assert two.slices_per_second == 2 * one.slices_per_second
