"""Early warning of collapse, in words."""

import math

# Assumed: of log(prototypes), how near an entropy must come to either end. Random weights lie
# nearer the upper end than this, so nothing is said before the warm-ups are over.
MARGIN = 0.01
# Assumed: class tokens on one line have rank 1; untrained ones, which share a large mean, more.
LEAST_RANK = 1.1
# Assumed: of the prototypes that a batch could use. Balanced targets use most of them.
LEAST_USAGE = 0.1
# Assumed: of a run, after which it is judged in any case; the second stage warms up to its end.
LATEST = 0.1
# Assumed: logged steps that must agree, since one small batch may look like anything.
AGREEING = 3


def signs_of_collapse(entries, recipe):
    """Say in words what of a run's course looks like a collapse.

    Parameters
    ----------
    entries : list of dict
        Lines of metrics.jsonl; those without a metric are passed over.
    recipe : Recipe
        Gives the prototypes, the batch and the warm-ups, before whose end nothing is a sign unless
        they take more than a tenth of the run.

    Returns
    -------
    list of str
        One sentence a sign, with the iteration at which it was seen first; empty for a sound run.
    """
    warm = max(recipe.optimisation.warmup, recipe.objective.teacher_warmup)
    begun = min(warm, LATEST * recipe.optimisation.iterations)
    settled = [entry for entry in entries if entry["iteration"] > begun]
    seen = {
        sentence: iteration
        for key, is_sign, sentence in _signs(recipe)
        if (iteration := _first(settled, key, is_sign)) is not None
    }
    return [f"From iteration {iteration:,}, {text}." for text, iteration in seen.items()]


def _signs(recipe):
    """List (metric, whether a value of it is a sign, what it means)."""
    most = math.log(recipe.model.prototypes)
    # What a device takes at once is described.
    at_once = min(recipe.optimisation.batch, recipe.optimisation.device_batch)
    samples = recipe.views.global_crops * at_once
    usable = min(1.0, samples / recipe.model.prototypes)
    for network in ("teacher", "student"):
        name, key = f"the {network}'s entropy is near", f"{network}_entropy"
        low = f"{name} zero: it gives every view one prototype, whatever the view"
        high = f"{name} log(prototypes) = {most:.1f} nats: it tells no view from another"
        yield key, lambda value: value < MARGIN * most, low
        yield key, lambda value: value > (1 - MARGIN) * most, high
    rank = (
        "the effective rank of the class tokens is near one: all slices look alike to the teacher"
    )
    yield "rankme", lambda value: value < LEAST_RANK, rank
    usage = "the teacher uses next to none of the prototypes that a batch could use"
    yield "prototype_usage", lambda value: value < LEAST_USAGE * usable, usage


def _first(entries, key, is_sign):
    """Return the iteration that begins the first row of agreeing entries, or None."""
    values = [(entry["iteration"], entry[key]) for entry in entries if key in entry]
    for start in range(len(values) - AGREEING + 1):
        if all(is_sign(value) for _, value in values[start : start + AGREEING]):
            return values[start][0]
    return None
