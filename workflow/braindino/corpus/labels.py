"""Join a cohort's label tables to its scans; what does not fit is counted."""

from braindino.corpus.label_tables import find_tables, read_labels
from braindino.errors import BadInput


def join_labels(scans, card, folder):
    """Add the label columns of a card to its scans; a scan without a row keeps its nulls.

    Where a scan's header or sidecar has a value already (age, sex), the table's wins.

    Parameters
    ----------
    scans : DataFrame
        With columns subject and session, and what `Labels.match` names.
    card : braindino.settings.cards.DatasetCard
    folder : path
        The cohort's folder.

    Returns
    -------
    scans : DataFrame
    notes : list of (issue, count, example)
        Cells that could not be read, rows without a scan and scans without a row.

    Raises
    ------
    BadInput
        When a table or one of its columns is missing, naming what is there.
    """
    notes, named = [], {}
    for labels in card.labels:
        if labels.optional and not find_tables(labels, folder):
            notes.append((f"{labels.file}: this optional table is not there", 1, labels.file))
            continue
        if labels.match not in scans:
            raise BadInput(
                f"config/datasets/{card.name}.yaml: 'labels: match' is '{labels.match}', which "
                f"names no part of the scans' paths ({', '.join(scans)}); mend it."
            )
        sessions = sorted(set(scans["session"]))
        table, issues = read_labels(labels, folder, card.name, sessions)
        notes += issues + _rows_without_scan(scans, table, labels)
        named.setdefault(labels.match, set()).update(table[labels.match])
        scans = _merge(scans, table, [key for key in (labels.match, "session") if key in table])
    notes += _scans_without_row(scans, named)
    for column, value in card.constants.items():
        scans[column] = scans[column].fillna(value) if column in scans else value
    return scans, notes


def _rows_without_scan(scans, table, labels):
    missing = set(table[labels.match]) - set(scans[labels.match])
    issue = f"{labels.file}: rows whose {labels.match} has no scan"
    return [(issue, len(missing), min(missing))] if missing else []


def _scans_without_row(scans, named):
    """Note the scans that no table names; `named`: what the tables name, by what it matches."""
    missing = {match: set(scans[match].dropna()) - names for match, names in named.items()}
    return [
        (f"label tables: scans whose {match} has no row", len(keys), min(keys))
        for match, keys in missing.items()
        if keys
    ]


def _merge(scans, table, keys):
    merged = scans.merge(table, on=keys, how="left", suffixes=("_scan", ""))
    for column in [c for c in table if c in scans and c not in keys]:
        own = merged.pop(f"{column}_scan")
        merged[column] = merged[column].where(merged[column].notna(), own)
    return merged
