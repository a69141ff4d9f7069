"""Metrics of the probes beside the heads: kNN, linear, leave-one-site- and -vendor-out."""

import pandas as pd

from braindino.statistics.knn import knn_comparisons, knn_metrics
from braindino.statistics.metrics import COLUMNS, score_rows
from braindino.statistics.outcomes import align, pool_folds


def supplement_metrics(predictions, card, protocol, seed):
    """Score the supplement of a task.

    Parameters
    ----------
    predictions : DataFrame
        Of all encoders, as `braindino.probes.supplement.supplement` returns them.
    card : TaskCard
    protocol : Statistics
    seed : int

    Returns
    -------
    DataFrame
        Rows of the metrics, whose stratum names the probe: 'linear'; 'k:1' and so on, under
        the task's kNN name; 'leave_site' of all held-out groups together and 'leave_site NAME' of
        one, and so for vendors; 'coronal' and 'sagittal'. Of several folds, a scan's predictions
        are averaged.
    """
    if not len(predictions):  # a task whose targets no other probe learns
        return pd.DataFrame(columns=COLUMNS)
    rows = []
    for (probe, encoder), frame in predictions.groupby(["probe", "encoder"]):
        if probe == "knn":
            rows += knn_metrics(frame, protocol)
            continue
        key = {"task": card.name, "encoder": encoder, "ratio": frame["ratio"].max()}
        for stratum, part in _strata(probe, frame):
            outcomes = align(pool_folds(part, card), card)
            scored = score_rows(outcomes, card, protocol, seed)
            rows += [key | {"stratum": stratum} | row for row in scored]
    return pd.DataFrame(rows, columns=COLUMNS)


def supplement_comparisons(predictions, protocol):
    """Return the kNN probe's tests: rows of the comparisons."""
    knn = predictions[predictions["probe"] == "knn"] if len(predictions) else predictions
    return pd.DataFrame(knn_comparisons(knn, protocol)) if len(knn) else pd.DataFrame()


def _strata(probe, frame):
    yield probe, frame
    if probe.startswith("leave_"):
        yield from ((f"{probe} {group}", part) for group, part in frame.groupby("group"))
