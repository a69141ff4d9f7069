"""Watching a run: whom it is watched on, how the teacher does on them, and warnings in words."""

from braindino.pretrain.collapse import signs_of_collapse
from braindino.pretrain.held_out import choose_bank, choose_held_out, list_volumes
from braindino.pretrain.knn import KnnProbe


class Watch:
    """The kNN probe of a run, and its warnings, each said once.

    Parameters
    ----------
    recipe : Recipe
    shards : sequence of path
        All shards of the run.
    seed : int
    logger : logging.Logger
        Hears who is held out, and the warnings.

    Attributes
    ----------
    held_out : frozenset of str
        Ids of the volumes that must not be trained on; the same on every rank.
    """

    def __init__(self, recipe, shards, seed, logger):
        volumes = list_volumes(shards)
        held_out = choose_held_out(volumes, recipe.probe.volumes, seed)
        self.recipe, self.logger = recipe, logger
        self.held_out = frozenset(held_out["volume_id"])
        self._volumes = held_out, choose_bank(volumes, held_out, recipe.probe.bank, seed)
        self._probe = None
        self._said = set()
        logger.info(
            "pretraining %s: %d volumes are held out to watch it", recipe.name, len(held_out)
        )

    def is_due(self, iteration):
        """Whether to probe after an iteration: 0, every so many, and the last."""
        last = iteration == self.recipe.optimisation.iterations
        return bool(self.held_out) and (last or iteration % self.recipe.probe.every == 0)

    def probe(self, backbone):
        """Return the kNN accuracies of a backbone (the teacher's), with the levels of chance."""
        if self._probe is None:  # read by the one rank that asks
            p, channels = self.recipe.probe, self.recipe.views.channels
            self._probe = KnnProbe(*self._volumes, p.slices, p.size, p.neighbours, channels)
        return self._probe(backbone)

    def warn(self, entries):
        """Say which new signs of collapse the journal's entries hold."""
        for sentence in signs_of_collapse(entries, self.recipe):
            if sentence not in self._said:
                self.logger.warning("pretraining %s: %s", self.recipe.name, sentence)
                self._said.add(sentence)
