"""Read the label tables that archives ship: which rows they are about, and what they say."""

import json
from pathlib import Path

import pandas as pd

from braindino.corpus.values import MISSING, read_ages, read_dates, text_of
from braindino.errors import BadInput

READERS = {
    ".tsv": lambda path: pd.read_csv(path, sep="\t", na_values=["n/a"]),
    ".csv": lambda path: pd.read_csv(path, encoding_errors="replace"),
    ".xls": pd.read_excel,
    ".xlsx": pd.read_excel,
    ".json": lambda path: _from_json(Path(path).read_text()),
}
ALIAS = "alias_"  # prefix of the manifest columns that hold a person's id in another cohort


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
    table : DataFrame
        One row a key: the column `labels.match`, perhaps session, and the card's labels.
    notes : list of (issue, count, example)

    Raises
    ------
    BadInput
        When the table or one of its columns is missing.
    """
    path = _find(labels, folder, cohort)
    table = _read(path)
    if not any("{session}" in name for name in _names(labels)):
        _check_columns(table, labels, path, cohort)
        long, notes = _long(table, labels)
    else:
        wide = {session: _of_session(labels, session) for session in sessions}
        known = {s: names for s, names in wide.items() if set(_names(names)) <= set(table)}
        if not known:
            _check_columns(table, wide[sessions[0]], path, cohort)
        read = {session: _long(table, names) for session, names in known.items()}
        long = pd.concat([part.assign(session=session) for session, (part, _) in read.items()])
        notes = [note for _, issues in read.values() for note in issues]
    long, repeated = _one_row_a_key(long, labels)
    return long, [(f"{path.name}: {issue}", n, example) for issue, n, example in notes + repeated]


def _long(table, labels):
    """Map a table to its key, perhaps session, and the labels."""
    out, notes = _keys(table, labels), []
    for column, source in labels.columns.items():
        out[column] = _values(table[source], labels.values.get(column)).to_numpy()
    for column in {"age", *labels.units} & set(labels.columns):
        years, issues = read_ages(out[column], labels.units.get(column, "years"))
        notes += _count(issues, out[column], labels.columns[column])
        out[column] = years
    for column, (start, end) in labels.years.items():
        (born, wrong_start), (seen, wrong_end) = read_dates(table[start]), read_dates(table[end])
        notes += _count(wrong_start, table[start], start) + _count(wrong_end, table[end], end)
        out[column] = [
            (b - a).days / 365.25 if a and b else None for a, b in zip(born, seen, strict=True)
        ]
        out[column] = out[column].astype(float)
    for cohort, source in labels.aliases.items():
        out[ALIAS + cohort] = [text_of(cell) or None for cell in table[source]]
    return out.dropna(subset=[labels.match]), notes


def _keys(table, labels):
    """Return a frame of each row's key and, where the table has one, session."""
    keys = [_key(cell, labels) for cell in table[labels.key]]
    out = pd.DataFrame({labels.match: keys}, dtype=object)
    if labels.key_pattern:
        parts = out[labels.match].str.extract(f"^(?:{labels.key_pattern})$")
        out[labels.match] = parts["subject"]
        if "session" in parts:
            out["session"] = parts["session"]
    if labels.key_session:
        sessions = table[labels.key_session].map(text_of)
        out["session"] = sessions.str.removeprefix("ses-").to_numpy()
    return out


def _key(cell, labels):
    if pd.isna(cell):
        return None
    number = isinstance(cell, float) and cell.is_integer()
    return labels.key_format.format(int(cell) if number else cell).removeprefix("sub-")


def _values(column, mapping):
    """Map a column's cells; without a mapping, words that say nothing become missing."""
    if not mapping:
        return column.where(column.map(lambda cell: text_of(cell).lower() not in MISSING))
    default = mapping.get("*")
    return column.map(lambda cell: mapping.get(text_of(cell), default) if text_of(cell) else None)


def _count(issues, cells, name):
    """Count what was wrong with the cells of a column."""
    wrong = issues[issues != ""]
    return [
        (f"column '{name}': {issue}", len(group), text_of(cells[group.index[0]]))
        for issue, group in wrong.groupby(wrong)
    ]


def _one_row_a_key(table, labels):
    """Keep the first row of each key, and note where several differ."""
    keys = [key for key in (labels.match, "session") if key in table]
    distinct = table.drop_duplicates()
    differing = distinct[distinct.duplicated(keys)]
    notes = []
    if len(differing):
        example = "/".join(map(str, differing.iloc[0][keys]))
        notes = [("several rows differ for one key; the first is used", len(differing), example)]
    return table.drop_duplicates(keys), notes


def _names(labels):
    """List the table's columns that a card names."""
    dates = [name for pair in labels.years.values() for name in pair]
    columns = [*labels.columns.values(), *labels.aliases.values()]
    names = [labels.key, labels.key_session, *columns, *dates]
    return [name for name in names if name]


def _of_session(labels, session):
    """Fill the session into the column names of a wide table."""
    columns = {k: name.format(session=session) for k, name in labels.columns.items()}
    years = {k: tuple(n.format(session=session) for n in p) for k, p in labels.years.items()}
    return labels.model_copy(update={"columns": columns, "years": years})


def find_tables(labels, folder):
    """List the files that `Labels.file` means; with wildcards there may be several, or none."""
    if any(sign in labels.file for sign in "*?"):
        return sorted(Path(folder).glob(labels.file))
    return [path for path in [Path(folder, labels.file)] if path.is_file()]


def _find(labels, folder, cohort):
    """Find the table's file; a name with wildcards must match one."""
    found = find_tables(labels, folder)
    if not found:
        raise BadInput(
            f"{Path(folder, labels.file)}: the label table of {cohort} is missing; put it there, "
            f"or change 'labels: file' in config/datasets/{cohort}.yaml."
        )
    if len(found) > 1:
        names = ", ".join(path.name for path in found)
        raise BadInput(
            f"{folder}: several files match 'labels: file' ({labels.file}) of {cohort}: {names}; "
            f"keep one, or name it in config/datasets/{cohort}.yaml."
        )
    return found[0]


def _read(path):
    if path.suffix not in READERS:
        raise BadInput(f"{path}: a label table ends in {', '.join(READERS)}; convert it.")
    try:
        return READERS[path.suffix](path)
    except Exception as error:
        raise BadInput(f"{path}: cannot be read as a table ({error}); replace it.") from error


def _from_json(text):
    """Read a list of objects, or an object of objects, whose names become the column 'key'."""
    values = json.loads(text)
    if isinstance(values, dict) and all(isinstance(value, dict) for value in values.values()):
        values = [{"key": name, **value} for name, value in values.items()]
    return pd.DataFrame(values)


def _check_columns(table, labels, path, cohort):
    missing = [name for name in _names(labels) if name not in table]
    if missing:
        raise BadInput(
            f"{path}: there is no column '{missing[0]}' (it has: {', '.join(map(str, table))}); "
            f"mend 'labels' in config/datasets/{cohort}.yaml, or get the release that it names."
        )
