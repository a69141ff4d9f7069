"""The paper's claims, judged by this run's numbers: who is better, and whether by chance."""

import numpy as np
import pandas as pd

from braindino.reporting.reproduction import better, verdict
from braindino.reporting.results import is_whole, named_encoders

ADDED = ["held", "checked", "verdict"]


def judge_claims(claims, results, demo):
    """Check every claim wherever this run has the numbers.

    Parameters
    ----------
    claims : DataFrame
        `config/paper/claims.csv`: task, metric, encoder, relation, reference, ratio, stratum,
        and where they differ the reference's ratio, stratum and task. Several values are divided
        by '|'; 'all' means each that this run has. Relations: `better` (by value), `significant`
        (better, with p below alpha), `indistinguishable` (p of alpha or above), `inside` and
        `outside` (the reference's value and the encoder's interval), `separates` and
        `no_separation` (log-rank).
    results : Results
    demo : bool
        Whether the run is a demo, which is never compared.

    Returns
    -------
    DataFrame
        The claims with held and checked, the numbers of comparisons that agree and that were
        made, and a verdict as those of `reproduction`; a claim holds if all of them agree.
    """
    judged = [_judge(claim, results, demo) for claim in claims.to_dict("records")]
    return claims.assign(**{name: [row.get(name) for row in judged] for name in ADDED})


def _judge(claim, results, demo):
    encoders = named_encoders(claim["encoder"])
    reasons = [results.absence(task, encoders) for task in claim["task"].split("|")]
    if all(reasons):
        return {"verdict": f"not run: {reasons[0]}"}
    if demo:
        return {"verdict": "demo"}
    checks = [check for check in _checks(claim, encoders, results) if check is not None]
    if not checks:
        return {"verdict": "not compared: this run has not both numbers"}
    held = sum(checks)
    return {"held": held, "checked": len(checks), "verdict": verdict(held, len(checks))}


def _checks(claim, encoders, results):
    relation = RELATIONS[claim["relation"]]
    for task in claim["task"].split("|"):
        for metric in claim["metric"].split("|"):
            for key in _keys(task, encoders, metric, claim["ratio"], claim["stratum"], results):
                for other in _others(claim, key):
                    yield relation(key, other, results)


def _keys(task, encoders, metric, ratio, stratum, results):
    """List the results that a claim is about; 'all' strata: the whole test set, if any."""
    own = [key for key in {**results.values, **results.p} if (key[0], key[2]) == (task, metric)]
    own = [key for key in own if key[1] in encoders and _among(key[3], ratio, float)]
    if stratum != "all":
        return [key for key in own if _among(key[4], stratum, str)]
    return [key for key in own if is_whole(key)] or own


def _among(value, text, kind):
    return str(text) == "all" or value in [kind(part) for part in str(text).split("|")]


def _others(claim, key):
    """Name the results to which one is compared; those of log-rank tests to none."""
    if pd.isna(claim["reference"]):
        return [None]
    ratios = _given(claim["reference_ratio"], key[3], float)
    strata = _given(claim["reference_stratum"], key[4], str)
    tasks = _given(claim["reference_task"], key[0], str)
    return [
        (task, name, key[2], ratio, stratum)
        for task in tasks
        for name in named_encoders(claim["reference"])
        for ratio in ratios
        for stratum in strata
        if (task, name, ratio, stratum) != (key[0], key[1], key[3], key[4])
    ]


def _given(text, own, kind):
    return [own] if pd.isna(text) else [kind(part) for part in str(text).split("|")]


def _is_better(key, other, results):
    ours, theirs = results.values.get(key, np.nan), results.values.get(other, np.nan)
    return None if np.isnan(ours + theirs) else bool(better(ours - theirs, key[2]) > 0)


def _p(key, other, results):
    """Return p of a pair and the first one's advantage; one of both is the reference encoder."""
    if other in results.p:
        return results.p[other], better(-results.differences[other], key[2])
    if key in results.p:
        return results.p[key], better(results.differences[key], key[2])
    return np.nan, np.nan


def _is_significant(key, other, results):
    p, advantage = _p(key, other, results)
    return None if np.isnan(p) else bool(p < results.alpha and advantage > 0)


def _is_indistinguishable(key, other, results):
    p, _ = _p(key, other, results)
    return None if np.isnan(p) else bool(p >= results.alpha)


def _is_inside(key, other, results):
    low, high, value = results.low.get(key), results.high.get(key), results.values.get(other)
    if value is None or low is None or np.isnan(low + high + value):
        return None
    return bool(low <= value <= high)


def _is_outside(key, other, results):
    inside = _is_inside(key, other, results)
    return None if inside is None else not inside


def _separates(key, _, results):
    p = results.p.get(key, np.nan)
    return None if np.isnan(p) else bool(p < results.alpha)


def _does_not_separate(key, _, results):
    separates = _separates(key, _, results)
    return None if separates is None else not separates


RELATIONS = {
    "better": _is_better,
    "significant": _is_significant,
    "indistinguishable": _is_indistinguishable,
    "inside": _is_inside,
    "outside": _is_outside,
    "separates": _separates,
    "no_separation": _does_not_separate,
}
