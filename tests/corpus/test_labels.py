"""Label tables joined to scans: what fits is joined, what does not is counted."""

import json

import pandas as pd
import pytest

from braindino.corpus.labels import join_labels
from braindino.errors import BadInput
from braindino.settings.cards import Labels


@pytest.fixture
def scans():
    return pd.DataFrame(
        {
            "subject": ["0001", "0002", "0003"],
            "session": ["1", "1", "1"],
            "image": ["I10", "I20", "I30"],
            "age": [40.0, None, None],
        }
    )


@pytest.fixture
def join(tmp_path, dataset_card, scans):
    """Return a function that joins one table, written as CSV text, to the three scans."""

    def run(text, **labels):
        (tmp_path / "table.csv").write_text(text)
        card = dataset_card(labels=[Labels(**{"file": "table.csv", "key": "id"} | labels)])
        return join_labels(scans, card, tmp_path)

    return run


def issues(notes):
    return {issue.partition(": ")[2]: (count, example) for issue, count, example in notes}


def test_key_format_restores_leading_zeros(join):
    joined, notes = join("id,iq\n1,100\n3,110\n", key_format="{:04d}", columns={"iq": "iq"})
    assert joined["iq"].fillna(0).to_list() == [100, 0, 110]
    assert issues(notes) == {"scans whose subject has no row": (1, "0002")}


def test_key_pattern_reads_subject_and_session(join):
    joined, _ = join(
        "id,iq\nX_0001_MR1,100\nX_0001_MR2,90\n",
        key_pattern=r"X_(?P<subject>\d+)_MR(?P<session>\d)",
        columns={"iq": "iq"},
    )
    assert joined["iq"].to_list()[0] == 100  # session 2 has no scan


def test_match_by_image(join):
    joined, _ = join("id,dx\nI20,AD\n", match="image", columns={"diagnosis": "dx"})
    assert joined["diagnosis"].to_list()[1] == "AD"
    assert joined["diagnosis"].isna().sum() == 2


def test_star_maps_every_other_value_but_not_a_missing_one(join):
    joined, _ = join(
        "id,idh\n0001,wildtype\n0002,R132H\n0003,\n",
        key_format="{:04d}",
        columns={"idh": "idh"},
        values={"idh": {"wildtype": "wildtype", "*": "nonwildtype"}},
    )
    assert joined["idh"].to_list()[:2] == ["wildtype", "nonwildtype"]
    assert joined["idh"].isna().to_list() == [False, False, True]


def test_ages_that_cannot_be_read_are_counted(join):
    text = "id,age\n0001,n/a\n0002,89+\n0003,old\n"
    joined, notes = join(text, key_format="{:04d}", columns={"age": "age"})
    assert joined["age"].to_list()[:2] == [40.0, 89.0]  # the header's age fills the missing one
    assert pd.isna(joined["age"].iloc[2])
    assert issues(notes) == {
        "column 'age': top-coded; its limit is used": (1, "89+"),
        "column 'age': not a number": (1, "old"),
    }


def test_age_in_months(join):
    joined, _ = join(
        "id,m\n0002,18\n", key_format="{:04d}", columns={"age": "m"}, units={"age": "months"}
    )
    assert joined["age"].to_list()[1] == 1.5


def test_mixed_dates_give_years_or_a_note(join):
    text = (
        "id,born,seen\n0001,2000-01-01,01/02/2010\n0002,25/12/2000,2010-12-25\n0003,,2010-01-01\n"
    )
    joined, notes = join(text, key_format="{:04d}", years={"age": ("born", "seen")})
    assert joined["age"].to_list()[1] == pytest.approx(10, abs=0.01)
    assert joined["age"].iloc[0] == 40.0  # the ambiguous date leaves the header's
    assert "column 'seen': day and month cannot be told apart" in issues(notes)


def test_rows_without_scans_and_rows_that_contradict_each_other(join):
    text = "id,iq\n0001,1\n0001,2\n0009,3\n0002,5\n0002,5\n"
    joined, notes = join(text, key_format="{:04d}", columns={"iq": "iq"})
    assert joined["iq"].to_list()[:2] == [1, 5]
    found = issues(notes)
    assert found["several rows differ for one key; the first is used"] == (1, "0001")
    assert found["rows whose subject has no scan"] == (1, "0009")


def test_aliases_become_columns(join):
    joined, _ = join("id,b\n0001,B-7\n0002,\n", key_format="{:04d}", aliases={"Other": "b"})
    assert joined["alias_Other"].to_list()[0] == "B-7"
    assert joined["alias_Other"].isna().sum() == 2


@pytest.mark.parametrize(
    "content", [[{"key": "0001", "iq": 7}], {"0001": {"iq": 7}}], ids=["list", "object"]
)
def test_json_tables(content, tmp_path, dataset_card, scans):
    (tmp_path / "people.json").write_text(json.dumps(content))
    card = dataset_card(labels=[Labels(file="people.json", key="key", columns={"iq": "iq"})])
    assert join_labels(scans, card, tmp_path)[0]["iq"].iloc[0] == 7


def test_a_glob_must_match_one_table(tmp_path, dataset_card, scans):
    for name in ("ida_1.csv", "ida_2.csv"):
        (tmp_path / name).write_text("id\n0001\n")
    card = dataset_card(labels=[Labels(file="ida_*.csv", key="id")])
    with pytest.raises(BadInput, match=r"several files match .* ida_1\.csv, ida_2\.csv; keep one"):
        join_labels(scans, card, tmp_path)


def test_match_that_no_path_names(join):
    with pytest.raises(BadInput, match="'labels: match' is 'visit', which names no part"):
        join("id\n1\n", match="visit")
