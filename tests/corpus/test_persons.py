"""Persons under several ids."""

import pandas as pd
import pytest

from braindino.corpus.persons import COLUMNS, find_persons, read_aliases
from braindino.errors import BadInput


@pytest.fixture
def manifests():
    rows = [("A", "P-01"), ("A", "P-02"), ("B", "x01"), ("B", "x03"), ("C", "7"), ("C", "8")]
    return pd.DataFrame(rows, columns=["dataset", "subject"]).assign(alias_C=[None] * 5 + ["x"])


def aliases(*rows):
    return pd.DataFrame([(*row, "made up") for row in rows], columns=COLUMNS)


def groups(manifests, *rows):
    persons = find_persons(manifests, aliases(*rows))
    return {tuple(p["subject"]) for _, p in persons.groupby("person") if len(p) > 1}


def test_a_pattern_names_many(manifests):
    row = ("A", "P-{number:[0-9]+}", "B", "x{number}")
    assert groups(manifests, row) == {("A/P-01", "B/x01")}


def test_a_person_of_three_cohorts(manifests):
    manifests.loc[2, "alias_C"] = "7"
    assert groups(manifests, ("A", "P-01", "B", "x01")) == {("A/P-01", "B/x01", "C/7")}


def test_two_ids_in_one_cohort(manifests):
    assert groups(manifests, ("A", "P-01", "A", "P-02")) == {("A/P-01", "A/P-02")}


def test_who_is_not_there_joins_nobody(manifests):
    assert groups(manifests, ("A", "P-01", "D", "1"), ("D", "1", "A", "P-02")) == set()


def test_table_of_aliases(tmp_path, root):
    assert len(read_aliases(root / "config/aliases.csv"))
    path = tmp_path / "aliases.csv"
    path.write_text(",".join(COLUMNS) + "\nA,1,B,,me\n")
    with pytest.raises(BadInput, match=r"aliases\.csv: line 2 has an empty cell"):
        read_aliases(path)
    path.write_text("dataset,subject\nA,1\n")
    with pytest.raises(BadInput, match="there is no column 'same_dataset'"):
        read_aliases(path)
