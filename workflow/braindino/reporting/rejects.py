"""Rejected volumes, told without any subject's identifier."""

import re

import pandas as pd

NAMED = 10  # volumes named in one line


def reject_groups(rejects):
    """Group rejects by cohort, stage and reason.

    Parameters
    ----------
    rejects : DataFrame
        Columns volume_id (dataset/subject/session/modality), stage, reason.

    Returns
    -------
    list of dict
        dataset, stage, reason, count, volumes; a volume is its cohort and its place among the
        cohort's rejects ('IXI #3'), in the order of volume ids.
    """
    rows = rejects.astype(str).sort_values(["volume_id", "stage"], ignore_index=True)
    rows["dataset"] = rows["volume_id"].str.split("/").str[0]
    numbers = rows.groupby("dataset")["volume_id"].transform(lambda ids: pd.factorize(ids)[0] + 1)
    rows["name"] = rows["dataset"] + " #" + numbers.astype(str)
    rows["reason"] = [without_identifiers(r.reason, r.volume_id) for r in rows.itertuples()]
    groups = rows.groupby(["dataset", "stage", "reason"])["name"]
    return [
        dict(zip(("dataset", "stage", "reason"), key, strict=True))
        | {"count": len(names), "volumes": _listed(list(names))}
        for key, names in groups
    ]


def without_identifiers(text, volume_id):
    """Remove paths, file names and the volume's subject from a text."""
    text = re.sub(r"\S*/\S*|\S+\.nii(\.gz)?\b", "(file)", text)
    _, _, rest = volume_id.partition("/")
    if subject := rest.partition("/")[0]:
        text = re.sub(rf"(?<![\w.])(sub-)?{re.escape(subject)}(?!\w|\.\d)", "(subject)", text)
    return text


def _listed(names):
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
