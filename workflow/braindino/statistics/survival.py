"""Risk groups of survival tasks: log-rank, median survival, Kaplan–Meier (§2.4, §4.7)."""

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test

GROUPS = ("low_risk", "high_risk")


def risk_groups(frame):
    """Divide test patients at the median risk of the training patients.

    A prediction is relative to that median; a patient is at high risk if its log hazard is above
    it on average over label seeds (assumed: the paper has one run).

    Parameters
    ----------
    frame : DataFrame
        Predictions of one encoder and ratio, with time, event and prediction.

    Returns
    -------
    dict of DataFrame
        Patients of each group: time and event.
    """
    by = frame.groupby("volume_id")
    patients, high = by[["time", "event"]].first(), by["prediction"].mean() > 0
    return {"low_risk": patients[~high], "high_risk": patients[high]}


def survival_rows(frame):
    """Yield rows of the two-sided log-rank p value, and of each group's median survival.

    The median is missing where more than half of a group outlive the follow-up; p is where a
    group is empty.
    """
    groups = risk_groups(frame)
    low, high = (groups[name] for name in GROUPS)
    p = np.nan
    if len(low) and len(high):
        p = float(logrank_test(low["time"], high["time"], low["event"], high["event"]).p_value)
    yield _row("logrank_p", p, len(low) + len(high))
    for name, group in groups.items():
        median = _fit(group).median_survival_time_ if len(group) else np.nan
        known = median if np.isfinite(median) else np.nan
        yield _row("median_survival_days", known, len(group)) | {"stratum": name}


def kaplan_meier(frame):
    """Return both groups' curves: the columns of `curves.curves` without their keys."""
    curves = []
    for name, group in risk_groups(frame).items():
        if len(group):
            curves.append(_curve(_fit(group)).assign(curve=f"kaplan_meier {name}"))
    return pd.concat(curves, ignore_index=True)


def _curve(fit):
    alive = fit.survival_function_.iloc[:, 0]
    events, interval = fit.event_table.loc[alive.index], fit.confidence_interval_.loc[alive.index]
    columns = {"x": alive.index, "y": alive, "n": events["at_risk"], "censored": events["censored"]}
    bounds = dict(zip(("ci_low", "ci_high"), interval.to_numpy().T, strict=True))
    return pd.DataFrame(columns | bounds).reset_index(drop=True)


def _fit(group):
    return KaplanMeierFitter().fit(group["time"], group["event"])


def _row(metric, value, n):
    return {"metric": metric, "value": float(value), "n": n, "n_volumes": n}
