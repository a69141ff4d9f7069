"""Batched heads: what each is, and that each learns what it would alone."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from braindino.probes import train
from braindino.probes.compiled import compiled_epoch
from braindino.probes.head import Heads, normalise
from braindino.probes.losses import LOSSES, cox, cross_entropy, log_mixed, squared_error
from braindino.probes.minibatches import epoch_batches
from braindino.probes.train import train_heads
from braindino.settings.probes import Probes

DIM = 12


def generators(seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def alone(seed, hidden, outputs, dropout=0.0):
    """Return the same head in torch's own modules, with the same first weights."""
    first = Heads(1, DIM, hidden, outputs).start(generators([seed])).parameters
    head = nn.Sequential(
        nn.LayerNorm(DIM), nn.Linear(DIM, hidden), nn.GELU(), nn.Linear(hidden, outputs)
    )
    with torch.no_grad():
        for layer, name in ((head[1], "1"), (head[3], "2")):
            layer.weight.copy_(first[f"weight{name}"][0].T)
            layer.bias.copy_(first[f"bias{name}"][0, 0])
    return head


def test_a_head_starts_as_torch_would():
    heads = Heads(2, DIM, 16, 4).start(generators([0, 1]))
    features = torch.randn(5, DIM)
    torch.testing.assert_close(heads(features)[1], alone(1, 16, 4)(features))
    torch.manual_seed(0)
    bound = nn.Linear(DIM, 10_000).weight.abs().max()
    assert heads.parameters["weight1"].abs().max() == pytest.approx(bound.item(), rel=0.02)


def test_gradients_are_those_of_autograd():
    heads, features = Heads(2, DIM, 8, 3).start(generators([3, 4])), torch.randn(2, 6, DIM)
    for part in heads.parameters.values():
        part += 0.1 * torch.randn(part.shape)
    keep = (torch.rand(2, 6, 8) > 0.3) / 0.7
    targets, weights = torch.randint(0, 3, (2, 6)), torch.full((2, 6), 1 / 6)
    heads.descend(normalise(features), lambda out: cross_entropy(out, targets, weights), keep)
    leaves = {name: part.clone().requires_grad_() for name, part in heads.parameters.items()}
    hidden = torch.bmm(normalise(features) * leaves["scale"] + leaves["shift"], leaves["weight1"])
    hidden = nn.functional.gelu(hidden + leaves["bias1"]) * keep
    out = torch.bmm(hidden, leaves["weight2"]) + leaves["bias2"]
    cross_entropy(out, targets, weights).sum().backward()
    for name, leaf in leaves.items():
        torch.testing.assert_close(heads.gradients[name], leaf.grad)


def plain_loop(features, lesson, outputs, loss, protocol):
    """Train one head in an ordinary loop of torch's modules and optimisers."""
    head, order = alone(lesson.seed, protocol.hidden, outputs), np.random.default_rng(lesson.seed)
    make = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[protocol.optimiser]
    adam = make(head.parameters(), protocol.learning_rate, weight_decay=protocol.weight_decay)

    def mean_loss(rows, targets):
        return loss(head(features[rows])[None], targets[None], torch.ones(1, len(rows)) / len(rows))

    best, stale, kept = float("inf"), 0, None
    for epoch in range(protocol.epochs + 1):
        with torch.no_grad():
            score = mean_loss(lesson.validate, lesson.validate_targets).item()
        stale += 1
        if score < best:
            best, stale, kept = score, 0, copy.deepcopy(head.state_dict())
        if epoch == protocol.epochs or stale > protocol.patience:
            break
        for drawn in epoch_batches([len(lesson.fit)], [order], loss is cox, protocol)[:, 0]:
            drawn = drawn[drawn >= 0]
            adam.zero_grad()
            mean_loss(lesson.fit[drawn], lesson.fit_targets[drawn]).backward()
            adam.step()
    head.load_state_dict(kept)
    return head


