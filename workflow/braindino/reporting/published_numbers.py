"""A published number beside ours: the same quantity, and whether both agree."""

from typing import NamedTuple

import numpy as np

from braindino.reporting.catalogue import REGIONS
from braindino.reporting.results import REFERENCE

Z = 1.96  # 95 % of a normal distribution lie within ± 1.96 SD
# assumed: of a number for which neither the paper nor this run has an interval
TOLERANCE = 0.1


class Delta(NamedTuple):
    """A published difference: reference minus others, of metrics; its sign, or its size alone."""

    others: list
    metrics: list
    sign: int


TUNED = REFERENCE + "_full_ft"
DELTAS = {
    "dice_delta": Delta(["dinov3"], REGIONS, 1),
    "dice_abs_delta": Delta([TUNED], REGIONS, 0),
    "auc_delta": Delta([TUNED], ["macro_auc"], 1),
    "mae_reduction_years": Delta(["dinov3", "brainmvp", "brainiac"], ["mae_years"], -1),
}


def compare(row, keys, results):
    """Compare a published value: reproduced, difference and within_ci; empty without ours."""
    note = row["note"] if isinstance(row["note"], str) else ""
    if row["metric"] in DELTAS:
        found = _deltas(row, results)
    else:
        found = [
            results.values[key] for key in keys if not np.isnan(results.values.get(key, np.nan))
        ]
    if not found:
        return {}
    value = _reduced(found, note, row["value"])
    own = keys[0] if len(keys) == 1 else None
    return {
        "reproduced": value,
        "difference": value - row["value"],
        "within_ci": _within(row, value, note, results, own),
    }


def _deltas(row, results):
    delta = DELTAS[row["metric"]]
    pairs = [
        (results.values[key], results.values.get((key[0], other, *key[2:])))
        for metric in delta.metrics
        for key in results.keys(row["task"], [REFERENCE], metric, row["ratio"], "all")
        for other in delta.others
    ]
    found = [ours - theirs for ours, theirs in pairs if theirs is not None]
    return [delta.sign * d if delta.sign else abs(d) for d in found]


def _reduced(found, note, published):
    """Take of several values the end of the range that a row states, else the farthest."""
    if note.startswith("range_min"):
        return min(found)
    if note.startswith("range_max") or "upper bound" in note:
        return max(found)
    return max(found, key=lambda value: abs(value - published))


def _within(row, value, note, results, own):
    published, low, high = row["value"], row["ci_low"], row["ci_high"]
    if "upper bound" in note or "lower bound" in note:
        return bool(value <= published if "upper" in note else value >= published)
    if np.isnan(low) and not np.isnan(row["sd"]):
        low, high = published - Z * row["sd"], published + Z * row["sd"]
    if not np.isnan(low):
        return bool(low <= value <= high)
    if own and not np.isnan(results.low.get(own, np.nan)):
        return bool(results.low[own] <= published <= results.high[own])
    return bool(abs(value - published) <= TOLERANCE * abs(published))
