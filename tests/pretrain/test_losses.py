"""The terms of the objective against values worked out by hand and against definitions."""

import math

import numpy as np
import pytest
import torch

from braindino.pretrain.losses import dino_loss, ibot_loss, koleo_loss, sinkhorn


def one_hot(index, classes=2):
    return torch.nn.functional.one_hot(torch.tensor(index), classes).float()


def test_dino_averages_the_pairs_of_views():
    # One slice; the teacher's views say class 0 and class 1. A student logit pair (z, 0) at
    # temperature 1 costs log(1 + exp(-z)) against class 0, and z more against class 1.
    targets = one_hot([[0], [1]])
    student = torch.tensor([[[2.0, 0.0]], [[0.0, 0.0]], [[-1.0, 0.0]]])
    by_hand = [
        math.log(1 + math.exp(-2)),
        math.log(2),
        math.log(1 + math.exp(1)),
        2 + math.log(1 + math.exp(-2)),
        math.log(2),
        -1 + math.log(1 + math.exp(1)),
    ]
    assert dino_loss(student, targets, 1.0).item() == pytest.approx(np.mean(by_hand))


def test_dino_leaves_out_a_crop_with_itself():
    targets = one_hot([[0], [1]])
    student = torch.tensor([[[3.0, 0.0]], [[1.0, 0.0]]])
    # Only teacher 0 with student 1, and teacher 1 with student 0, remain.
    by_hand = (math.log(1 + math.exp(-1)) + 3 + math.log(1 + math.exp(-3))) / 2
    assert dino_loss(student, targets, 1.0, other_views=True).item() == pytest.approx(by_hand)


def test_dino_divides_student_logits_by_the_temperature():
    targets, student = one_hot([[0]]), torch.tensor([[[0.2, 0.0]]])
    assert dino_loss(student, targets, 0.1).item() == pytest.approx(math.log(1 + math.exp(-2)))


def test_ibot_weighs_crops_alike_and_counts_the_unmasked_ones():
    masks = torch.tensor([[1, 1, 0], [0, 0, 0], [0, 0, 1]]).bool()
    student = torch.tensor([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    cost = [math.log(1 + math.exp(-z)) for z in (1, 2, 4)]
    by_hand = ((cost[0] + cost[1]) / 2 + cost[2]) / 3
    loss = ibot_loss(student, one_hot([0, 0, 0]), masks, 1.0)
    assert loss.item() == pytest.approx(by_hand)


def test_ibot_without_masks_is_zero_and_has_a_gradient():
    student = torch.zeros(0, 4, requires_grad=True)
    loss = ibot_loss(student, torch.zeros(0, 4), torch.zeros(2, 9).bool(), 0.1)
    loss.backward()
    assert loss.item() == 0


def test_losses_do_not_depend_on_the_order_of_prototypes():
    rng = torch.Generator().manual_seed(0)
    student = torch.randn(2, 6, 32, generator=rng)
    teacher = torch.randn(12, 32, generator=rng)
    order = torch.randperm(32, generator=rng)
    masks = torch.ones(3, 4).bool()

    def terms(student, teacher):
        targets = sinkhorn(teacher, 0.05, 3)
        return (
            dino_loss(student, targets.unflatten(0, (2, 6)), 0.1, other_views=True),
            ibot_loss(student.flatten(0, 1), targets, masks, 0.1),
        )

    plain = terms(student, teacher)
    permuted = terms(student[..., order], teacher[..., order])
    torch.testing.assert_close(plain, permuted)


def test_koleo_on_four_points_of_a_circle():
    # At 0°, 10°, 90° and 120° the nearest neighbours are 10°, 10°, 30° and 30° away.
    angles = np.deg2rad([0, 10, 90, 120])
    lengths = np.array([1.0, 5.0, 0.1, 2.0])  # KoLeo looks at directions alone
    points = torch.tensor(lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    chords = 2 * np.sin(np.deg2rad([10, 10, 30, 30]) / 2)
    assert koleo_loss(points).item() == pytest.approx(-np.log(chords).mean(), rel=1e-5)


def test_koleo_pushes_the_nearest_neighbours_apart():
    points = torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]], requires_grad=True)
    koleo_loss(points).backward()
    step = points.detach() - 0.1 * points.grad
    assert step[0, 1] > 0.1
    assert step[1, 1] < -0.1


def test_koleo_is_finite_for_equal_features():
    points = torch.ones(4, 8, requires_grad=True)
    koleo_loss(points).backward()
    assert points.grad.isfinite().all()


def test_sinkhorn_marginals():
    logits = torch.randn(16, 8, generator=torch.Generator().manual_seed(1))
    q = sinkhorn(logits, 0.5, 50)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(16))
    torch.testing.assert_close(q.sum(dim=0), torch.full((8,), 2.0), rtol=1e-3, atol=0)


def test_sinkhorn_against_plain_scaling():
    logits = np.random.default_rng(2).normal(size=(6, 4))
    q = np.exp(logits / 0.5)
    for _ in range(3):
        q /= q.sum(axis=0)
        q /= q.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(sinkhorn(torch.tensor(logits), 0.5, 3).numpy(), q, rtol=1e-5)


def test_sinkhorn_survives_logits_that_overflow_an_exponential():
    logits = torch.tensor([[40.0, -40.0, 0.0], [-40.0, 40.0, 0.0]])
    q = sinkhorn(logits, 0.04, 3)
    assert q.isfinite().all()
    torch.testing.assert_close(q.sum(dim=1), torch.ones(2))


def test_sinkhorn_undoes_a_collapse_onto_one_prototype():
    logits = torch.randn(8, 4, generator=torch.Generator().manual_seed(3)) * 0.1
    logits[:, 0] += 10
    assert (sinkhorn(logits, 0.1, 3).sum(dim=0) > 1).all()
