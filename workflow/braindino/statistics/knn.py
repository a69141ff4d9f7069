"""Accuracy of the kNN probe and its tests (§4.7)."""

import numpy as np
import pandas as pd
from scipy import stats

from braindino.errors import BadInput
from braindino.statistics.bootstrap import percentile_interval
from braindino.statistics.multiplicity import holm

RESAMPLES, SEED = 2000, 42  # §4.7


def knn_metrics(predictions, protocol):
    """Score each encoder and k: rows of the metrics, stratum 'k:1' and so on.

    Parameters
    ----------
    predictions : DataFrame
        Of the kNN probe of one task.
    protocol : Statistics

    Returns
    -------
    list of dict
        Accuracy with the interval of a bootstrap stratified by class.
    """
    return [
        {
            **{"task": frame["task"].iloc[0], "encoder": encoder, "ratio": 1.0},
            **{"stratum": f"k:{k:g}", "metric": "accuracy", "resamples": RESAMPLES},
            **{"n": frame["subject"].nunique(), "n_volumes": len(frame)},
            **_accuracy(frame, protocol.alpha),
        }
        for (encoder, k), frame in predictions.groupby(["encoder", "k"])
    ]


def knn_comparisons(predictions, protocol):
    """Test each encoder against the reference by the exact McNemar test, Holm-adjusted over k."""
    rows = []
    frames = dict(iter(predictions.groupby("encoder")))
    reference = frames.pop(protocol.reference, None)
    for encoder, rival in frames.items() if reference is not None else ():
        tests = [
            {"stratum": f"k:{k:g}", **_mcnemar(reference[reference["k"] == k], part)}
            for k, part in rival.groupby("k")
        ]
        adjusted = holm([test["p"] for test in tests])
        key = {"task": rival["task"].iloc[0], "ratio": 1.0, "metric": "accuracy"}
        key |= {"reference": protocol.reference, "encoder": encoder, "test": "exact McNemar"}
        key |= {"n": rival["subject"].nunique(), "note": ""}
        rows += [key | test | {"p_holm": p} for test, p in zip(tests, adjusted, strict=True)]
    return rows


def _accuracy(frame, alpha):
    right = (frame["predicted"] == frame["target"]).to_numpy()
    rng, drawn = np.random.default_rng(SEED), np.zeros(RESAMPLES)
    for _, part in pd.Series(right).groupby(frame["target"].to_numpy()):
        drawn += rng.binomial(len(part), part.mean(), RESAMPLES)
    drawn /= len(right)
    low, high = percentile_interval(drawn, alpha)
    return {"value": float(right.mean()), "sd": float(drawn.std()), "ci_low": low, "ci_high": high}


def _mcnemar(reference, rival):
    """Two-sided binomial test on the scans that one of both gets right."""
    both = reference.merge(rival, on="volume_id", suffixes=("", "_rival"))
    if len(both) != len(reference) or len(both) != len(rival):
        raise BadInput(
            f"supplement/{rival['task'].iloc[0]}: two encoders were tested on different volumes, "
            "so they cannot be paired; predict both again"
        )
    ours = both["predicted"] == both["target"]
    theirs = both["predicted_rival"] == both["target"]
    only, discordant = int((ours & ~theirs).sum()), int((ours != theirs).sum())
    p = float(stats.binomtest(only, discordant).pvalue) if discordant else 1.0
    return {"difference": float(theirs.mean() - ours.mean()), "p": p}
