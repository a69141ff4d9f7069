"""A run's results, looked up as the published numbers name them."""

import re

import numpy as np
import pandas as pd

from braindino.files import concat_frames
from braindino.reporting.conditions import as_strata, is_clean

BASELINES = ["dinov3", "brainmvp", "bm_mae", "brainiac"]  # the paper's four (§4.3)
GROUPS = {"all_baselines": BASELINES, "mri_ssl_baselines": BASELINES[1:]}
PERTURBED = {
    "cls_adni_3class": "perturb_adni",
    "age": "perturb_age",
    "seg_brats2021": "perturb_brats",
}
COHORTS = {"IXI": "cka_ixi", "BraTS2021": "cka_brats"}
REFERENCE = "braindino"  # every published p value is against it (§4.7)
PENDING = "not evaluated in this run, which only splits it (`evaluation: pending`)"
KEYS = ["task", "encoder", "metric", "ratio", "stratum"]


def united(metrics, comparisons, robustness, robustness_comparisons, cka):
    """Join the statistics of all rooms under the published numbers' task names.

    Parameters
    ----------
    metrics, comparisons, robustness, robustness_comparisons, cka : DataFrame
        As the statistics stage writes them; empty where a room is not part of the run.

    Returns
    -------
    tuple of DataFrame
        Metrics and comparisons: a perturbed task's with a stratum a condition, alignments as the
        metric `cka` with a stratum a layer.
    """
    tests = [comparisons, _perturbed(robustness_comparisons)]
    scores = [metrics, _perturbed(robustness)]
    if len(cka):
        named = cka.assign(task=cka["cohort"].map(COHORTS), value=cka["cka"], metric="cka")
        scores.append(named.assign(ratio=1.0, stratum=cka["layer"]))
    return concat_frames(scores, metrics.columns), concat_frames(tests, comparisons.columns)


def _perturbed(frame):
    if not len(frame):
        return frame
    named = as_strata(frame).assign(task=frame["task"].map(PERTURBED))
    clean = named[named["stratum"].map(is_clean)].drop_duplicates(["task", "encoder", "metric"])
    return pd.concat([clean.assign(stratum="clean"), named[named["stratum"] != "clean"]])


class Results:
    """Values, intervals and tests of a run.

    Parameters
    ----------
    metrics, comparisons : DataFrame
        As `united` returns them.
    cards : dict of TaskCard
        This run's tasks.
    availability : DataFrame
        Columns kind, name, status, reason.
    alpha : float
        Significance threshold.
    """

    def __init__(self, metrics, comparisons, cards, availability, alpha):
        own = comparisons[comparisons["reference"] == REFERENCE]
        tested = np.where(own["stratum"] == "all", own["p"], own["p_holm"])  # §4.7: Holm in strata
        self.values = _lookup(metrics, metrics["value"])
        self.low, self.high = (_lookup(metrics, metrics[end]) for end in ("ci_low", "ci_high"))
        # A log-rank test compares the risk groups of one encoder, so its p is a metric.
        self.p = {key: p for key, p in self.values.items() if key[2] == "logrank_p"}
        self.p |= _lookup(own, tested)
        self.differences = _lookup(own, own["difference"])
        frames = (metrics, own)
        self.run = {pair for f in frames for pair in zip(f["task"], f["encoder"], strict=True)}
        self.alpha, self.cards = alpha, cards | _other_names(cards)
        self.reasons = _reasons(cards, availability)

    def absence(self, task, encoders, cohorts=None):
        """Say why a task or one of the encoders has no result; empty if all have.

        Parameters
        ----------
        cohorts : str, optional
            The paper's, e.g. 'brats2023_men+ped+ssa'.
        """
        if not any(name == task for name, _ in self.run):
            return f"task {task}: {self.reasons.get(('task', task), 'not part of this run')}"
        for name in encoders:
            if (task, name) not in self.run:
                reason = self.reasons.get(("encoder", name), "not part of this run")
                return f"encoder {name}: {reason}"
        used = self.cards[task].datasets if task in self.cards else None
        if cohorts and used and not same_cohorts(cohorts, used):
            return f"task {task} used {' + '.join(used)}, not the paper's cohorts"
        return ""

    def keys(self, task, encoders, metric, ratio, stratum):
        """List the results that a published row means; a missing ratio or stratum means all."""
        return [
            key
            for key in {**self.values, **self.p}
            if (key[0], key[2]) == (task, metric)
            and key[1] in encoders
            and (pd.isna(ratio) or key[3] == ratio)
            and (key[4] == stratum if stratum else is_whole(key))
        ]


def is_whole(key):
    """Whether a result is of the whole test set; of kNN each k is."""
    return key[4] == "all" or key[4].startswith("k:")


def _lookup(frame, column):
    keys = zip(*(frame[k] for k in KEYS), strict=True)
    return dict(zip(keys, column, strict=True))


def _other_names(cards):
    probes = {card.knn: card for card in cards.values() if card.knn}
    return probes | {PERTURBED[name]: card for name, card in cards.items() if name in PERTURBED}


def _reasons(cards, availability):
    absent = availability[availability["status"] == "absent"]
    keys = zip(absent["kind"], absent["name"], strict=True)
    reasons = dict(zip(keys, absent["reason"], strict=True))
    pending = [name for name, card in cards.items() if card.evaluation == "pending"]
    return reasons | {("task", name): PENDING for name in pending}


def same_cohorts(published, used):
    """Whether `used` are the cohorts of a published row, e.g. 'brats2023_men+ped+ssa'.

    The table abbreviates names, so the last part of each decides.
    """
    return {_last_part(name) for name in str(published).split("+")} == set(map(_last_part, used))


def _last_part(name):
    return re.split("[_-]", name.lower())[-1]


def named_encoders(text):
    """List the encoders that a published row names: one, several ('a|b') or a group."""
    return GROUPS.get(text, text.split("|"))
