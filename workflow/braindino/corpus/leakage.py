"""Audit of leakage: no test subject in pretraining, nor on both sides of a split (§4.1.1)."""

import pandas as pd

from braindino.corpus.columns import DUPLICATES
from braindino.corpus.fingerprint import same_content
from braindino.corpus.persons import subject_keys
from braindino.errors import BadInput

EXACT = 0.999  # assumed: a subject's contrasts correlate up to 0.95, re-saved copies above 0.9999


def find_duplicates(prints, manifests, threshold):
    """Find volumes that hold the same content.

    A subject's visits and contrasts resemble each other, so within one only exact copies count.

    Parameters
    ----------
    prints : DataFrame
        Columns volume_id and fingerprint, of all cohorts.
    manifests : DataFrame
        All manifests, concatenated.
    threshold : float
        Correlation above which two fingerprints are one volume.

    Returns
    -------
    DataFrame
        Columns volume_id, same_as, correlation and relation ('same subject', 'same cohort' or
        'other cohort').
    """
    if prints.empty:
        return pd.DataFrame(columns=DUPLICATES)
    subject = dict(zip(manifests["volume_id"], subject_keys(manifests), strict=True))
    ids = prints["volume_id"].to_list()
    rows = []
    for i, j, correlation in same_content(prints["fingerprint"].to_list(), threshold):
        relation = _relation(subject[ids[i]], subject[ids[j]])
        if relation != "same subject" or correlation > EXACT:
            rows.append((ids[i], ids[j], round(correlation, 4), relation))
    return pd.DataFrame(rows, columns=DUPLICATES)


def _relation(one, other):
    if one == other:
        return "same subject"
    return "same cohort" if one.split("/")[0] == other.split("/")[0] else "other cohort"


def audit_leakage(volumes, splits, persons, duplicates):
    """Look for test subjects where they must not be, by person and by content.

    Parameters
    ----------
    volumes : DataFrame
        All volumes that the run uses, with the flag `pretraining`.
    splits : DataFrame
        All tasks' splits, concatenated.
    persons : dict
        subject → person.
    duplicates : DataFrame
        As `find_duplicates` returns them.

    Returns
    -------
    DataFrame
        Columns task, check, found; every count is zero.

    Raises
    ------
    BadInput
        When a count is not zero, naming the task, the check, the first scan and its mend.
    """
    corpus = volumes.loc[volumes["pretraining"].astype(bool), "volume_id"]
    rows = []
    for task, split in splits.groupby("task"):
        found = {"in the pretraining corpus": _shared(split, corpus, persons, duplicates)}
        found["in both train and test"] = [
            pair
            for _, fold in split.groupby("fold")
            for pair in _shared(
                fold, fold.loc[fold["split"] == "train", "volume_id"], persons, duplicates
            )
        ]
        for check, pairs in found.items():
            if pairs:
                raise BadInput(_sentence(task, check, pairs))
            rows += [(task, f"test {what} {check}", 0) for what in ("subjects", "scans")]
    return pd.DataFrame(rows, columns=["task", "check", "found"])


def _shared(split, others, persons, duplicates):
    """List (test scan, other scan, how) where a test person or scan is among others."""
    test = split.loc[split["split"] == "test", "volume_id"]
    own = {_person(volume_id, persons): volume_id for volume_id in sorted(test)[::-1]}
    by_person = [
        (own[person], other, "is of the same person as")
        for other in sorted(others)
        if (person := _person(other, persons)) in own
    ]
    test, others = set(test), set(others)
    pairs = duplicates[["volume_id", "same_as"]].itertuples(index=False)
    by_content = [
        (*pair, "holds the same scan as")
        for one, two in pairs
        for pair in ((one, two), (two, one))
        if pair[0] in test and pair[1] in others
    ]
    return by_person + by_content


def _person(volume_id, persons):
    subject = "/".join(volume_id.split("/")[:2])
    return persons.get(subject, subject)


def _sentence(task, check, pairs):
    test, other, how = pairs[0]
    more = f" ({len(pairs) - 1} more like it)" if len(pairs) > 1 else ""
    return (
        f"leakage: {task}: the test scan {test} {how} {other}, which is {check}{more}; remove one "
        f"of the two, or name both subjects as one person in config/aliases.csv "
        f"(corpus/audit/duplicates.csv lists all copies)."
    )
