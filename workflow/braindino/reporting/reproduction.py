"""The paper's numbers beside ours: a verdict on every published row."""

import numpy as np
import pandas as pd

from braindino.reporting.labels import measure
from braindino.reporting.published_numbers import compare
from braindino.reporting.results import named_encoders

ADDED = ["reproduced", "difference", "within_ci", "claim_holds", "verdict"]
METRICS = {"auc": "macro_auc"}  # of two classes both are the same


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
        the published interval, else in value ± 1.96 SD, else published in our interval, else
        within `published_numbers.TOLERANCE`), claim_holds (better and significant or not, as
        published) and verdict: 'reproduced' if all that the row states holds, 'partly reproduced'
        if the number or the claim alone does, 'not reproduced'; 'demo'; 'not run: …'; 'not
        compared: …'.
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
    found = {} if np.isnan(row["value"]) else compare(row, keys, results)
    holds = _claim_holds(row, keys, encoders, results)
    stated = [held for held in (found.get("within_ci"), holds) if held is not None]
    if not stated:
        return {"verdict": f"not compared: this run has no {_asked(row)}"}
    return {**found, "claim_holds": holds, "verdict": verdict(sum(stated), len(stated))}


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
