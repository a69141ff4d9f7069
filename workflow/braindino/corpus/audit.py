"""Audits of the corpus: every scan accounted for, no test subject in pretraining (§4.1.1)."""

import pandas as pd

from braindino.errors import BadInput


def coverage(manifests, rejects, volumes, expected):
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
        Cohort → volumes that its card expects, or None.

    Returns
    -------
    DataFrame
        One row a cohort; found = used + unused + rejected.
    """
    owner = volumes["volume_id"].str.split("/").str[0]
    rejecter = rejects["volume_id"].str.split("/").str[0]
    return pd.DataFrame(
        _cohort(
            name,
            count,
            manifests[manifests["dataset"] == name],
            int((rejecter == name).sum()),
            volumes[owner == name],
        )
        for name, count in expected.items()
    )


def _cohort(name, expected, manifest, rejected, volumes):
    return {
        "dataset": name,
        "expected": expected,
        "found": len(manifest) + rejected,
        "used": len(volumes),
        "unused": len(manifest) - len(volumes),
        "rejected": rejected,
        "pretraining": int(volumes["pretraining"].sum()),
        "evaluation": int(volumes["evaluation"].sum()),
        "subjects": manifest["subject"].nunique(),
        "skull_stripped": int(manifest["skull_stripped"].astype(bool).sum()),
        "age_min": manifest["age"].min(),
        "age_max": manifest["age"].max(),
        "female": int((manifest["sex"] == "F").sum()),
        "male": int((manifest["sex"] == "M").sum()),
        **{
            column: " ".join(sorted(set(manifest[column].dropna().astype(str))))
            for column in ("modality", "vendor", "field_strength", "orientation")
        },
    }


def audit_leakage(volumes, splits):
    """Count test subjects in the pretraining corpus, and subjects in both parts of a split.

    Parameters
    ----------
    volumes : DataFrame
        All volumes that the run uses, with the flag `pretraining`.
    splits : DataFrame
        All tasks' splits, concatenated.

    Returns
    -------
    DataFrame
        Columns task, check, subjects; every count is zero.

    Raises
    ------
    BadInput
        When a count is not zero, naming a subject.
    """
    corpus = volumes.loc[volumes["pretraining"].astype(bool), "volume_id"]
    pretrained = set(corpus.str.split("/").str[:2].str.join("/"))
    rows = []
    for task, split in splits.groupby("task"):
        train, test = (set(split.loc[split["split"] == p, "subject"]) for p in ("train", "test"))
        for check, shared in (
            ("test subjects in the pretraining corpus", test & pretrained),
            ("subjects in both train and test", test & train),
        ):
            if shared:
                raise BadInput(f"leakage: {task}: {check}, for example {min(shared)}.")
            rows.append((task, check, len(shared)))
    return pd.DataFrame(rows, columns=["task", "check", "subjects"])
