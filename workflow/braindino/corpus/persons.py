"""Who is who: subjects of several cohorts, or of one, that are the same person."""

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from braindino.corpus.label_tables import ALIAS
from braindino.corpus.patterns import compile_pattern
from braindino.errors import BadInput

COLUMNS = ["dataset", "subject", "same_dataset", "same_subject", "source"]


def read_aliases(path):
    """Read the table of persons under two ids.

    Parameters
    ----------
    path : path
        CSV with columns dataset, subject, same_dataset, same_subject, source. `subject` may be a
        pattern with named parts, as in a card's `scans`, which `same_subject` uses again.

    Raises
    ------
    BadInput
        When a column or a cell is missing.
    """
    table = pd.read_csv(path, dtype=str)
    missing = [name for name in COLUMNS if name not in table]
    if missing:
        raise BadInput(f"{path}: there is no column '{missing[0]}'; its columns are {COLUMNS}.")
    if (empty := table[COLUMNS[:4]].isna().any(axis=1)).any():
        raise BadInput(f"{path}: line {int(np.argmax(empty)) + 2} has an empty cell; fill it.")
    return table


def find_persons(manifests, aliases):
    """Give every subject a person.

    Parameters
    ----------
    manifests : DataFrame
        All manifests, concatenated; columns `alias_<cohort>` hold a person's id there.
    aliases : DataFrame
        As `read_aliases` returns it.

    Returns
    -------
    DataFrame
        One row a subject: subject (as 'dataset/subject') and person, the first of the subjects
        that are one person.
    """
    subjects = sorted(set(subject_keys(manifests)))
    place = {subject: i for i, subject in enumerate(subjects)}
    pairs = [*_from_table(manifests, aliases), *_from_columns(manifests)]
    pairs = [(place[a], place[b]) for a, b in pairs if a in place and b in place]
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    shape = (len(subjects), len(subjects))
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=shape)
    _, label = connected_components(graph, directed=False)
    persons = pd.DataFrame({"subject": subjects, "person": label}, dtype=object)
    persons["person"] = persons.groupby("person")["subject"].transform("min")
    return persons


def read_persons(path):
    """Read the table of `find_persons` as {subject: person}."""
    return pd.read_parquet(path).set_index("subject")["person"].to_dict()


def subject_keys(manifest):
    """Name subjects so that they are unique over cohorts: 'dataset/subject'."""
    return manifest["dataset"].astype(str) + "/" + manifest["subject"].astype(str)


def _from_table(manifests, aliases):
    known = {name: set(rows["subject"]) for name, rows in manifests.groupby("dataset")}
    for alias in aliases.itertuples():
        expression = compile_pattern(alias.subject)
        for subject in known.get(alias.dataset, ()):
            if match := expression.fullmatch(subject):
                same = alias.same_subject.format(**match.groupdict())
                yield f"{alias.dataset}/{subject}", f"{alias.same_dataset}/{same}"


def _from_columns(manifests):
    keys = subject_keys(manifests)
    for column in [name for name in manifests if name.startswith(ALIAS)]:
        told = manifests[column].notna()
        same = column.removeprefix(ALIAS) + "/" + manifests[column][told].astype(str)
        yield from zip(keys[told], same, strict=True)
