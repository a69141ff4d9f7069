"""The terms of the objective against values worked out by hand and against definitions."""

import math

import numpy as np
import pytest
import torch

from braindino.pretrain.losses import logits as logits_module
from braindino.pretrain.losses.centring import Targets, sinkhorn, update_centre
from braindino.pretrain.losses.cross_entropy import prototype_cross_entropy
from braindino.pretrain.losses.dino import dino_loss
from braindino.pretrain.losses.ibot import ibot_loss
from braindino.pretrain.losses.koleo import koleo_loss
from braindino.pretrain.losses.logits import Logits, may_keep

CLASSES = torch.eye(2)  # prototypes whose scores are the tokens themselves


def certain(*classes):
    """Targets that say one of two classes each."""
    return torch.nn.functional.one_hot(torch.tensor(classes), 2).float()


def dino_global_loss(tokens, *rest):
    return dino_loss(tokens, tokens, *rest).global_pairs


def dino_local_loss(tokens, prototypes, targets, temperature):
    whole = prototypes.new_zeros(len(targets), prototypes.shape[1])
    return dino_loss(whole, tokens, prototypes, targets, temperature).local_pairs


def cost(score, target=0):
    """The cross-entropy of scores (score, 0) with a class, at temperature 1."""
    return math.log(1 + math.exp(-score)) + (score if target else 0)


def test_dino_averages_the_pairs_of_a_local_view_with_both_global_ones():
    # One slice; the teacher's views say class 0 and class 1.
    scores = 2.0, 0.0, -1.0
    tokens = torch.tensor([[score, 0.0] for score in scores])
    by_hand = np.mean([cost(score, target) for score in scores for target in (0, 1)])
    loss = dino_local_loss(tokens, CLASSES, certain(0, 1), 1.0)
    assert loss.item() == pytest.approx(by_hand)


def test_dino_keeps_slices_apart():
    # Two slices, view-major: both views of the first say class 0, of the second class 1.
    tokens = torch.tensor([[1.0, 0], [2.0, 0], [3.0, 0], [4.0, 0]])
    by_hand = np.mean([cost(1), cost(2, 1), cost(3), cost(4, 1)])
    loss = dino_local_loss(tokens, CLASSES, certain(0, 1, 0, 1), 1.0)
    assert loss.item() == pytest.approx(by_hand)


def test_dino_gives_each_global_view_the_others_target():
    tokens = torch.tensor([[3.0, 0.0], [1.0, 0.0]])
    by_hand = (cost(1) + cost(3, 1)) / 2
    loss = dino_global_loss(tokens, CLASSES, certain(0, 1), 1.0)
    assert loss.item() == pytest.approx(by_hand)


def test_dino_divides_student_scores_by_the_temperature():
    loss = dino_global_loss(torch.tensor([[0.2, 0.0]] * 2), CLASSES, certain(0, 0), 0.1)
    assert loss.item() == pytest.approx(cost(2))


def test_ibot_weighs_crops_alike_and_counts_the_unmasked_ones():
    masks = torch.tensor([[1, 1, 0], [0, 0, 0], [0, 0, 1]]).bool()
    tokens = torch.tensor([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0]])
    by_hand = ((cost(1) + cost(2)) / 2 + cost(4)) / 3
    loss = ibot_loss(tokens, CLASSES, certain(0, 0, 0), masks, 1.0)
    assert loss.item() == pytest.approx(by_hand)


def test_ibot_without_masks_is_zero_and_has_a_gradient():
    tokens = torch.zeros(0, 2, requires_grad=True)
    loss = ibot_loss(tokens, CLASSES, torch.zeros(0, 2), torch.zeros(2, 9).bool(), 0.1)
    loss.backward()
    assert loss.item() == 0


@pytest.fixture
def scored():
    """Student and teacher tokens of two views of six slices, and prototypes of either."""
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randn(2, 12, 8, generator=rng)
    prototypes = torch.randn(2, 32, 8, generator=rng)
    return *torch.nn.functional.normalize(tokens, dim=-1), *prototypes


def centred(tokens, prototypes, temperature=0.05, iterations=3):
    logits = Logits(tokens, prototypes, temperature)
    sinkhorn([logits], iterations)
    return Targets(logits)


def test_losses_do_not_depend_on_the_order_of_prototypes(scored):
    student, teacher, ours, theirs = scored
    order = torch.randperm(32, generator=torch.Generator().manual_seed(1))
    masks = torch.ones(3, 4).bool()

    def terms(ours, theirs):
        targets = centred(teacher, theirs)
        dino = dino_loss(student, student, ours, targets, 0.1)
        return *dino, ibot_loss(student, ours, targets, masks, 0.1)

    torch.testing.assert_close(terms(ours, theirs), terms(ours[order], theirs[order]))


