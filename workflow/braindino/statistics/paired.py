"""Paired tests of one encoder against the reference encoder, by kind of task (paper §4.7).

Each takes two aligned `Outcomes` and yields a row a metric: difference, test, p, note, an effect
size and the smallest difference that the test would find with 80 % power.
"""

import numpy as np
from scipy import stats

from braindino.seeds import derive_rng
from braindino.statistics.bootstrap import bootstrap, score_seeds
from braindino.statistics.crosschecks import (
    delong,
    detectable,
    effect_size,
    paired_effect,
    signed_rank,
    standard_error,
)
from braindino.statistics.folds import fold_scores

UNDEFINED = {
    "classification": "a class is absent from the test set",
    "survival": "no pair of test subjects can be ordered: too few events",
    "segmentation": "no test case has a score",
}


def crossing_p(differences):
    """Two-sided share of resampled differences crossing zero (§4.7), never exactly zero.

    One is added to count and number: the observed sample is a possible resample too.
    """
    tail = min(np.sum(differences <= 0), np.sum(differences >= 0))
    return float(min(1.0, 2 * (tail + 1) / (len(differences) + 1)))


def bootstrap_test(reference, rival, card, protocol, seed):
    """Paired bootstrap of the test subjects: classification, survival times, segmentation."""
    ours = bootstrap(reference, card, protocol, seed)
    theirs = bootstrap(rival, card, protocol, seed)
    values = [score(outcomes, card) for outcomes in (reference, rival)]
    for metric in ours:
        drawn = theirs[metric] - ours[metric]
        differences = drawn[~np.isnan(drawn)]
        note = _doubt(differences, len(drawn), card.kind)
        defined = not note
        a, b = (value[metric] for value in values)
        yield {
            "metric": metric,
            "difference": b - a,
            "test": "paired bootstrap",
            "p": crossing_p(differences) if defined else np.nan,
            "note": note,
            "effect_size": effect_size(metric, a, b),
            "detectable": detectable(np.std(differences), protocol.alpha) if defined else np.nan,
            **_crosschecks(metric, reference, rival, card),
        }


def _doubt(differences, resamples, kind):
    """Say why resampled differences prove nothing; empty if they may."""
    if not len(differences):
        return UNDEFINED[kind]
    if 2 * len(differences) < resamples:
        return f"so in most resamples: {UNDEFINED[kind]}"
    if np.ptp(differences) == 0 and differences[0] != 0:
        return "every resample differs alike: there is no spread to test by"
    return ""


def _crosschecks(metric, reference, rival, card):
    """Test an AUC otherwise: by DeLong's test of two classes, by signed ranks over seeds."""
    if metric != "macro_auc":
        return {}
    checks = {"p_wilcoxon": signed_rank(reference.true_scores(), rival.true_scores())}
    if len(card.classes) == 2 and reference.n_subjects == len(reference.target):
        scores = (outcomes.predicted[..., 1] for outcomes in (reference, rival))
        checks["p_delong"] = delong(reference.target == 1, *scores)
    return checks


def error_test(reference, rival, card, protocol, _seed):
    """Paired t-test on per-subject absolute errors: regression."""
    ours, theirs = reference.absolute_errors(), rival.absolute_errors()
    p, note = _paired_t(theirs, ours)
    by_seed = (outcomes.errors_by_seed() for outcomes in (reference, rival))
    yield {
        **_of_errors(reference, rival, card, protocol),
        "test": "paired t-test",
        "p": p,
        "note": note,
        "p_wilcoxon": signed_rank(*by_seed),
    }


def sign_flip_test(reference, rival, card, protocol, seed):
    """Paired sign-flip test on per-subject absolute errors: regression in age strata."""
    errors = rival.absolute_errors() - reference.absolute_errors()
    enough = len(errors) > 1
    yield {
        **_of_errors(reference, rival, card, protocol),
        "test": "paired sign-flip",
        "p": _sign_flip_p(errors, protocol, derive_rng(seed, card.name, "sign flip"))
        if enough
        else np.nan,
        "note": "" if enough else "fewer than two test subjects",
    }


def _sign_flip_p(errors, protocol, rng):
    flips = {"permutation_type": "samples", "n_resamples": protocol.bootstrap, "rng": rng}
    return float(stats.permutation_test((errors,), np.mean, **flips).pvalue)


def _of_errors(reference, rival, card, protocol):
    differences = rival.absolute_errors() - reference.absolute_errors()
    values = (score(outcomes, card)[card.metric] for outcomes in (reference, rival))
    return {
        "metric": card.metric,
        "difference": -float(np.subtract(*values)),
        "effect_size": paired_effect(differences),
        "detectable": detectable(standard_error(differences), protocol.alpha),
    }


def fold_test(reference, rival, card, protocol):
    """Paired t-test over the splits of a cross-validation (§4.3.2); takes both predictions."""
    ours, theirs = fold_scores(reference, card), fold_scores(rival, card)
    for metric in ours:
        both = ~np.isnan(ours[metric] + theirs[metric])
        a, b = ours[metric][both], theirs[metric][both]
        p, note = _paired_t(b, a, "splits that hold each class")
        yield {
            "metric": metric,
            "difference": float((b - a).mean()) if len(a) else np.nan,
            "test": "paired t-test over splits",
            "p": p,
            "note": note,
            "effect_size": paired_effect(b - a),
            "detectable": detectable(standard_error(b - a), protocol.alpha),
        }


def _paired_t(a, b, units="test subjects"):
    if len(a) < 2:
        return np.nan, f"fewer than two {units}"
    if np.array_equal(a, b):
        return 1.0, "identical errors" if units == "test subjects" else "identical scores"
    return float(stats.ttest_rel(a, b).pvalue), ""


def score(outcomes, card):
    """Score outcomes without resampling, averaged over label seeds: `{metric: value}`."""
    once = np.ones((len(outcomes.target), 1))
    return {name: float(v.mean()) for name, v in score_seeds(outcomes, card, once).items()}
