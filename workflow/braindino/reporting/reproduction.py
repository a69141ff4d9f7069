"""The paper's numbers beside ours: a verdict on every published row."""

import re

import numpy as np

BASELINES = ["dinov3", "brainmvp", "bm_mae", "brainiac"]  # the paper's four (§4.3)
GROUPS = {"all_baselines": BASELINES, "mri_ssl_baselines": BASELINES[1:]}
ADDED = ["reproduced", "difference", "within_ci", "claim_holds", "verdict"]
METRICS = {"auc": "macro_auc"}  # of two classes both are the same
REFERENCE = "braindino"  # every published p value is against it (§4.7)
PENDING = "not evaluated yet: so far the pipeline only splits it"
Z = 1.96  # 95 % of a normal distribution lie within ± 1.96 SD


def reproduction(published, metrics, comparisons, cards, availability, demo, alpha):
    """Compare every published row with this run.

    Parameters
    ----------
    published : DataFrame
        `config/paper/results.csv`.
    metrics, comparisons : DataFrame
        This run's statistics.
    cards : dict of TaskCard
        This run's tasks.
    availability : DataFrame
        Columns kind, name, status, reason.
    demo : bool
        Whether the run is a demo, which is never compared.
    alpha : float
        Significance threshold.

    Returns
    -------
    DataFrame
        The published rows with reproduced, difference (reproduced - published), within_ci
        (in the published interval, else in value ± 1.96 SD), claim_holds (significant or not,
        as published) and verdict: 'reproduced' or 'not reproduced' by the interval, or by the
        claim in a row without a value; 'demo'; 'not run: …'; 'not compared: …'.
    """
    ours = _Results(metrics, comparisons, cards, availability, demo, alpha)
    judged = [_judge(row, ours) for row in published.to_dict("records")]
    columns = {name: [row.get(name) for row in judged] for name in ADDED}
    return published.assign(**columns)


class _Results:
    """Results of a run, looked up as the published rows name them."""

    def __init__(self, metrics, comparisons, cards, availability, demo, alpha):
        self.values = _lookup(metrics, "value")
        self.p = _lookup(comparisons[comparisons["reference"] == REFERENCE], "p")
        self.run = set(zip(metrics["task"], metrics["encoder"], strict=True))
        # A log-rank test compares the risk groups of one encoder, so its p is a metric.
        self.p |= {key: p for key, p in self.values.items() if key[2] == "logrank_p"}
        probes = {card.knn: card for card in cards.values() if card.knn}
        self.cards, self.demo, self.alpha = cards | probes, demo, alpha
        absent = availability[availability["status"] == "absent"]
        keys = zip(absent["kind"], absent["name"], strict=True)
        self.reasons = dict(zip(keys, absent["reason"], strict=True))
        pending = [name for name, card in cards.items() if card.evaluation == "pending"]
        self.reasons |= {("task", name): PENDING for name in pending}

    def absence(self, row, encoders):
        """Say why a published row has no counterpart; empty if it has one."""
        task = row["task"]
        if not any(name == task for name, _ in self.run):
            return f"task {task}: {self.reasons.get(('task', task), 'not part of this run')}"
        for name in encoders:
            if (task, name) not in self.run:
                reason = self.reasons.get(("encoder", name), "not part of this run")
                return f"encoder {name}: {reason}"
        used = self.cards[task].datasets
        if not same_cohorts(row["dataset"], used):
            return f"task {task} used {' + '.join(used)}, not the paper's cohorts"
        return ""


def _lookup(frame, column):
    keys = zip(*(frame[k] for k in ("task", "encoder", "metric", "ratio", "stratum")), strict=True)
    return dict(zip(keys, frame[column], strict=True))


def same_cohorts(published, used):
    """Whether `used` are the cohorts of a published row, e.g. 'brats2023_men+ped+ssa'.

    The table abbreviates names, so the last part of each decides.
    """
    return {_last_part(name) for name in str(published).split("+")} == set(map(_last_part, used))


def _last_part(name):
    return re.split("[_-]", name.lower())[-1]


def _judge(row, ours):
    encoders = GROUPS.get(row["encoder"], row["encoder"].split("|"))
    if reason := ours.absence(row, encoders):
        return {"verdict": f"not run: {reason}"}
    if ours.demo:
        return {"verdict": "demo"}
    if np.isnan(row["ratio"]):
        return {"verdict": "not compared: applies to all ratios"}
    return _compare(row, encoders, ours)


def _compare(row, encoders, ours):
    keys = [_key(row, name) for name in encoders]
    if any(key not in ours.values for key in keys):
        return {"verdict": f"not compared: this run has no {_asked(row)}"}
    holds = _claim_holds(row, [ours.p.get(key, np.nan) for key in keys], ours.alpha)
    if np.isnan(row["value"]):
        return {"claim_holds": holds, "verdict": _verdict(holds, "no test in this run")}
    if len(keys) > 1:
        return {"claim_holds": holds, "verdict": "not compared: a range over several encoders"}
    value = ours.values[keys[0]]
    within = _within(row, value)
    return {
        "reproduced": value,
        "difference": value - row["value"],
        "within_ci": within,
        "claim_holds": holds,
        "verdict": _verdict(within, "no interval published"),
    }


def _key(row, encoder):
    stratum = row["stratum"] if isinstance(row["stratum"], str) and row["stratum"] else "all"
    metric = METRICS.get(row["metric"], row["metric"])
    return row["task"], encoder, metric, row["ratio"], stratum


def _asked(row):
    _, _, metric, ratio, stratum = _key(row, "")
    return f"{metric} at ratio {ratio:g}" + ("" if stratum == "all" else f", stratum {stratum}")


def _within(row, value):
    """Whether a value lies in the published interval; None without one."""
    low, high = row["ci_low"], row["ci_high"]
    if np.isnan(low) and not np.isnan(row["sd"]):
        low, high = row["value"] - Z * row["sd"], row["value"] + Z * row["sd"]
    return None if np.isnan(low) else bool(low <= value <= high)


def _claim_holds(row, p, alpha):
    """Whether our p values are on the claimed side of alpha; None without claim or test."""
    if not isinstance(row["p_op"], str) or np.isnan(p).any():
        return None
    claimed = row["p_op"] == "<" or (row["p_op"] == "=" and row["p_value"] < alpha)
    return all((ours < alpha) == claimed for ours in p)


def _verdict(holds, why_not):
    if holds is None:
        return f"not compared: {why_not}"
    return "reproduced" if holds else "not reproduced"