@pytest.mark.parametrize(("rows", "kept"), [(1, 100), (5, 7), (100, 5), (2, 12)])
def test_loss_and_gradients_are_those_of_whole_matrices_whatever_the_block(
    rows, kept, scored, monkeypatch
):
    """Against torch's own cross-entropy and autograd."""
    student, teacher, ours, theirs = scored
    whole = balanced(teacher @ theirs.T, 0.05, 3)
    monkeypatch.setattr(logits_module, "BLOCK", rows * 32)
    monkeypatch.setattr(logits_module, "KEPT", kept * 32)
    weights = torch.linspace(0.5, 2, 12)
    results = []
    for blockwise in (True, False):
        leaves = [part.clone().requires_grad_() for part in (student, ours)]
        if blockwise:
            loss = prototype_cross_entropy(*leaves, centred(teacher, theirs), weights, 0.1)[0]
        else:
            scores = leaves[0] @ leaves[1].T / 0.1
            each = torch.nn.functional.cross_entropy(scores, whole, reduction="none")
            loss = weights @ each
        (3 * loss).backward()
        results.append((loss.detach(), *(leaf.grad for leaf in leaves)))
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)


def test_local_loss_in_blocks_that_cut_a_slice_in_two(scored, monkeypatch):
    student, teacher, ours, theirs = scored
    local = torch.cat([student, student.flip(0), student.roll(1, 0)])  # six views of six slices
    whole = dino_loss(student, local, ours, centred(teacher, theirs), 0.1)
    monkeypatch.setattr(logits_module, "BLOCK", 5 * 32)
    blocks = dino_loss(student, local, ours, centred(teacher, theirs), 0.1)
    torch.testing.assert_close(blocks, whole)


def test_koleo_on_four_points_of_a_circle():
    # At 0°, 10°, 90° and 120° the nearest neighbours are 10°, 10°, 30° and 30° away.
    angles = np.deg2rad([0, 10, 90, 120])
    lengths = np.array([1.0, 5.0, 0.1, 2.0])  # KoLeo looks at directions alone
    points = torch.tensor(lengths[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1))
    chords = 2 * np.sin(np.deg2rad([10, 10, 30, 30]) / 2)
    assert koleo_loss(points, 256).item() == pytest.approx(-np.log(chords).mean(), rel=1e-5)


def test_koleo_pushes_the_nearest_neighbours_apart():
    points = torch.tensor([[1.0, 0.1], [1.0, -0.1], [-1.0, 0.0]], requires_grad=True)
    koleo_loss(points, 256).backward()
    step = points.detach() - 0.1 * points.grad
    assert step[0, 1] > 0.1
    assert step[1, 1] < -0.1


def test_koleo_is_finite_for_equal_features():
    points = torch.ones(4, 8, requires_grad=True)
    koleo_loss(points, 256).backward()
    assert points.grad.isfinite().all()


def test_koleo_looks_for_neighbours_within_a_group():
    # Two pairs: within a group the neighbour is opposite, in the whole batch it is near.
    points = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.1], [-1.0, 0.1]])
    apart = koleo_loss(points, 2)
    by_hand = (math.log(2) + math.log(2 / math.sqrt(1.01))) / 2
    assert apart.item() == pytest.approx(-by_hand)
    assert koleo_loss(points, 4) > apart + 1


def balanced(logits, temperature, iterations):
    """The targets of given scores: the tokens, before prototypes that leave them as they are."""
    scores = torch.as_tensor(logits, dtype=torch.float32)
    return centred(scores, torch.eye(scores.shape[1]), temperature, iterations)[: len(scores)]


def test_sinkhorn_marginals():
    logits = torch.randn(16, 8, generator=torch.Generator().manual_seed(1))
    q = balanced(logits, 0.5, 50)
    torch.testing.assert_close(q.sum(dim=1), torch.ones(16))
    torch.testing.assert_close(q.sum(dim=0), torch.full((8,), 2.0), rtol=1e-3, atol=0)


def test_sinkhorn_against_plain_scaling():
    logits = np.random.default_rng(2).normal(size=(6, 4))
    q = np.exp(logits / 0.5)
    for _ in range(3):
        q /= q.sum(axis=0)
        q /= q.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(balanced(torch.tensor(logits), 0.5, 3).numpy(), q, rtol=1e-5)


def test_sinkhorn_in_bfloat16_is_float64s_within_a_percent():
    """Scores are rounded as all products are; what is made of the rounded ones is held here."""
    rng = torch.Generator().manual_seed(5)
    tokens, prototypes = (
        torch.nn.functional.normalize(torch.randn(n, 32, generator=rng), dim=1) for n in (96, 512)
    )
    logits = Logits(tokens, prototypes.bfloat16(), 0.07)
    q = logits[:].double().exp()
    for _ in range(3):
        q /= q.sum(dim=0)
        q /= q.sum(dim=1, keepdim=True)
    sinkhorn([logits], 3)
    torch.testing.assert_close(Targets(logits)[:].double(), q, rtol=0.01, atol=0)


