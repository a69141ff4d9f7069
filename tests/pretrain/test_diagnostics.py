import math

import pytest
import torch

from braindino.pretrain.diagnostics import (
    effective_rank,
    mean_entropy,
    nearest_distance,
    peak_memory,
    prototype_usage,
)


def test_entropy_of_certain_and_of_uniform_distributions():
    probabilities = torch.tensor([[1.0, 0, 0, 0], [0.25] * 4])
    assert mean_entropy(probabilities).item() == pytest.approx(math.log(4) / 2)


def test_rank_of_one_line_and_of_an_orthogonal_set():
    line = torch.arange(1.0, 7)[:, None] * torch.tensor([1.0, -2, 3])
    assert effective_rank(line).item() == pytest.approx(1, abs=1e-4)
    assert effective_rank(7 * torch.eye(5)).item() == pytest.approx(5)


def test_rank_of_two_unequal_directions():
    # Singular values 3 and 1: exp of the entropy of (3/4, 1/4).
    expected = math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    assert effective_rank(torch.diag(torch.tensor([3.0, 1.0]))).item() == pytest.approx(expected)


def test_usage_counts_first_choices():
    targets = torch.tensor([[0.7, 0.3, 0, 0], [0.6, 0, 0.4, 0], [0.1, 0.2, 0, 0.7]])
    assert prototype_usage(targets) == 2 / 4
    assert prototype_usage(torch.eye(5)) == 1


def test_nearest_distance_by_hand():
    # On the unit circle at 0°, 60° and 180°: the nearest are 60°, 60° and 120° away.
    angles = torch.tensor([0.0, math.pi / 3, math.pi])
    features = torch.stack([angles.cos(), angles.sin()], dim=1) * torch.tensor([[1.0], [7], [0.2]])
    expected = (1 + 1 + math.sqrt(3)) / 3
    assert nearest_distance(features).item() == pytest.approx(expected, rel=1e-5)
    assert nearest_distance(torch.ones(4, 3)).item() == pytest.approx(0, abs=1e-3)


def test_peak_memory_is_in_mebibytes_and_never_shrinks():
    before = peak_memory(torch.device("cpu"))
    held = bytearray(b"1") * (64 * 2**20)
    after = peak_memory(torch.device("cpu"))
    del held
    # torch's libraries alone take more than a hundred.
    assert 100 < before <= after == peak_memory(torch.device("cpu")) < 100_000
