"""The paper's numbers beside ours: a verdict on every published row."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from braindino.reporting.catalogue import REGIONS
from braindino.reporting.labels import measure
from braindino.reporting.results import REFERENCE, named_encoders

ADDED = ["reproduced", "difference", "within_ci", "claim_holds", "verdict"]
METRICS = {"auc": "macro_auc"}  # of two classes both are the same
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


def reproduction(published, results, demo):
    """Compare every published row with this run.

    Parameters
    ----------
    published : DataFrame
        `config/paper/results.csv`.
    results : Results
        This run's.
    demo : bool
        Whether the run is a demo, which is never compared.

    Returns
    -------
    DataFrame
        The published rows with reproduced, difference (reproduced - published), within_ci (in
        the published interval, else in value ± 1.96 SD, else published in our interval, else within
        `TOLERANCE`), claim_holds (better and significant or not, as published) and verdict:
        'reproduced' if all that the row states holds, 'partly reproduced' if the number or the
        claim alone does, 'not reproduced'; 'demo'; 'not run: …'; 'not compared: …'.
    """
    judged = [_judge(row, results, demo) for row in published.to_dict("records")]
    return published.assign(**{name: [row.get(name) for row in judged] for name in ADDED})


def _judge(row, results, demo):
    encoders = named_encoders(row["encoder"])
    if reason := results.absence(row["task"], encoders, row["dataset"]):
        return {"verdict": f"not run: {reason}"}
    if demo:
        return {"verdict": "demo"}
    keys = results.keys(row["task"], encoders, _metric(row), row["ratio"], _stratum(row))
    number = {} if np.isnan(row["value"]) else _number(row, keys, results)
    holds = _claim_holds(row, keys, encoders, results)
    stated = [held for held in (number.get("within_ci"), holds) if held is not None]
    if not stated:
        return {"verdict": f"not compared: this run has no {_asked(row)}"}
    return {**number, "claim_holds": holds, "verdict": verdict(sum(stated), len(stated))}


def verdict(held, checked):
    """Return the verdict on what holds of what was checked."""
    if held == checked:
        return "reproduced"
    return "partly reproduced" if held else "not reproduced"


def _metric(row):
    return METRICS.get(row["metric"], row["metric"])


def _stratum(row):
    return row["stratum"] if isinstance(row["stratum"], str) else ""


def _asked(row):
    ratio = "any ratio" if np.isnan(row["ratio"]) else f"ratio {row['ratio']:g}"
    stratum = f", stratum {_stratum(row)}" if _stratum(row) else ""
    return f"{_metric(row)} at {ratio}{stratum}"


def _number(row, keys, results):
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


def _claim_holds(row, keys, encoders, results):
    """Whether our tests are on the claimed side of alpha; None without claim or test."""
    tested = [key for key in keys if not np.isnan(results.p.get(key, np.nan))]
    if not isinstance(row["p_op"], str) or {key[1] for key in tested} != set(encoders):
        return None
    claimed = row["p_op"] == "<" or (row["p_op"] == "=" and row["p_value"] < results.alpha)
    return all(_as_claimed(key, claimed, row, results) for key in tested)


def _as_claimed(key, significant, row, results):
    if (results.p[key] < results.alpha) != significant:
        return False
    if not significant or pd.isna(row["p_reference"]):
        return True
    return better(results.differences[key], key[2]) < 0  # encoder - reference


def better(difference, metric):
    """Return a difference so that positive is better."""
    return -difference if measure(metric).lower_is_better else difference
