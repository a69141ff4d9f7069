"""Which volumes a task uses, and their targets."""

import hashlib

import numpy as np
import pandas as pd

from braindino.corpus.columns import COVARIATES
from braindino.corpus.persons import subject_keys
from braindino.corpus.values import read_numbers, text_of
from braindino.errors import BadInput

COIN = "coin"


def task_volumes(card, manifests):
    """Select a task's volumes and their targets.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    manifests : DataFrame
        Manifests of the task's datasets, or of more, concatenated.

    Returns
    -------
    volumes : DataFrame
        Columns task, subject (as 'dataset/subject', unique over cohorts), session, volume_id,
        dataset, modality and target: a number, or the index of the class; of survival tasks the
        time, with event (1 where it happened); of segmentations the label map's path. Also age,
        site and vendor, where a manifest has them, and archive_split of a task with that splitter.
    rejects : DataFrame
        Volumes that the task cannot use: volume_id, stage, reason.

    Raises
    ------
    BadInput
        When no manifest has a column that the card names, or nothing is left.
    """
    manifests = manifests[manifests["dataset"].isin(card.datasets)]
    _check_columns(card, manifests)
    chosen = manifests[manifests["modality"].isin(card.modalities)].copy()
    chosen = chosen.assign(task=card.name, subject=subject_keys(chosen))
    label, chosen["target"] = _targets(card, chosen)
    extra = [name for name in COVARIATES if name in chosen]
    extra += ["archive_split"] * (card.splitter == "archive")
    if card.event:
        chosen["event"] = read_numbers(chosen[card.event])[0]
        extra.append("event")
    chosen["reason"] = _unlabelled(card, label, chosen["target"])
    for rule in (_censored_early, _not_first, _incomplete, _not_predefined):
        left = chosen[chosen["reason"] == ""]
        chosen.loc[left.index, "reason"] = rule(card, left)
    usable = chosen["reason"] == ""
    columns = ["task", "subject", "session", "volume_id", "dataset", "modality", "target", *extra]
    volumes = chosen.loc[usable, columns].sort_values("volume_id", ignore_index=True)
    if volumes["subject"].nunique() < 2:
        raise BadInput(
            f"config/tasks/{card.name}.yaml: {volumes['subject'].nunique()} subjects have a usable "
            f"'{card.target}' among {len(chosen)} volumes; a split needs at least two."
        )
    rejects = chosen.loc[~usable, ["volume_id", "reason"]].assign(stage=f"task {card.name}")
    rejects = rejects[["volume_id", "stage", "reason"]]
    return volumes, rejects.sort_values("volume_id", ignore_index=True)


def _check_columns(card, manifests):
    wanted = [None if card.target == COIN else card.target, card.event]
    wanted.append("archive_split" if card.splitter == "archive" else None)
    for column in wanted:
        if column and (column not in manifests or manifests[column].isna().all()):
            raise BadInput(
                f"config/tasks/{card.name}.yaml: target '{column}' is in no manifest of "
                f"{', '.join(card.datasets)}; map it under 'labels: columns' of their cards."
            )


def _targets(card, chosen):
    """Return what each volume's label says, and the target made of it."""
    if card.target == COIN:
        label = chosen["subject"].map(lambda subject: card.classes[_coin(subject)])
    else:
        label = chosen[card.target].astype(object)
    if card.kind == "segmentation":
        return label, label
    if card.kind == "classification" and card.threshold is None:
        index = {str(name): float(i) for i, name in enumerate(card.classes)}
        return label, label.map(lambda value: index.get(text_of(value)), na_action="ignore")
    numbers = read_numbers(label)[0]
    if card.threshold is not None:
        return label, (numbers <= card.threshold).astype(float).where(numbers.notna())
    return label, numbers


def _coin(subject):
    """Toss a fair coin by a hash: it knows nothing of the scan."""
    return hashlib.sha256(f"coin {subject}".encode()).digest()[0] % 2


# Each rule takes volumes without a fault so far, and returns what is wrong with each ('' if well).


def _unlabelled(card, label, target):
    shown = label.where(label.notna(), "missing").astype(str)
    return (f"{card.target} is " + shown).where(target.isna(), "")


def _censored_early(card, volumes):
    """§4.3.4 leaves out who was censored within a year; an unknown event tells nothing either."""
    reasons = pd.Series("", volumes.index, dtype=object)
    if not card.event:
        return reasons
    reasons = reasons.mask(~volumes["event"].isin([0, 1]), f"{card.event} is missing")
    if card.censored_after is None:
        return reasons
    time = read_numbers(volumes[card.target])[0]
    early = (volumes["event"] == 0) & (time <= card.censored_after)
    return reasons.mask(early, f"censored at or before {card.censored_after:g} {card.unit}")


def _not_first(card, volumes):
    if card.sessions == "all":
        return ""
    first = volumes.groupby("subject")["session"].transform("min")
    return np.where(volumes["session"] == first, "", "a later session; only the first is used")


def _incomplete(card, volumes):
    if not card.fusion and card.kind != "segmentation":
        return ""
    held = volumes.groupby(["subject", "session"])["modality"].transform(lambda m: " ".join(m))
    missing = [sorted(set(card.modalities) - set(have.split())) for have in held]
    return [f"the visit has no {', '.join(lack)}" if lack else "" for lack in missing]


def _not_predefined(card, volumes):
    if card.splitter != "archive":
        return ""
    known = volumes["archive_split"].isin(["train", "test"])
    return np.where(known, "", "the archive puts it neither in train nor in test")
