"""Read the label tables of a cohort and join them to its scans."""

import json
from pathlib import Path

import pandas as pd

from braindino.errors import BadInput

READERS = {
    ".tsv": lambda path: pd.read_csv(path, sep="\t", na_values=["n/a"]),
    ".csv": pd.read_csv,
    ".xls": pd.read_excel,
    ".xlsx": pd.read_excel,
    ".json": lambda path: pd.DataFrame(json.loads(Path(path).read_text())),
}


def join_labels(scans, card, folder):
    """Add the label columns of a card to its scans; a scan without a row gets nulls.

    Parameters
    ----------
    scans : DataFrame
        With columns subject and session.
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.

    Raises
    ------
    BadInput
        When a table or one of its columns is missing, naming what is there.
    """
    for labels in card.labels:
        table = read_labels(labels, folder, card.name, sorted(set(scans["session"])))
        keys = [key for key in ("subject", "session") if key in table]
        scans = scans.drop(columns=[c for c in table if c in scans and c not in keys]).merge(
            table.drop_duplicates(keys), on=keys, how="left"
        )
    for column, value in card.constants.items():
        scans[column] = value
    return scans


def read_labels(labels, folder, cohort, sessions):
    """Read one label table.

    Parameters
    ----------
    labels : braindino.settings.cards.Labels
    folder : path
        The cohort's folder.
    cohort : str
        Name of its card.
    sessions : list of str
        The cohort's sessions, for tables with one column a session.

    Returns
    -------
    DataFrame
        Columns subject, perhaps session, and the card's labels.

    Raises
    ------
    BadInput
        When the table or one of its columns is missing.
    """
    path = Path(folder, labels.file)
    table = _read(path, cohort)
    if not any("{session}" in name for name in _names(labels)):
        _check_columns(table, labels, path, cohort)
        return _long(table, labels)
    wide = {session: _of_session(labels, session) for session in sessions}
    known = {s: names for s, names in wide.items() if set(_names(names)) <= set(table)}
    if not known:
        _check_columns(table, wide[sessions[0]], path, cohort)
    return pd.concat([_long(table, names).assign(session=s) for s, names in known.items()])


def _long(table, labels):
    """Map a table to columns subject, perhaps session, and the labels."""
    out = pd.DataFrame({"subject": [_subject(v, labels) for v in table[labels.key]]})
    if labels.key_session:
        sessions = table[labels.key_session].map(_plain)
        out["session"] = sessions.str.removeprefix("ses-").to_numpy()
    for column, source in labels.columns.items():
        out[column] = _values(table[source], labels.values.get(column)).to_numpy()
    for column, (start, end) in labels.years.items():
        days = pd.to_datetime(table[end], errors="coerce") - pd.to_datetime(
            table[start], errors="coerce"
        )
        out[column] = (days.dt.days / 365.25).to_numpy()
    return out.dropna(subset=["subject"])


def _names(labels):
    """List the table's columns that a card names."""
    dates = [name for pair in labels.years.values() for name in pair]
    names = [labels.key, labels.key_session, *labels.columns.values(), *dates]
    return [name for name in names if name]


def _of_session(labels, session):
    """Fill the session into the column names of a wide table."""
    columns = {k: name.format(session=session) for k, name in labels.columns.items()}
    years = {k: tuple(n.format(session=session) for n in p) for k, p in labels.years.items()}
    return labels.model_copy(update={"columns": columns, "years": years})


def _read(path, cohort):
    if not path.is_file():
        raise BadInput(
            f"{path}: the label table of {cohort} is missing; put it there, or change "
            f"'labels: file' in config/datasets/{cohort}.yaml."
        )
    if path.suffix not in READERS:
        raise BadInput(f"{path}: a label table ends in {', '.join(READERS)}; convert it.")
    try:
        return READERS[path.suffix](path)
    except Exception as error:
        raise BadInput(f"{path}: cannot be read as a table ({error}); replace it.") from error


def _check_columns(table, labels, path, cohort):
    missing = [name for name in _names(labels) if name not in table]
    if missing:
        raise BadInput(
            f"{path}: there is no column '{missing[0]}' (it has: {', '.join(map(str, table))}); "
            f"mend 'labels' in config/datasets/{cohort}.yaml."
        )


def _subject(value, labels):
    if pd.isna(value):
        return None
    number = isinstance(value, float) and value.is_integer()
    return labels.key_format.format(int(value) if number else value).removeprefix("sub-")


def _plain(value):
    """Write a cell as the text a person would type: 1.0 is '1'."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _values(column, mapping):
    if not mapping:
        return column
    return column.map(lambda cell: None if pd.isna(cell) else mapping.get(_plain(cell)))
