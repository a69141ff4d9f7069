"""The report's sections on robustness and representation."""

import numpy as np

from braindino.reporting.figure_5 import shown
from braindino.reporting.labels import measure
from braindino.reporting.similarity_maps import POINTS
from braindino.robustness.perturbations import PERTURBATIONS

FOLLOWS = 0.8  # assumed: AUC above which a map is said to look like its tissue
DEGRADATION = [
    *[("task", "Task"), ("kind", "Perturbation"), ("severity", "Severity")],
    *[("encoder", "Encoder"), ("clean", "Clean"), ("value", "Perturbed")],
    *[("degradation", "Worse by [95 %]"), ("grows", "Grows with severity")],
]
ALIGNMENT = [
    *[("cohort", "Cohort"), ("encoder", "Encoder"), ("layer", "Layer"), ("cka", "CKA [95 %]")],
    *[("debiased", "Debiased"), ("n", "Volumes")],
]
LEAKAGE = [
    *[("encoder", "Encoder"), ("what", "What is told"), ("modality", "Contrast")],
    *[("accuracy", "Balanced accuracy"), ("chance", "Chance"), ("n", "Volumes")],
]
MAPS = [
    *[("encoder", "Encoder"), ("reference", "Reference"), ("auc", "AUC")],
    *[("ceiling", "AUC of the mask itself on the encoder's grid"), ("verdict", "")],
]


def findings(tasks, tables, labels):
    """Gather what the sections print.

    Parameters
    ----------
    tasks : dict of TaskCard
    tables : dict of DataFrame
        robustness, cka, similarity and site_leakage, of those that were made.
    labels : Labels

    Returns
    -------
    dict
        A list of rows of each table, and its columns (key, title).
    """
    rows = {
        "degradation": (degradation_rows, DEGRADATION, "robustness"),
        "alignment": (_alignment_rows, ALIGNMENT, "cka"),
        "maps": (map_rows, MAPS, "similarity"),
        "leakage": (_leakage_rows, LEAKAGE, "site_leakage"),
    }
    return {
        name: {
            "columns": columns,
            "rows": make(tables[table], tasks, labels) if len(tables.get(table, ())) else [],
        }
        for name, (make, columns, table) in rows.items()
    }


def degradation_rows(metrics, tasks, labels):
    """List how much worse each encoder is at the strongest severity of each perturbation.

    `grows` says whether the loss at the strongest severity exceeds that at the mildest; of the
    contrast, on the side above 1.
    """
    rows = []
    for (task, kind), part in metrics.groupby(["task", "perturbation"], sort=False):
        own = part[part["metric"] == shown(tasks[task])]
        own = own[own["severity"] >= PERTURBATIONS[kind].clean]
        for name in labels.encoders:
            mine = own[own["encoder"] == name].sort_values("severity")
            if len(mine) > 1:
                rows.append(_degradation(mine, tasks[task], kind, labels.encoders[name]))
    return rows


def _degradation(rows, card, kind, title):
    worst, number = rows.iloc[-1], measure(shown(card)).number
    low, high = worst["degradation_low"], worst["degradation_high"]
    changed = rows[rows["severity"] != PERTURBATIONS[kind].clean]["degradation"].to_numpy()
    return {
        "task": card.title,
        "kind": PERTURBATIONS[kind].title,
        "severity": f"{worst['severity']:g} {PERTURBATIONS[kind].unit}".strip(),
        "encoder": title,
        "clean": number(worst["clean"]),
        "value": number(worst["value"]),
        "degradation": f"{number(worst['degradation'])} [{number(low)}, {number(high)}]",
        "grows": "–" if len(changed) < 2 else "yes" if changed[-1] > changed[0] else "no",
    }


def map_rows(aucs, _tasks, labels):
    """List how well each similarity map tells its tissue, in words, too."""
    return [
        {
            "encoder": labels.encoders.get(row.encoder, row.encoder),
            "reference": POINTS[row.reference],
            "auc": _number(row.auc),
            "ceiling": _number(row.auc_ceiling),
            "verdict": _verdict(row.auc, POINTS[row.reference].lower()),
        }
        for row in aucs.itertuples()
    ]


def _verdict(auc, tissue):
    if np.isnan(auc):
        return "no mask to compare with"
    tissue = tissue.replace("csf", "CSF")
    return f"looks like {tissue}" if auc >= FOLLOWS else f"does not look like {tissue}"


def _alignment_rows(cka, _tasks, labels):
    return [
        {
            "cohort": row.cohort,
            "encoder": labels.encoders.get(row.encoder, row.encoder),
            "layer": row.layer,
            "cka": f"{_number(row.cka)} [{_number(row.ci_low)}, {_number(row.ci_high)}]",
            "debiased": _number(row.cka_debiased),
            "n": row.n,
        }
        for row in cka.itertuples()
    ]


def _leakage_rows(leakage, _tasks, labels):
    return [
        {
            "encoder": labels.encoders.get(row.encoder, row.encoder),
            "what": "cohort" if row.cohort == "all" else f"site of {row.cohort}",
            "modality": row.modality,
            "accuracy": _number(row.accuracy),
            "chance": _number(row.chance),
            "n": row.n,
        }
        for row in leakage.itertuples()
    ]


def _number(value):
    return "–" if np.isnan(value) else f"{value:.2f}"
