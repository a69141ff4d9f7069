"""Which cases a segmentation uses, and which it cannot: found before anything trains."""

import nibabel as nib
import numpy as np
import pandas as pd

from braindino.corpus.persons import subject_keys
from braindino.errors import BadInput
from braindino.segmentation.network import CONTRASTS

REJECTS = ["volume_id", "stage", "reason"]
SAME = 1e-3  # mm by which corners of two grids may differ


def list_cases(split, manifests):
    """List a task's cases: visits with all contrasts and a label map.

    Parameters
    ----------
    split : DataFrame
        corpus/splits/<task>.parquet, in which a visit without a contrast is not.
    manifests : DataFrame
        Of the task's datasets.

    Returns
    -------
    DataFrame
        case (its name in nnU-Net), volume_id (of the visit), subject, fold, split, label and the
        path of each contrast.
    """
    paths = manifests.set_index("volume_id")["path"]
    rows = split.assign(path=split["volume_id"].map(paths))
    keys = ["subject", "session", "fold", "split", "target"]
    cases = rows.pivot_table("path", keys, "modality", aggfunc="first").reset_index()
    cases = cases.rename(columns={"target": "label"}).rename_axis(columns=None)
    cases["volume_id"] = cases["subject"] + "/" + cases["session"].astype(str)
    name = cases["volume_id"].str.split("/", n=1).str[1].str.replace("/", "-")
    return cases.assign(case=name).sort_values("case", ignore_index=True)


def incomplete_visits(card, manifests):
    """Return visits that lack a contrast or their label map, as rejects."""
    rows = manifests[manifests["modality"].isin(CONTRASTS)]
    rows = rows.assign(visit=subject_keys(rows) + "/" + rows["session"].astype(str))
    faults = []
    for visit, own in rows.groupby("visit"):
        lack = [name for name in CONTRASTS if name not in set(own["modality"])]
        lack += ["label map"] if own["segmentation"].isna().all() else []
        if lack:
            faults.append((visit, f"the case has no {', '.join(lack)}"))
    return _rejects(card, faults)


def check_cases(card, cases, regions, most_rejects):
    """Leave out the cases that cannot be learnt from or scored.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    cases : DataFrame
        As `list_cases` returns them.
    regions : dict
        dataset → braindino.settings.cards.Regions
    most_rejects : float
        Share of rejected cases above which there is a fault in the set-up.

    Returns
    -------
    cases, rejects : DataFrame

    Raises
    ------
    BadInput
        When there are more rejects than that, or a part of the split is empty.
    """
    reasons = [_fault(case, regions[case.subject.split("/")[0]]) for case in cases.itertuples()]
    bad = pd.Series([bool(reason) for reason in reasons], cases.index, dtype=bool)
    faults = [(v, reason) for v, reason in zip(cases["volume_id"], reasons, strict=True) if reason]
    kept = cases[~bad].reset_index(drop=True)
    enough = {"train", "test"} <= set(kept["split"])
    if len(faults) > most_rejects * len(cases) or not enough:
        shown = "; ".join(f"{name}: {reason}" for name, reason in faults[:3])
        raise BadInput(
            f"config/tasks/{card.name}.yaml: {len(faults)} of {len(cases)} cases cannot be used, "
            f"so no network is trained: {shown}."
        )
    return kept, _rejects(card, faults)


def _rejects(card, faults):
    table = pd.DataFrame(faults, columns=["volume_id", "reason"])
    return table.assign(stage=f"segmentation {card.name}")[REJECTS]


def _fault(case, regions):
    """Say what is wrong with a case, '' if nothing is."""
    try:
        label = nib.load(case.label)
        for contrast in CONTRASTS:
            image = nib.load(getattr(case, contrast))
            if image.shape != label.shape:
                return f"{contrast} has {image.shape} voxels and the label map {label.shape}"
            if not np.allclose(image.affine, label.affine, atol=SAME):
                return f"{contrast} and the label map lie on different grids (affine)"
        found = set(np.unique(np.asanyarray(label.dataobj)).tolist()) - {0}
    except (OSError, EOFError, ValueError, nib.filebasedimages.ImageFileError) as error:
        return f"cannot be read: {error}"
    if strange := found - set(regions.wt):
        listed = ", ".join(f"{value:g}" for value in sorted(strange))
        return f"label values {listed} are not among 'regions' in its cohort's card"
    return "" if found else "its label map is empty"
