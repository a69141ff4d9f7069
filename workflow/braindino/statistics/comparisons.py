"""Paired tests of every encoder against the reference encoder (paper §4.7)."""

import numpy as np
import pandas as pd
from scipy import stats

from braindino.errors import BadInput
from braindino.seeds import derive_rng
from braindino.statistics.bootstrap import bootstrap, score_seeds
from braindino.statistics.folds import fold_scores
from braindino.statistics.outcomes import align
from braindino.statistics.strata import age_strata

COLUMNS = [
    "task", "ratio", "stratum", "metric", "reference", "encoder", "difference",
    "test", "p", "p_holm", "n", "note",
]  # fmt: skip
UNDEFINED = {
    "classification": "a class is absent from the test set",
    "survival": "no pair of test subjects can be ordered: too few events",
}


def comparisons(predictions, card, protocol, seed=0):
    """Compare a task's encoders with the reference at the same label ratio.

    Parameters
    ----------
    predictions : DataFrame
        Rows of all encoders of one task, in the contract's columns.
    card : TaskCard
        The task: classifications and survival are tested by the paired bootstrap of the test
        subjects, regressions by the paired t-test on per-subject absolute errors, several folds
        by the paired t-test over folds, errors in age strata by paired sign-flips.
    protocol : Statistics
        Resamples, and the name of the reference encoder.
    seed : int
        The run's seed.

    Returns
    -------
    DataFrame
        One row a ratio, metric and encoder; `difference` is encoder - reference, and `p_holm`
        adjusts `p` over the encoders of a ratio, stratum and metric. Empty without reference or
        rival.

    Raises
    ------
    BadInput
        If two encoders were not tested on the same volumes.
    """
    rows = []
    for ratio, frame in predictions.groupby("ratio"):
        test = _test_folds if len(set(frame["fold"])) > 1 else _test_of(card)
        key = {"task": card.name, "ratio": ratio, "stratum": "all"}
        rows += [key | row for row in _pairs(frame, card, protocol, seed, test)]
        for stratum, part in age_strata(frame, card) if ratio == predictions["ratio"].max() else ():
            test = _test_of(card, _sign_flip)
            key = {"task": card.name, "ratio": ratio, "stratum": stratum}
            rows += [key | row for row in _pairs(part, card, protocol, seed, test)]
    return _with_holm(pd.DataFrame(rows, columns=COLUMNS))


def _test_of(card, regression=None):
    """Return the test of a task's kind (§4.7); survival times are tested by their C-index."""
    return (regression or _test_regression) if card.kind == "regression" else _test_bootstrap


def _pairs(frame, card, protocol, seed, test):
    """Yield rows of every encoder against the reference."""
    frames = dict(iter(frame.groupby("encoder")))
    reference = frames.pop(protocol.reference, None)
    for encoder, rival in frames.items() if reference is not None else ():
        ours, theirs = align(reference, card), align(rival, card)
        _check_paired(ours, theirs, card, encoder, protocol.reference)
        key = {"encoder": encoder, "reference": protocol.reference, "n": theirs.n_subjects}
        if test is _test_folds:
            rows = _test_folds(reference, rival, card)
        else:
            rows = test(ours, theirs, card, protocol, seed)
        yield from (key | row for row in rows)


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


def _test_bootstrap(reference, rival, card, protocol, seed):
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
            "note": "" if defined else UNDEFINED[card.kind],
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


def _test_folds(reference, rival, card):
    """Paired t-test over the splits of a cross-validation (§4.3.2)."""
    ours, theirs = fold_scores(reference, card), fold_scores(rival, card)
    for metric in ours:
        both = ~np.isnan(ours[metric] + theirs[metric])
        p, note = _paired_t(theirs[metric][both], ours[metric][both], "splits that hold each class")
        yield {
            "metric": metric,
            "difference": _mean((theirs[metric] - ours[metric])[both]),
            "test": "paired t-test over splits",
            "p": p,
            "note": note,
        }


def _mean(values):
    return float(values.mean()) if len(values) else np.nan


def _sign_flip(reference, rival, card, protocol, seed):
    """Paired sign-flip test on per-subject errors, of the age strata (§4.7)."""
    errors = rival.absolute_errors() - reference.absolute_errors()
    enough = len(errors) > 1
    p = stats.permutation_test(
        (errors,),
        np.mean,
        permutation_type="samples",
        n_resamples=protocol.bootstrap,
        rng=derive_rng(seed, card.name, "sign flip"),
    ).pvalue if enough else np.nan  # fmt: skip
    yield {
        "metric": card.metric,
        "difference": _difference(reference, rival, card, card.metric),
        "test": "paired sign-flip",
        "p": float(p),
        "note": "" if enough else "fewer than two test subjects",
    }


def _paired_t(a, b, units="test subjects"):
    if len(a) < 2:
        return np.nan, f"fewer than two {units}"
    if np.array_equal(a, b):
        return 1.0, "identical errors" if units == "test subjects" else "identical scores"
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
