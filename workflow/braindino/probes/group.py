"""A few heads that train together as one batched model."""

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from braindino.probes.head import Heads
from braindino.probes.losses import cox
from braindino.probes.minibatches import epoch_batches

OPTIMISERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


class Group:
    """Heads that train together; `active` are the rows of those that still do.

    Parameters
    ----------
    normed : Tensor [n, dim]
        Features after `normalise`.
    lessons : list of braindino.probes.train.Lesson
        One a head.
    shape : tuple of int
        Features, hidden units and outputs of a head.
    loss : function of braindino.probes.losses
    protocol : braindino.settings.probes.Probes
    """

    def __init__(self, normed, lessons, shape, loss, protocol):
        self.normed, self.loss, self.protocol = normed, loss, protocol
        self.generators = [torch.Generator().manual_seed(lesson.seed) for lesson in lessons]
        self.orders = [np.random.default_rng(lesson.seed) for lesson in lessons]
        self.heads = Heads(len(lessons), *shape).start(self.generators)
        self.adam = self._optimiser(self.heads)
        self.fit = _padded([(lesson.fit, lesson.fit_targets) for lesson in lessons])
        self.validate = _padded([(lesson.validate, lesson.validate_targets) for lesson in lessons])
        self.active = np.arange(len(lessons))

    def train(self):
        """Return the heads as they were after the best epoch of each."""
        best, count = self.heads.take(self.active), len(self.active)
        scores, stale = np.full(count, np.inf), np.zeros(count, int)
        for epoch in range(self.protocol.epochs + 1):
            score = self._score()
            better = np.flatnonzero(score < scores[self.active])
            improved = self.active[better]
            best.put(improved, self.heads.take(better))
            scores[improved] = score[better]
            stale[self.active] += 1
            stale[improved] = 0
            left = np.flatnonzero(stale[self.active] <= self.protocol.patience)
            if epoch == self.protocol.epochs or not len(left):
                return best
            if len(left) < len(self.active):
                self._keep(left)
            self._learn()

    def _learn(self):
        """Go through an epoch."""
        rows, targets, weights = (part[self.active] for part in self.fit)
        sizes = (weights > 0).sum(1).tolist()
        own = torch.arange(len(rows))[:, None]
        orders = [self.orders[row] for row in self.active]
        for drawn in epoch_batches(sizes, orders, self.loss is cox, self.protocol):
            there = (drawn >= 0).float()
            share, drawn = there / there.sum(1, keepdim=True), drawn.clamp(min=0)
            self.heads.descend(
                self.normed[rows[own, drawn]],
                lambda outputs, t=targets[own, drawn], w=share: self.loss(outputs, t, w),
                self._dropout(drawn.shape[1]),
            )
            self.adam.step()

    @torch.no_grad()
    def _score(self):
        rows, targets, weights = (part[self.active] for part in self.validate)
        return self.loss(self.heads(self.normed[rows]), targets, weights).numpy()

    def _dropout(self, batch):
        share = self.protocol.dropout
        if not share:
            return None
        shape = batch, self.heads.shape[1]
        draws = [torch.rand(shape, generator=self.generators[row]) for row in self.active]
        return (torch.stack(draws) >= share) / (1 - share)

    def _optimiser(self, heads):
        make, protocol = OPTIMISERS[self.protocol.optimiser], self.protocol
        decay = protocol.weight_decay
        return make([heads.flat], protocol.learning_rate, weight_decay=decay, fused=True)

    def _keep(self, left):
        """Go on with some of the active heads, and their moments."""
        old, heads = self.heads, self.heads.take(left)
        adam, state = self._optimiser(heads), {}
        for name, value in self.adam.state[old.flat].items():
            state[name] = value
            if value.shape == old.flat.shape:
                state[name] = torch.empty_like(heads.flat.detach())
                for part, moment in heads.views(state[name]).items():
                    moment.copy_(old.views(value)[part][left])
        if state:
            adam.state[heads.flat] = state
        self.heads, self.adam, self.active = heads, adam, self.active[left]


def _padded(parts):
    """Stack samples of the heads: rows, targets, and the weights of a mean."""
    rows, targets = zip(*parts, strict=True)
    weights = [torch.full((len(row),), 1 / len(row)) for row in rows]
    return [pad_sequence(list(part), batch_first=True) for part in (rows, targets, weights)]
