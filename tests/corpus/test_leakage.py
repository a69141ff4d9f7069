"""A leak is found by name, by alias and by content, and stops the run."""

import pandas as pd
import pytest

from braindino.corpus.columns import DUPLICATES
from braindino.corpus.leakage import audit_leakage, find_duplicates
from braindino.errors import BadInput


@pytest.fixture
def volumes():
    ids = ["A/1/1/T1w", "A/2/1/T1w", "B/9/1/T1w"]
    return pd.DataFrame({"volume_id": ids, "pretraining": [True, False, True]})


@pytest.fixture
def splits():
    rows = [("A/1/1/T1w", "A/1", "train"), ("A/2/1/T1w", "A/2", "test")]
    frame = pd.DataFrame(rows, columns=["volume_id", "subject", "split"])
    return frame.assign(task="age", fold=0)


def duplicates(*pairs):
    return pd.DataFrame([(*p, 1.0, "other cohort") for p in pairs], columns=DUPLICATES)


def test_a_clean_corpus(volumes, splits):
    table = audit_leakage(volumes, splits, {}, duplicates())
    assert (table["found"] == 0).all()
    assert set(table["task"]) == {"age"}


def test_the_subject_itself(volumes, splits):
    volumes["pretraining"] = True
    with pytest.raises(BadInput, match=r"age: the test scan A/2/1/T1w is of the same person as "
                       r"A/2/1/T1w, which is in the pretraining corpus"):  # fmt: skip
        audit_leakage(volumes, splits, {}, duplicates())


def test_an_alias(volumes, splits):
    with pytest.raises(BadInput, match=r"A/2/1/T1w is of the same person as B/9/1/T1w"):
        audit_leakage(volumes, splits, {"A/2": "A/2", "B/9": "A/2"}, duplicates())


@pytest.mark.parametrize("pair", [("A/2/1/T1w", "B/9/1/T1w"), ("B/9/1/T1w", "A/2/1/T1w")])
def test_a_copy(volumes, splits, pair):
    with pytest.raises(BadInput, match=r"A/2/1/T1w holds the same scan as B/9/1/T1w.*aliases"):
        audit_leakage(volumes, splits, {}, duplicates(pair))


def test_a_copy_in_train(volumes, splits):
    with pytest.raises(BadInput, match=r"holds the same scan as A/1/1/T1w, which is in both"):
        audit_leakage(volumes.assign(pretraining=False), splits, {},
                      duplicates(("A/1/1/T1w", "A/2/1/T1w")))  # fmt: skip


def test_a_subject_in_train_and_test_of_one_fold_only(volumes, splits):
    clean = volumes.assign(pretraining=False)
    swapped = splits.assign(fold=1, split=["test", "train"])
    audit_leakage(clean, pd.concat([splits, swapped]), {}, duplicates())
    both = pd.concat([splits, splits.iloc[[1]].assign(split="train")])
    with pytest.raises(BadInput, match="which is in both train and test"):
        audit_leakage(clean, both, {}, duplicates())


def test_copies_that_harm_nobody_are_only_listed(volumes, splits):
    audit_leakage(volumes, splits, {}, duplicates(("A/1/1/T1w", "B/9/1/T1w")))


def test_duplicates_across_and_within_subjects():
    ids = ["A/1/1/T1w", "A/1/2/T1w", "A/2/1/T1w", "B/1/1/T1w"]
    manifests = pd.DataFrame({"volume_id": ids, "dataset": list("AAAB"), "subject": list("1121")})
    prints = pd.DataFrame({"volume_id": ids, "fingerprint": [[1, 0], [1, 0], [1, 0], [0, 1]]})
    found = find_duplicates(prints, manifests, 0.9)
    pairs = list(zip(found["volume_id"], found["same_as"], strict=True))
    assert pairs == [("A/1/1/T1w", "A/1/2/T1w"), ("A/1/1/T1w", "A/2/1/T1w"),
                     ("A/1/2/T1w", "A/2/1/T1w")]  # fmt: skip
    assert list(found["relation"]) == ["same subject", "same cohort", "same cohort"]


def test_visits_that_only_resemble_each_other_are_no_duplicates():
    ids = ["A/1/1/T1w", "A/1/2/T1w"]
    manifests = pd.DataFrame({"volume_id": ids, "dataset": "A", "subject": "1"})
    prints = pd.DataFrame({"volume_id": ids, "fingerprint": [[1, 0], [0.98, 0.199]]})
    assert find_duplicates(prints, manifests, 0.97).empty
