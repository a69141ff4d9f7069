"""Read the cells of label tables as people write them: numbers, ages and dates.

Every function returns the values that could be read and, for the rest, what was wrong: a Series
of issues beside the values, empty text where there is none. Nothing is guessed: what has two
readings is missing, and counted.
"""

import datetime
import re

import pandas as pd

MISSING = {"", "n/a", "na", "nan", "none", "null", "unknown", "not available", "not applicable"}
MISSING |= {"-", ".", "?"}
TOP_CODED = re.compile(r"(?:>=?|≥)\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*\+")
DECIMAL_COMMA = re.compile(r"-?\d+,\d{1,2}")
AGE = re.compile(r"(\d+(?:\.\d+)?)\s*(y|m|w|d|years?|yrs?|months?|mos?|weeks?|days?)\.?", re.I)
PER_YEAR = {"y": 1.0, "m": 12.0, "w": 365.25 / 7, "d": 365.25}
ISO_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}([ T].*)?")
COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
NUMERIC_DATE = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
AMBIGUOUS = "day and month cannot be told apart"


def text_of(cell):
    """Write a cell as the text a person would type: 1.0 is '1', a missing cell is ''."""
    if pd.isna(cell):
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def read_numbers(column):
    """Read numbers; '89+' is 89, '7,5' is 7.5, 'n/a' is missing.

    Parameters
    ----------
    column : Series

    Returns
    -------
    values : Series of float
    issues : Series of str
    """
    return _read(column, _number, float)


def read_ages(column, unit="years"):
    """Read ages as years: '045Y', '18 months' and '89+' too; below zero is missing.

    Parameters
    ----------
    column : Series
    unit : str
        years, months or days, where a cell does not say.

    Returns
    -------
    values : Series of float
    issues : Series of str
    """
    return _read(column, lambda text: _age(text, PER_YEAR[unit[0]]), float)


def age_in_years(text):
    """Read one age, as `read_ages` does; nan where it says nothing."""
    age = _age(text, 1)[0]
    return float("nan") if age is None else age


def read_dates(column):
    """Read dates, of several formats in one column too.

    Year first is read as ISO, month names as they are. Of '03/04/2010' the whole column decides:
    days come first if some first number exceeds 12 and no second one does, or the reverse, or if
    the separator is a dot; otherwise only cells with one reading are read.

    Parameters
    ----------
    column : Series

    Returns
    -------
    values : Series of datetime.date
    issues : Series of str
    """
    numeric = [m for cell in column if (m := NUMERIC_DATE.fullmatch(text_of(cell)))]
    day_first = any(m[2] == "." or int(m[1]) > 12 for m in numeric)
    month_first = any(int(m[3]) > 12 for m in numeric)
    order = None if day_first == month_first else ("day" if day_first else "month")
    return _read(column, lambda text: _date(text, order), object)


def _read(column, read, dtype):
    cells = [
        (cell.date(), "")
        if isinstance(cell, datetime.datetime) and not pd.isna(cell)
        else read(text_of(cell))
        for cell in column
    ]
    values, issues = zip(*cells, strict=True) if cells else ((), ())
    return (
        pd.Series(values, column.index, dtype=dtype),
        pd.Series(issues, column.index, dtype=object),
    )


def _number(text):
    if text.lower() in MISSING:
        return None, ""
    try:
        value = float(text)
    except ValueError:
        value = None
    if value is not None:
        return (value, "") if abs(value) != float("inf") else (None, "not a number")
    if top := TOP_CODED.fullmatch(text):
        return float(top[1] or top[2]), "top-coded; its limit is used"
    if DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", ".")), "decimal comma"
    return None, "not a number"


def _age(text, per_year):
    if dated := AGE.fullmatch(text):
        return float(dated[1]) / PER_YEAR[dated[2][0].lower()], ""
    value, issue = _number(text)
    if value is None:
        return None, issue
    if value < 0:
        return None, "an age below zero"
    return value / per_year, issue


def _date(text, order):
    if text.lower() in MISSING:
        return None, ""
    try:
        if ISO_DATE.fullmatch(text):
            return datetime.date(*map(int, re.split("[ T]", text)[0].split("-"))), ""
        if compact := COMPACT_DATE.fullmatch(text):
            return datetime.date(*map(int, compact.groups())), ""
        if numeric := NUMERIC_DATE.fullmatch(text):
            return _numeric_date(int(numeric[1]), int(numeric[3]), int(numeric[4]), order)
        if re.search("[A-Za-z]{3}", text):
            return pd.to_datetime(text).date(), ""
    except ValueError:
        pass
    return None, "not a date"


def _numeric_date(first, second, year, order):
    if order is None and first <= 12 and second <= 12 and first != second:
        return None, AMBIGUOUS
    day_first = order == "day" if order else first > 12
    return datetime.date(year, *((second, first) if day_first else (first, second))), ""
