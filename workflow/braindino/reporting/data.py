"""The report's section Data: what the corpus holds, and the audits of it."""

import pandas as pd

from braindino.reporting.composition import composition_rows
from braindino.reporting.labels import task_title

IMAGING = "imaging"  # the stage of rejects that the corpus stage could not know of
FEWER = "fewer than the archive holds"
HASH_DIGITS = 12  # enough to compare by eye


def data_context(tasks, tables):
    """Gather what the section prints.

    Parameters
    ----------
    tasks : dict of TaskCard
        The run's tasks.
    tables : dict of DataFrame
        The audits coverage, composition, splits, leakage, duplicates and notes.

    Returns
    -------
    dict
        counts, composition, splits, leakage and notes: lists of dicts to print; checks: (key,
        title) of leakage's columns; found: their sum; duplicates: {relation: pairs}. No subject's
        id is among them.
    """
    leakage = tables["leakage"]
    return {
        "counts": [_counts(row) for row in tables["coverage"].to_dict("records")],
        "composition": composition_rows(tables["composition"]),
        "splits": split_rows(tables["splits"], tasks),
        "checks": [(check, check.capitalize()) for check in dict.fromkeys(leakage["check"])],
        "leakage": [
            {"title": task_title(tasks[task])}
            | dict(zip(rows["check"], rows["found"], strict=True))
            for task, rows in leakage.groupby("task", sort=False)
        ],
        "found": int(leakage["found"].sum()),
        "duplicates": tables["duplicates"].groupby("relation").size().to_dict(),
        "notes": tables["notes"][["dataset", "issue", "count"]].to_dict("records"),
    }


def final_counts(coverage, rejects):
    """Move the volumes that imaging rejected from used to rejected.

    Parameters
    ----------
    coverage : DataFrame
        Counts of the corpus stage: dataset, found, used, unused, rejected.
    rejects : DataFrame
        Rejects of all stages: volume_id, stage, reason.
    """
    failed = rejects.loc[rejects["stage"] == IMAGING, "volume_id"].astype(str)
    lost = failed.str.split("/").str[0].value_counts()
    lost = coverage["dataset"].map(lost).fillna(0).astype(int)
    return coverage.assign(used=coverage["used"] - lost, rejected=coverage["rejected"] + lost)


def split_rows(splits, tasks):
    """Print the sizes of each task's first fold by class, with the paper's beside.

    Parameters
    ----------
    splits : DataFrame
        As `corpus.audit.split_sizes` returns it.
    tasks : dict of TaskCard
        The run's tasks.

    Returns
    -------
    list of dict
        A row for all of a task's subjects, which names the task, then one a class.
    """
    folds = splits.groupby("task")["fold"].nunique()
    return [
        _task_cells(tasks[task], rows, folds[task], name) | _sizes(rows)
        for (task, name), rows in splits[splits["fold"] == 0].groupby(["task", "class"], sort=False)
    ]


def _task_cells(card, rows, folds, name):
    first = rows.iloc[0]
    cells = {
        "title": task_title(card),
        "datasets": " + ".join(card.datasets),
        "folds": f"fold 0 of {folds} folds" if folds > 1 else "",
        "section": first["section"] if isinstance(first["section"], str) else "",
        "hash": first["hash"][:HASH_DIGITS],
    }
    return {"class": name} | (cells if name == "all" else dict.fromkeys(cells, ""))


def _sizes(rows):
    """Print what train and test hold, and what the paper counts in the same."""
    sizes = {}
    for row in rows.itertuples():
        sizes[row.part] = f"{row.subjects} ({row.volumes})"
        stated = pd.notna(row.published)
        sizes[f"{row.part}_paper"] = f"{row.published:.0f} {row.published_unit}" if stated else ""
    return sizes


def _counts(row):
    """Print a cohort's counts; remark on a copy that holds fewer than its archive."""
    fewer = row["subjects"] < row["expected_subjects"] or row["found"] < row["expected"]
    expected = {
        key: f"{row[key]:.0f}" if pd.notna(row[key]) else "–"
        for key in ("expected_subjects", "expected")
    }
    return row | expected | {"slices": f"{row['slices']:,}", "remark": FEWER if fewer else ""}
