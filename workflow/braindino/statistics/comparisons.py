"""Paired tests of every encoder against the reference encoder (paper §4.7)."""

import numpy as np
import pandas as pd

from braindino.errors import BadInput
from braindino.statistics.folds import unless_by_splits
from braindino.statistics.multiplicity import holm
from braindino.statistics.outcomes import align
from braindino.statistics.paired import bootstrap_test, error_test, fold_test, sign_flip_test
from braindino.statistics.strata import age_strata

COLUMNS = [
    "task", "ratio", "stratum", "metric", "reference", "encoder", "difference",
    "test", "p", "p_holm", "n", "note", "effect_size", "detectable", "p_delong", "p_wilcoxon",
]  # fmt: skip


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
        adjusts `p` over the encoders of a ratio, stratum and metric. Beyond the paper,
        `effect_size` is Cohen's d of paired errors or scores (`crosschecks.effect_size` of areas
        and shares), `detectable` the smallest difference found with 80 % power, `p_delong`
        DeLong's test of a two-class AUC, `p_wilcoxon` the signed-rank test of each seed,
        Bonferroni-adjusted over seeds. Empty without reference or rival.

    Raises
    ------
    BadInput
        If two encoders were not tested on the same volumes.
    """
    rows = []
    for ratio, frame in predictions.groupby("ratio"):
        whole = unless_by_splits(frame, card, protocol)
        test = fold_test if len(set(whole["fold"])) > 1 else _test_of(card)
        key = {"task": card.name, "ratio": ratio, "stratum": "all"}
        rows += [key | row for row in _pairs(whole, card, protocol, seed, test)]
        for stratum, part in age_strata(frame, card) if ratio == predictions["ratio"].max() else ():
            test = _test_of(card, sign_flip_test)
            key = {"task": card.name, "ratio": ratio, "stratum": stratum}
            rows += [key | row for row in _pairs(part, card, protocol, seed, test)]
    return _with_holm(pd.DataFrame(rows, columns=COLUMNS))


def _test_of(card, regression=None):
    """Return the test of a task's kind (§4.7); survival times are tested by their C-index."""
    return (regression or error_test) if card.kind == "regression" else bootstrap_test


def _pairs(frame, card, protocol, seed, test):
    """Yield rows of every encoder against the reference."""
    frames = dict(iter(frame.groupby("encoder")))
    reference = frames.pop(protocol.reference, None)
    for encoder, rival in frames.items() if reference is not None else ():
        ours, theirs = align(reference, card), align(rival, card)
        _check_paired(ours, theirs, card, encoder, protocol.reference)
        key = {"encoder": encoder, "reference": protocol.reference, "n": theirs.n_subjects}
        if test is fold_test:
            rows = fold_test(reference, rival, card, protocol)
        else:
            rows = test(ours, theirs, card, protocol, seed)
        yield from (key | row for row in rows)


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
