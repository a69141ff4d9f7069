"""Paired tests of every encoder against the reference encoder (paper §4.7)."""

import numpy as np
import pandas as pd
from scipy import stats

from braindino.errors import BadInput
from braindino.statistics.bootstrap import bootstrap, score_seeds
from braindino.statistics.outcomes import align

COLUMNS = [
    "task", "ratio", "stratum", "metric", "reference", "encoder", "difference",
    "test", "p", "p_holm", "n", "note",
]  # fmt: skip


def comparisons(predictions, card, protocol, seed=0):
    """Compare a task's encoders with the reference at the same label ratio.

    Parameters
    ----------
    predictions : DataFrame
        Rows of all encoders of one task, in the contract's columns.
    card : TaskCard
        The task: classifications are tested by the paired bootstrap of the test subjects,
        regressions by the paired t-test on per-subject absolute errors.
    protocol : Statistics
        Resamples, and the name of the reference encoder.
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        One row a ratio, metric and encoder; `difference` is encoder - reference, and `p_holm`
        adjusts `p` over the encoders of a ratio and metric. Empty without reference or rival.

    Raises
    ------
    BadInput
        If two encoders were not tested on the same volumes.
    """
    test = _test_classification if card.kind == "classification" else _test_regression
    rows = []
    for ratio, frame in predictions.groupby("ratio"):
        outcomes = {name: align(part, card) for name, part in frame.groupby("encoder")}
        reference = outcomes.pop(protocol.reference, None)
        for encoder, rival in outcomes.items() if reference else ():
            _check_paired(reference, rival, card, encoder, protocol.reference)
            key = {"task": card.name, "ratio": ratio, "stratum": "all", "encoder": encoder}
            key |= {"reference": protocol.reference, "n": rival.n_subjects}
            rows += [key | row for row in test(reference, rival, card, protocol, seed)]
    return _with_holm(pd.DataFrame(rows, columns=COLUMNS))


def holm(p):
    """Adjust p values by Holm's step-down method; NaN stays NaN and does not count."""
    p = np.asarray(p, float)
    adjusted = np.full(len(p), np.nan)
    order = [i for i in np.argsort(p, kind="stable") if not np.isnan(p[i])]
    floor = 0.0
    for rank, i in enumerate(order):
        floor = max(floor, min(1.0, (len(order) - rank) * p[i]))
        adjusted[i] = floor
    return adjusted


def crossing_p(differences):
    """Two-sided share of resampled differences crossing zero (§4.7), never exactly zero.

    One is added to count and number: the observed sample is a possible resample too.
    """
    tail = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return float(min(1.0, 2 * (tail + 1) / (len(differences) + 1)))


def _test_classification(reference, rival, card, protocol, seed):
    ours = bootstrap(reference, card, protocol, seed)
    theirs = bootstrap(rival, card, protocol, seed)
    for metric in ours:
        differences = theirs[metric] - ours[metric]
        differences = differences[~np.isnan(differences)]
        defined = len(differences) > 0
        yield {
            "metric": metric,
            "difference": _difference(reference, rival, card, metric),
            "test": "paired bootstrap",
            "p": crossing_p(differences) if defined else np.nan,
            "note": "" if defined else "a class is absent from the test set",
        }


def _test_regression(reference, rival, card, _protocol, _seed):
    ours, theirs = reference.absolute_errors(), rival.absolute_errors()
    p, note = _paired_t(theirs, ours)
    yield {
        "metric": card.metric,
        "difference": _difference(reference, rival, card, card.metric),
        "test": "paired t-test",
        "p": p,
        "note": note,
    }


def _paired_t(a, b):
    if len(a) < 2:
        return np.nan, "fewer than two test subjects"
    if np.array_equal(a, b):
        return 1.0, "identical errors"
    return float(stats.ttest_rel(a, b).pvalue), ""


def _difference(reference, rival, card, metric):
    once = np.ones((len(reference.target), 1))
    ours, theirs = (score_seeds(o, card, once)[metric].mean() for o in (reference, rival))
    return float(theirs - ours)


def _check_paired(reference, rival, card, encoder, name):
    if not np.array_equal(reference.volumes, rival.volumes):
        raise BadInput(
            f"predictions/{card.name}: encoders '{encoder}' and '{name}' were tested on "
            "different volumes, so they cannot be paired; predict both again"
        )


def _with_holm(frame):
    groups = frame.groupby(["ratio", "stratum", "metric"])["p"]
    adjusted = groups.transform(holm) if len(frame) else np.nan
    return frame.assign(p_holm=adjusted)