def test_sinkhorn_survives_logits_that_overflow_an_exponential():
    logits = torch.tensor([[40.0, -40.0, 0.0], [-40.0, 40.0, 0.0]])
    q = balanced(logits, 0.04, 3)
    assert q.isfinite().all()
    torch.testing.assert_close(q.sum(dim=1), torch.ones(2))


def test_sinkhorn_undoes_a_collapse_onto_one_prototype():
    logits = torch.randn(8, 4, generator=torch.Generator().manual_seed(3)) * 0.1
    logits[:, 0] += 10
    assert (balanced(logits, 0.1, 3).sum(dim=0) > 1).all()


@pytest.mark.parametrize("rows", [1, 4, 100])
def test_sinkhorn_in_blocks_equals_the_whole(rows, monkeypatch):
    logits = torch.randn(9, 6, generator=torch.Generator().manual_seed(4))
    whole = balanced(logits, 0.3, 3)
    monkeypatch.setattr(logits_module, "BLOCK", rows * 6)
    torch.testing.assert_close(balanced(logits, 0.3, 3), whole)


def test_sinkhorn_over_parts_is_sinkhorn_over_all():
    scores = torch.randn(9, 6, generator=torch.Generator().manual_seed(4))
    parts = [Logits(part, torch.eye(6), 0.3) for part in scores.split([4, 0, 5])]
    sinkhorn(parts, 3)
    whole = Logits(scores, torch.eye(6), 0.3)
    sinkhorn([whole], 3)
    for part in parts:
        torch.testing.assert_close(part.shift, whole.shift)


def test_parts_that_are_together_too_many_are_not_kept(monkeypatch):
    scores = torch.randn(9, 6, generator=torch.Generator().manual_seed(4))
    monkeypatch.setattr(logits_module, "KEPT", 40)
    parts = scores.split([4, 5])
    assert all(may_keep([part], torch.eye(6)) for part in parts)
    assert not may_keep(parts, torch.eye(6))
    forgetful = [Logits(part, torch.eye(6), 0.3, keep=False) for part in parts]
    kept = [Logits(part, torch.eye(6), 0.3, keep=True) for part in parts]
    for logits in (forgetful, kept):
        sinkhorn(logits, 3)
    for ours, theirs in zip(forgetful, kept, strict=True):
        torch.testing.assert_close(ours[:], theirs[:])


def test_sinkhorn_without_samples_shifts_nothing():
    logits = Logits(torch.zeros(0, 4), torch.eye(4), 0.1)
    sinkhorn([logits], 3)
    assert torch.equal(logits.shift, torch.zeros(4))


def test_centre_is_the_moving_average_of_the_mean_scores():
    centre = torch.tensor([1.0, 0.0, 0.0])
    tokens = torch.tensor([[1.0, 0.0], [0.0, 3.0]])
    prototypes = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    # Mean scores: (2 + 0) / 2, (0 + 3) / 2, (1 + 3) / 2.
    update_centre(centre, tokens, prototypes, 0.9)
    torch.testing.assert_close(
        centre, 0.9 * torch.tensor([1.0, 0, 0]) + 0.1 * torch.tensor([1, 1.5, 2])
    )


def wave(rows, columns, phase):
    values = torch.sin(0.7 * torch.arange(rows * columns, dtype=torch.float32) + phase)
    return torch.nn.functional.normalize(values.view(rows, columns), dim=1)


def test_losses_are_those_of_an_independent_library():
    """The numbers are what lightly 1.6.0 (MIT) gave on these waves, with an EMA centre of 0.9."""
    assert koleo_loss(wave(6, 5, 0.3), 256).item() == pytest.approx(0.40551650524139404)
    teacher, student, local = 3 * wave(8, 5, 1.0), 3 * wave(8, 5, 2.0), 3 * wave(12, 5, 0.1)
    classes, centre = torch.eye(5), torch.zeros(5)
    # Two teacher and five student views of four slices: 2 global and 6 local pairs.
    for expected in (9.042719841003418, 9.04161548614502):
        logits = Logits(teacher, classes, 0.05)
        logits.add(centre / -0.05)
        update_centre(centre, teacher, classes, 0.9)
        dino = dino_loss(student, local, classes, Targets(logits), 0.1)
        assert dino.loss.item() == pytest.approx(expected)
        pairs = 2 * dino.global_pairs + 6 * dino.local_pairs
        assert pairs.item() / 8 == pytest.approx(expected)
    masks, centre = torch.zeros(3, 6).bool(), torch.zeros(5)
    masks[0, :3] = masks[2, 3:5] = True
    for expected in (3.8619778156280518, 3.8649818897247314):
        logits = Logits(teacher[:5], classes, 0.05)
        logits.add(centre / -0.05)
        update_centre(centre, teacher[:5], classes, 0.9)
        loss = ibot_loss(student[:5], classes, Targets(logits), masks, 0.1)
        assert loss.item() == pytest.approx(expected)