@pytest.fixture(params=["compiled", "torch"])
def way(request, monkeypatch):
    """Train by compiled code, and without a compiler by torch."""
    if request.param == "torch":
        monkeypatch.setattr(train, "compiled_epoch", lambda *shape: None)
    elif compiled_epoch(DIM, 8, 2, 4) is None:
        pytest.skip("there is no C compiler here")


def test_without_a_compiler_there_is_no_compiled_code(monkeypatch, tmp_path):
    monkeypatch.setenv("CC", str(tmp_path / "none"))
    assert compiled_epoch(3, 3, 3, 3) is None
    (tmp_path / "broken.sh").write_text("exit 1")
    monkeypatch.setenv("CC", f"sh {tmp_path / 'broken.sh'}")
    assert compiled_epoch(3, 3, 3, 2) is None


@pytest.mark.parametrize("loss", [cross_entropy, squared_error, log_mixed, cox])
@pytest.mark.parametrize("optimiser", ["adam", "adamw"])
def test_heads_learn_side_by_side_what_each_would_alone(loss, optimiser, lesson, way):
    """Heads of several sizes, some of which stop early, against a loop without our code."""
    features = torch.randn(90, DIM, generator=torch.Generator().manual_seed(5))
    targets = features[:, 0] + torch.randn(90, generator=torch.Generator().manual_seed(6))
    if loss is cross_entropy:
        targets = (targets > 0).long()
    if loss is cox:
        targets = torch.stack([targets.exp().round(decimals=1), (targets < 1).float()], dim=1)
    outputs = 2 if loss is cross_entropy else 1
    protocol = Probes(
        hidden=8, learning_rate=0.02, epoch_steps=5, patience=1, epochs=6, optimiser=optimiser
    )
    lessons = [lesson(targets, n, n) for n in (11, 90, 12, 37, 90, 22)]
    together = train_heads(features, lessons, outputs, loss, protocol)(features)
    for ours, given in zip(together, lessons, strict=True):
        one = plain_loop(features, given, outputs, loss, protocol)(features).detach()
        if loss is cox:  # which knows nothing of a constant added to all risks
            ours, one = ours - ours.median(), one - one.median()
        torch.testing.assert_close(ours, one, atol=1e-4, rtol=1e-3)


def test_dropout_of_a_head_does_not_depend_on_its_neighbours(lesson, way):
    features = torch.randn(40, DIM, generator=torch.Generator().manual_seed(5))
    protocol = Probes(hidden=8, dropout=0.5, epoch_steps=10, learning_rate=0.01)
    lessons = [lesson((features[:, 0] > 0).long(), 40, seed) for seed in range(3)]
    together = train_heads(features, lessons, 2, cross_entropy, protocol)(features)
    one = train_heads(features, lessons[2:], 2, cross_entropy, protocol)(features)
    torch.testing.assert_close(together[2], one[0])
    without = protocol.model_copy(update={"dropout": 0.0})
    other = train_heads(features, lessons[2:], 2, cross_entropy, without)(features)
    assert not torch.allclose(other, one)


def test_compiled_code_drops_out_as_torch_does(lesson, monkeypatch):
    if compiled_epoch(DIM, 8, 3, 4) is None:
        pytest.skip("there is no C compiler here")
    features = torch.randn(30, DIM, generator=torch.Generator().manual_seed(5))
    protocol = Probes(hidden=8, dropout=0.5, epoch_steps=10, learning_rate=0.01)
    lessons = [lesson(features[:, :3].argmax(1), n, n) for n in (30, 22)]
    compiled = train_heads(features, lessons, 3, cross_entropy, protocol)(features)
    monkeypatch.setattr(train, "compiled_epoch", lambda *shape: None)
    by_torch = train_heads(features, lessons, 3, cross_entropy, protocol)(features)
    torch.testing.assert_close(compiled, by_torch, atol=1e-5, rtol=1e-4)


