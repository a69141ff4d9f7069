"""Adjustment of p values for the number of tests."""

import numpy as np


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


def bonferroni(p):
    """Return the smallest of several p values times their number; NaN without any."""
    p = np.asarray(p, float)
    p = p[~np.isnan(p)]
    return float(min(1.0, len(p) * p.min())) if len(p) else np.nan
