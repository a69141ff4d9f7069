"""Cells of label tables, against what a person reads in them."""

import datetime

import pandas as pd
import pytest

from braindino.corpus.values import AMBIGUOUS, read_ages, read_dates, read_numbers


def read(function, cells, *args):
    values, issues = function(pd.Series(cells, dtype=object), *args)
    return [None if pd.isna(v) else v for v in values], list(issues)


def test_numbers():
    cells = ["7.5", 8, 9.0, "7,5", "n/a", "", None, "89+", ">90", "seven", "inf"]
    values, issues = read(read_numbers, cells)
    assert values == [7.5, 8, 9, 7.5, None, None, None, 89, 90, None, None]
    assert issues[3] == "decimal comma"
    assert issues[7] == issues[8] == "top-coded; its limit is used"
    assert issues[9] == issues[10] == "not a number"
    assert not any(issues[i] for i in (0, 1, 2, 4, 5, 6))


@pytest.mark.parametrize(
    ("cell", "unit", "years"),
    [
        ("045Y", "years", 45),
        ("006M", "years", 0.5),
        ("18 months", "years", 1.5),
        ("24 mo", "years", 2),
        ("052W", "years", 364 / 365.25),
        (30, "months", 2.5),
        (730.5, "days", 2),
        ("12 years", "months", 12),  # what the cell says wins
        (-9999, "years", None),
        ("n/a", "months", None),
    ],
)
def test_ages_become_years(cell, unit, years):
    values, _ = read(read_ages, [cell], unit)
    assert values == [None] if years is None else values == [pytest.approx(years)]


def test_an_age_below_zero_is_explained():
    assert read(read_ages, [-9999])[1] == ["an age below zero"]


def test_dates_of_several_formats():
    cells = ["2010-04-03", "20100403", "3-Apr-2010", "April 3, 2010", pd.Timestamp("2010-04-03")]
    cells += ["2010-04-03 12:30:00"]
    assert read(read_dates, cells) == ([datetime.date(2010, 4, 3)] * 6, [""] * 6)


def test_the_column_decides_which_number_is_the_day():
    april, march = datetime.date(2010, 4, 3), datetime.date(2010, 3, 4)
    assert read(read_dates, ["03/04/2010", "25/12/2010"])[0][0] == april
    assert read(read_dates, ["03/04/2010", "12/25/2010"])[0][0] == march
    assert read(read_dates, ["03.04.2010"])[0][0] == april


def test_an_ambiguous_date_is_missing_and_explained():
    values, issues = read(read_dates, ["03/04/2010", "25/12/2010", "12/25/2010", "05/05/2010"])
    assert values[0] is None
    assert issues[0] == AMBIGUOUS
    assert values[1] == values[2] == datetime.date(2010, 12, 25)
    assert values[3] == datetime.date(2010, 5, 5)
    assert read(read_dates, ["03/04/2010"]) == ([None], [AMBIGUOUS])


def test_impossible_dates_are_not_dates():
    assert read(read_dates, ["2010-13-01", "soon", "2010"])[1] == ["not a date"] * 3


def test_dates_older_than_pandas_can_hold():
    assert read(read_dates, ["1808-02-29"])[0] == [datetime.date(1808, 2, 29)]