def test_pure_noise_leaves_the_best_epoch_no_worse_than_the_start(lesson):
    features = torch.randn(30, DIM, generator=torch.Generator().manual_seed(1))
    given = lesson(torch.randn(30, generator=torch.Generator().manual_seed(2)), 30, 0)
    trained = train_heads(features, [given], 1, squared_error, Probes(hidden=8))
    fresh = Heads(1, DIM, 8, 1).start(generators([0]))
    truth = given.validate_targets
    errors = [
        ((h(features[given.validate])[0, :, 0] - truth) ** 2).mean() for h in (trained, fresh)
    ]
    assert errors[0] <= errors[1]


def test_an_epoch_shows_each_sample_as_often_as_any_other():
    protocol = Probes(batch=4, epoch_steps=10)
    sizes = [5, 7]
    drawn = epoch_batches(sizes, [np.random.default_rng(n) for n in sizes], False, protocol)
    assert drawn.shape == (10, 2, 4)
    for head, size in enumerate(sizes):
        counts = np.bincount(drawn[:, head].ravel(), minlength=size)
        assert len(counts) == size
        assert counts.max() - counts.min() <= 1
    long = epoch_batches([43], [np.random.default_rng(0)], False, protocol)
    assert sorted(long[long >= 0].tolist()) == list(range(43))


def test_log_mixed_by_hand():
    # d = 2: 0.2·4 + 0.8·(0.5·2 + 0.5·1.5) = 2.2; d = 0.5: 0.2·0.25 + 0.8·(0.25 + 0.0625) = 0.3
    outputs, weights = torch.tensor([[[3.0]], [[1.5]]]), torch.ones(2, 1)
    losses = log_mixed(outputs, torch.ones(2, 1), weights)
    torch.testing.assert_close(losses, torch.tensor([2.2, 0.3]))


def test_cox_is_the_partial_likelihood_of_lifelines():
    """On its example data, with many ties: Breslow's likelihood at lifelines' own estimate.

    lifelines fits Efron's likelihood, so ties are broken first; its maximum is ours.
    """
    from lifelines import CoxPHFitter
    from lifelines.datasets import load_rossi

    data = load_rossi().drop(columns=["race", "wexp", "mar", "paro", "prio"])
    data["week"] += np.linspace(0, 0.5, len(data))
    fitted = CoxPHFitter().fit(data, "week", "arrest")
    risk = torch.tensor(data[fitted.params_.index].to_numpy() @ fitted.params_.to_numpy())
    targets = torch.tensor(data[["week", "arrest"]].to_numpy(float))[None]
    loss = cox(risk[None, :, None], targets, torch.ones(1, len(data)))
    events = data["arrest"].sum()
    assert -loss.item() * events == pytest.approx(fitted.log_likelihood_, rel=1e-6)


def test_cox_with_ties_by_hand():
    # events at 1 and 1 (h = 0, ln 2), one at risk beyond (h = ln 3): both sums are 1 + 2 + 3
    risk = torch.tensor([1.0, 2.0, 3.0]).log()[None, :, None]
    targets = torch.tensor([[[1.0, 1], [1, 1], [2, 0]]])
    loss = cox(risk, targets, torch.ones(1, 3))
    assert loss.item() == pytest.approx((2 * np.log(6) - np.log(2)) / 2)
    assert cox(risk, targets * torch.tensor([1.0, 0]), torch.ones(1, 3)).item() == 0


def test_padding_leaves_each_loss_as_it_is():
    for kind, loss in LOSSES.items():
        outputs = torch.randn(1, 5, 3 if kind == "classification" else 1)
        targets = torch.randint(0, 2, (1, 5, 2) if kind == "survival" else (1, 5)).float()
        weights = torch.full((1, 5), 1 / 5)
        longer = nn.functional.pad(targets, (0, 0, 0, 2) if kind == "survival" else (0, 2), value=1)
        padded = loss(
            nn.functional.pad(outputs, (0, 0, 0, 2)), longer, nn.functional.pad(weights, (0, 2))
        )
        torch.testing.assert_close(padded, loss(outputs, targets, weights))
