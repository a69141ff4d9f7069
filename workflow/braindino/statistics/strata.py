"""Age strata of a task's pooled test predictions (§2.3, §4.3.2)."""

import numpy as np

from braindino.statistics.outcomes import pool_encoders


def age_strata(frame, card):
    """Yield (name, predictions) of every age stratum that holds a scan.

    Parameters
    ----------
    frame : DataFrame
        Predictions of any encoders at one ratio; scans without an age are in no stratum.
    card : TaskCard
        Its `age_bins` are the lower ends, in years.
    """
    if not card.age_bins or "age" not in frame:
        return
    if len(set(frame["fold"])) > 1:
        frame = pool_encoders(frame, card)
    number = np.digitize(frame["age"].astype(float).fillna(-1), card.age_bins)
    for index, name in enumerate(stratum_names(card.age_bins), start=1):
        if (part := frame[number == index]).size:
            yield name, part


def stratum_names(bins):
    """Name strata by their whole years: [55, 65, 75] are 55-64, 65-74 and 75+."""
    ends = [f"-{high - 1:g}" for high in bins[1:]] + ["+"]
    return [f"{low:g}{end}" for low, end in zip(bins, ends, strict=True)]
