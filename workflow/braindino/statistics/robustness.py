"""Metrics and tests of perturbed test volumes (paper §2.8, §4.5)."""

import numpy as np
import pandas as pd

from braindino.statistics import comparisons as paired
from braindino.statistics import metrics as scored
from braindino.statistics.bootstrap import bootstrap, percentile_interval, score_seeds
from braindino.statistics.outcomes import align, pool_folds
from braindino.statistics.segmentation import REGIONS, by_case

ADDED = ["perturbation", "severity"]
CHANGE = ["clean", "degradation", "degradation_low", "degradation_high"]
COLUMNS = [*ADDED, *scored.COLUMNS, *CHANGE]
TESTS = [*ADDED, *paired.COLUMNS]
LOWER_IS_BETTER = ("mae", "rmse", "ece", "hd95")
DICE, MEAN = [f"dice_{region}" for region in REGIONS], "mean_dice"


def whole_cases(predictions, card):
    """Bring a segmentation's rows, one a region, into one a case; leave those of probes alone."""
    if card.kind != "segmentation":
        return predictions
    parts = predictions.groupby("condition")
    frames = [by_case(part).assign(condition=name) for name, part in parts]
    return pd.concat(frames, ignore_index=True)


def robustness_metrics(predictions, card, protocol, grid, seed=0):
    """Score each encoder under each condition.

    Parameters
    ----------
    predictions : DataFrame
        robustness/<task>/<encoder>.parquet of any encoders of one task.
    card : TaskCard
    protocol : Statistics
    grid : list of (condition, perturbation, severity)
        The clean condition once for every perturbation.
    seed : int

    Returns
    -------
    DataFrame
        The metrics' columns, led by perturbation and severity. Predictions of several splits are
        pooled (§2.8). `clean` is the metric of the same volumes unperturbed; `degradation` says
        how much worse it became (positive: worse), with the interval of the bootstrap that
        resamples both alike.
    """
    rows = []
    for encoder, frame in predictions.groupby("encoder"):
        parts = {name: pool_folds(part, card) for name, part in frame.groupby("condition")}
        known = {}
        for condition, perturbation, severity in grid:
            if condition in parts and condition not in known:
                known[condition] = _scored(parts, condition, card, protocol, seed)
            key = {"perturbation": perturbation, "severity": severity, "encoder": encoder}
            key |= {"task": card.name, "stratum": "all", "ratio": frame["ratio"].max()}
            rows += [key | row for row in known.get(condition, [])]
    return pd.DataFrame(rows, columns=COLUMNS)


def robustness_comparisons(predictions, card, protocol, grid, seed=0):
    """Test each encoder against the reference under each condition.

    Returns
    -------
    DataFrame
        The comparisons' columns, led by perturbation and severity; p_holm adjusts over the
        encoders of a condition and metric. Arguments are those of `robustness_metrics`.
    """
    rows, known = [], {}
    frames = dict(iter(predictions.groupby("condition")))
    for condition, perturbation, severity in grid:
        if condition in frames and condition not in known:
            by = frames[condition].groupby("encoder", group_keys=False)
            pooled = by[list(predictions)].apply(pool_folds, card)
            tests = paired.comparisons(pooled, card, protocol, seed)
            known[condition] = tests[tests["stratum"] == "all"]
        if condition in known:
            rows.append(known[condition].assign(perturbation=perturbation, severity=severity))
    return pd.concat(rows, ignore_index=True)[TESTS] if rows else pd.DataFrame(columns=TESTS)


def _scored(parts, condition, card, protocol, seed):
    """Return the rows of one encoder under one condition."""
    part, clean = parts[condition], parts["clean"]
    same = clean[clean["volume_id"].isin(set(part["volume_id"]))]
    outcomes, before = align(part, card), align(same, card)
    rows = list(scored.score_rows(outcomes, card, protocol, seed))
    after, start = (_resampled(part, card, protocol, seed) for part in (outcomes, before))
    unperturbed = _with_mean(_values(before, card))
    if MEAN in unperturbed:
        rows.append(_mean_row(rows, after[MEAN], protocol))
    for row in rows:
        metric = row["metric"]
        sign = 1 if metric.startswith(LOWER_IS_BETTER) else -1
        low, high = percentile_interval(sign * (after[metric] - start[metric]), protocol.alpha)
        row["clean"] = unperturbed[metric]
        row["degradation"] = sign * (row["value"] - row["clean"])
        row["degradation_low"], row["degradation_high"] = low, high
    return rows


def _values(outcomes, card):
    once = np.ones((len(outcomes.target), 1))
    scores = score_seeds(outcomes, card, once)
    return {name: float(by_seed.mean()) for name, by_seed in scores.items()}


def _resampled(outcomes, card, protocol, seed):
    return _with_mean(bootstrap(outcomes, card, protocol, seed))


def _with_mean(scores):
    """Add the mean Dice of the three regions (Fig. 5), where there are any."""
    dice = [scores[name] for name in DICE if name in scores]
    return scores | ({MEAN: np.mean(dice, axis=0)} if len(dice) == len(DICE) else {})


def _mean_row(rows, resampled, protocol):
    by = {row["metric"]: row for row in rows}
    low, high = percentile_interval(resampled, protocol.alpha)
    value = float(np.mean([by[name]["value"] for name in DICE]))
    numbers = {"metric": MEAN, "value": value, "ci_low": low, "ci_high": high}
    return (
        by[DICE[0]] | numbers | {"sd": float(np.nanstd(resampled, ddof=1)), "sd_subjects": np.nan}
    )
