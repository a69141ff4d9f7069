import pytest
import timm
import torch

from braindino.pretrain.model import Head, build_pair, update_teacher


@pytest.fixture
def pair(recipe):
    return build_pair(recipe.model, seed=0)


def slices(batch=2, size=48, seed=0):
    return torch.randn(batch, 1, size, size, generator=torch.Generator().manual_seed(seed))


def test_class_token_is_timms(pair, recipe):
    vit = timm.create_model(
        recipe.model.architecture, num_classes=0, global_pool="token", **recipe.model.arguments
    )
    vit.load_state_dict(pair[1].backbone.vit.state_dict(), strict=True)
    images = slices()
    with torch.no_grad():
        cls, patches = pair[1].backbone(images)
        torch.testing.assert_close(cls, vit.eval()(images.repeat(1, 3, 1, 1)))
    assert patches.shape == (2, 9, 48)


def test_masked_pixels_are_invisible(pair):
    backbone = pair[1].backbone
    images, masks = slices(), torch.zeros(2, 3, 3).bool()
    masks[0, 1, 2] = True
    changed = images.clone()
    changed[0, :, 16:32, 32:48] += 5
    with torch.no_grad():
        before, after = backbone(images, masks), backbone(changed, masks)
        unmasked = backbone(changed)
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert not torch.equal(unmasked[0], before[0])


def test_mask_token_takes_the_patchs_place(pair):
    # Patches of zeros embed to the bias, so a mask token equal to it hides nothing new.
    backbone = pair[1].backbone
    backbone.mask_token.data.copy_(backbone.vit.patch_embed.proj.bias)
    images = torch.zeros(1, 1, 48, 48)
    masked, plain = backbone(images, torch.ones(1, 3, 3).bool()), backbone(images)
    torch.testing.assert_close(masked[1], plain[1])
    backbone.mask_token.data += 1
    assert not torch.allclose(backbone(images, torch.ones(1, 3, 3).bool())[1], plain[1])


def test_student_and_teacher_start_equal(pair):
    student, teacher = pair
    for (name, a), (_, b) in zip(
        student.named_parameters(), teacher.named_parameters(), strict=True
    ):
        assert torch.equal(a, b), name
        assert a.requires_grad
        assert not b.requires_grad


def test_weights_follow_the_seed_and_leave_the_global_generator_alone(recipe):
    before = torch.random.get_rng_state()
    first, again, other = (build_pair(recipe.model, seed)[0] for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), before)
    weight = "backbone.vit.blocks.0.attn.qkv.weight"
    assert torch.equal(first.get_parameter(weight), again.get_parameter(weight))
    assert not torch.equal(first.get_parameter(weight), other.get_parameter(weight))


def test_drop_path_is_the_students_and_uniform(pair, recipe):
    student, teacher = pair
    assert student.backbone.drop_path == recipe.model.drop_path > 0
    assert student.training
    assert teacher.backbone.drop_path == 0


def test_teacher_is_a_moving_average(pair):
    student, teacher = pair
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.fill_(1.0)
        for parameter in teacher.parameters():
            parameter.fill_(3.0)
    update_teacher(teacher, student, momentum=0.75)
    update_teacher(teacher, student, momentum=0.75)
    # 1 + 2 · 0.75²
    assert all(torch.allclose(p, torch.tensor(2.125)) for p in teacher.parameters())


def test_a_head_scores_directions():
    head = Head(8, 16, 4, 6)
    tokens = torch.randn(5, 8)
    assert head.prototypes.bias is None
    torch.testing.assert_close(head(tokens).norm(dim=1), torch.ones(5))
