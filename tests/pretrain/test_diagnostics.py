import math

import pytest
import torch

from braindino.pretrain.diagnostics import effective_rank, mean_entropy


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
