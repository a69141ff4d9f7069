"""How fast a run goes, and how much of its time it waits for data."""

import time


class Clock:
    """Time since the last lap.

    Parameters
    ----------
    run : braindino.pretrain.run.Run
    """

    def __init__(self, run):
        self.run = run
        self.then, self.before, self.waited = time.perf_counter(), run.iteration, 0.0

    def waiting(self, items):
        """Yield items, counting the time that each takes to come."""
        items = iter(items)
        while True:
            start = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            self.waited += time.perf_counter() - start
            yield item

    def lap(self):
        """Return slices_per_second and data_wait (share of the time) since the last lap."""
        now, steps = time.perf_counter(), self.run.iteration - self.before
        passed = now - self.then
        rate = steps * self.run.recipe.optimisation.batch / passed
        speed = {"slices_per_second": round(rate, 2), "data_wait": round(self.waited / passed, 4)}
        self.then, self.before, self.waited = now, self.run.iteration, 0.0
        return speed
