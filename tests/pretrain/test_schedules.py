import math

import pytest
import torch

from braindino.pretrain.model import Network
from braindino.pretrain.optimiser import build_optimiser, rate_multiplier, set_rates
from braindino.pretrain.schedules import learning_rate, peak_rate, teacher_temperature
from braindino.settings.pretrain import Model, Objective, Optimisation

PAPER = Optimisation()


def test_the_papers_peak_rate():
    assert peak_rate(PAPER) == pytest.approx(4e-4)
    assert peak_rate(Optimisation(batch=256)) == pytest.approx(2e-4)
    assert peak_rate(Optimisation(batch=256, lr_scaling="none")) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("iteration", "rate"),
    [
        (0, 4e-8),
        (4_999, 2e-4),
        (9_999, 4e-4),
        (10_000, 4e-4),
        (255_000, (4e-4 + 1e-6) / 2),  # half-way through the cosine
        (10_000 + 490_000 // 3, 1e-6 + (4e-4 - 1e-6) * 0.75),  # cos 60° = 1/2
        (500_000, 1e-6),
    ],
)
def test_the_papers_learning_rate(iteration, rate):
    assert learning_rate(PAPER, iteration) == pytest.approx(rate, rel=1e-4)


@pytest.mark.parametrize(("iteration", "value"), [(0, 0.04), (15_000, 0.055), (90_000, 0.07)])
def test_teacher_temperature(iteration, value):
    assert teacher_temperature(Objective(), iteration) == pytest.approx(value)


def test_teacher_temperature_without_warmup():
    assert teacher_temperature(Objective(teacher_warmup=0), 0) == pytest.approx(0.07)


@pytest.mark.parametrize(
    ("name", "multiplier"),
    [
        ("backbone.vit.blocks.11.attn.qkv.weight", 0.9),
        ("backbone.vit.blocks.0.norm1.weight", 0.9**12),
        ("backbone.vit.blocks.3.gamma_1", 0.9**9),
        ("backbone.vit.cls_token", 0.9**13),
        ("backbone.vit.reg_token", 0.9**13),
        ("backbone.mask_token", 0.9**13),
        ("backbone.vit.patch_embed.proj.weight", 0.2 * 0.9**13),
        ("backbone.vit.norm.weight", 1.0),
        ("dino_head.mlp.0.weight", 1.0),
        ("ibot_head.prototypes.weight", 1.0),
    ],
)
def test_rate_multipliers_of_vit_b(name, multiplier):
    assert rate_multiplier(name, 12, PAPER) == pytest.approx(multiplier)


@pytest.fixture(scope="module")
def network():
    return Network(
        Model(
            architecture="vit_small_patch16_dinov3",
            arguments={"embed_dim": 48, "depth": 2, "num_heads": 3},
            head_hidden=16,
            head_bottleneck=8,
            prototypes=8,
        )
    )


def groups_by_name(network, settings, iteration=0):
    optimiser = build_optimiser(network, settings)
    set_rates(optimiser, settings, iteration)
    names = {parameter: name for name, parameter in network.named_parameters()}
    return {names[p]: group for group in optimiser.param_groups for p in group["params"]}


def test_every_parameter_is_optimised_once(network):
    optimiser = build_optimiser(network, PAPER)
    listed = [p for group in optimiser.param_groups for p in group["params"]]
    assert len(listed) == len(set(listed)) == len(list(network.parameters()))


def test_vectors_of_the_network_are_not_decayed_but_tokens_are(network):
    groups = groups_by_name(network, PAPER)
    decayed = {name for name, group in groups.items() if group["weight_decay"]}
    parameters = dict(network.named_parameters())
    matrices = {name for name, parameter in parameters.items() if parameter.ndim > 1}
    assert decayed == matrices | {"backbone.mask_token"}


def test_prototypes_are_frozen_at_first(network):
    frozen = groups_by_name(network, PAPER, PAPER.freeze_last_layer - 1)
    assert {name for name, group in frozen.items() if group["lr"] == 0} == {
        "dino_head.prototypes.weight",
        "ibot_head.prototypes.weight",
    }
    free = groups_by_name(network, PAPER, PAPER.freeze_last_layer)
    assert free["dino_head.prototypes.weight"]["lr"] == learning_rate(
        PAPER, PAPER.freeze_last_layer
    )


def test_a_frozen_prototype_does_not_move(network):
    optimiser = build_optimiser(network, PAPER)
    set_rates(optimiser, PAPER, 0)
    before = network.dino_head.prototypes.weight.clone()
    for parameter in network.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    assert torch.equal(network.dino_head.prototypes.weight, before)
    assert math.isclose(optimiser.param_groups[0]["betas"][1], 0.999)
