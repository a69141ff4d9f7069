"""Audit of coverage: every scan accounted for, and what the cohorts are made of."""

from itertools import pairwise

import numpy as np
import pandas as pd

NOT_STATED = "not stated"
ATTRIBUTES = [
    "modality",
    "vendor",
    "field_strength",
    "slice_thickness",
    "orientation",
    "sex",
    "age",
]
AGES = [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]  # years; lower ends of the bins
THICKNESSES = [0, 1, 2, 3, 5]  # mm; a bin holds its upper end, and what rounds to it
ROUNDING = 0.05  # mm


def coverage(manifests, rejects, volumes, expected, slices):
    """Account for the scans of each cohort and describe them.

    Parameters
    ----------
    manifests : DataFrame
        All manifests, concatenated.
    rejects : DataFrame
        All manifest rejects.
    volumes : DataFrame
        All volumes that the run uses.
    expected : dict
        Cohort → {'subjects', 'volumes'} of a complete archive, or None.
    slices : int
        Slices that pretraining draws from a volume.

    Returns
    -------
    DataFrame
        One row a cohort; found = used + unused + rejected.
    """
    owner = volumes["volume_id"].str.split("/").str[0]
    rejecter = rejects["volume_id"].astype(str).str.split("/").str[0]
    columns = list(_cohort("", {}, manifests[:0], 0, volumes[:0], slices))
    rows = [
        _cohort(
            name,
            counts or {},
            manifests[manifests["dataset"] == name],
            int((rejecter == name).sum()),
            volumes[owner == name],
            slices,
        )
        for name, counts in expected.items()
    ]
    return pd.DataFrame(rows, columns=columns)  # no cohort at all has the columns too


def _cohort(name, expected, manifest, rejected, volumes, slices):
    pretraining = int(volumes["pretraining"].sum())
    return {
        "dataset": name,
        "expected_subjects": expected.get("subjects"),
        "subjects": manifest["subject"].nunique(),
        "expected": expected.get("volumes"),
        "found": len(manifest) + rejected,
        "used": len(volumes),
        "unused": len(manifest) - len(volumes),
        "rejected": rejected,
        "pretraining": pretraining,
        "evaluation": int(volumes["evaluation"].sum()),
        "slices": pretraining * slices,
        "skull_stripped": int(manifest["skull_stripped"].astype(bool).sum()),
        "age_min": manifest["age"].min(),
        "age_max": manifest["age"].max(),
        "female": int((manifest["sex"] == "F").sum()),
        "male": int((manifest["sex"] == "M").sum()),
        "thickness_min": manifest["slice_thickness"].min(),
        "thickness_max": manifest["slice_thickness"].max(),
        **{
            column: " ".join(sorted(set(manifest[column].dropna().astype(str))))
            for column in ("modality", "vendor", "field_strength", "orientation")
        },
    }


def composition(manifests, volumes):
    """Count the volumes in use by cohort, part of the run and attribute.

    Parameters
    ----------
    manifests : DataFrame
        All manifests, concatenated.
    volumes : DataFrame
        All volumes that the run uses, with the flags pretraining and evaluation.

    Returns
    -------
    DataFrame
        Columns dataset, part ('pretraining' or 'evaluation'), attribute (modality, vendor,
        field strength in T, slice thickness in mm, orientation, sex, age in years), value and
        volumes; what nobody states is 'not stated'.
    """
    parts = ["pretraining", "evaluation"]
    flags = volumes[["volume_id", *parts]].astype(dict.fromkeys(parts, bool))
    table = manifests.merge(flags, on="volume_id")
    table = table.assign(
        field_strength=table["field_strength"].map("{:g} T".format, na_action="ignore"),
        slice_thickness=_binned(table["slice_thickness"] - ROUNDING, THICKNESSES, " mm"),
        age=_binned(table["age"], AGES),
    )
    counts = [
        table[table[part]]
        .fillna({column: NOT_STATED})
        .groupby(["dataset", column])
        .size()
        .rename("volumes")
        .rename_axis(["dataset", "value"])
        .reset_index()
        .assign(part=part, attribute=column)
        for part in parts
        for column in ATTRIBUTES
    ]
    columns = ["dataset", "part", "attribute", "value", "volumes"]
    return pd.concat(counts, ignore_index=True)[columns].astype({"value": str})


def _binned(numbers, edges, unit=""):
    """Name the bin of each number, 'low–high unit', or leave it missing."""
    names = [f"{low}–{high}{unit}" for low, high in pairwise(edges)] + [f"> {edges[-1]}{unit}"]
    limits = [*edges, np.inf]
    binned = pd.cut(pd.to_numeric(numbers), limits, right=bool(unit), labels=names)
    return binned.astype(object).where(binned.notna(), None)
