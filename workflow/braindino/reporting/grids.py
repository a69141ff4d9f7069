"""Layout of the result tables: what varies goes down, encoders go across.

`grid` lays the numbers of `tables.table_rows` out; the formats print it.
"""

from dataclasses import dataclass

import pandas as pd

from braindino.reporting.captions import OVERLAP, caption
from braindino.reporting.catalogue import LEADS, table_title
from braindino.reporting.labels import measure

INSIDE = "Full fine-tuning in the frozen interval"
KEYS = ["task", "metric", "stratum", "ratio"]  # of a row


@dataclass(frozen=True)
class Cell:
    """Printed result of one encoder."""

    text: str
    mark: str = ""
    best: bool = False
    hint: str = ""  # on the test behind the mark


@dataclass(frozen=True)
class Grid:
    """A table to print: `rows` hold plain text, and one `Cell` an encoder."""

    heading: str
    caption: str
    header: list[str]
    rows: list[list]


def grid(rows, table, cards, labels):
    """Lay the numbers of a table out.

    Parameters
    ----------
    rows : DataFrame
        As `table_rows` returns them.
    table : Table
    cards : dict of TaskCard
    labels : Labels
    """
    encoders = list(dict.fromkeys(rows["encoder"]))
    leads = [*(["task"] if len(table.tasks) > 1 else []), *_metric(rows), *LEADS[table.kind]]
    inside = [INSIDE] if table.kind == "full_ft" else []
    printed = []
    for _, part in rows.groupby(KEYS, sort=False):
        cells = {r.encoder: Cell(r.text, r.mark, r.best, _hint(r)) for r in part.itertuples()}
        lead = [_lead(name, part.iloc[0], cards) for name in leads]
        across = [cells.get(name, Cell("–")) for name in encoders]
        printed.append(lead + across + [_inside(part, labels)] * len(inside))
    titles = [flagged_title(name, [cards[t] for t in table.tasks], labels) for name in encoders]
    header = [_capital(name) for name in leads] + titles + inside
    return Grid(heading(table, cards, labels), caption(rows, table, cards, labels), header, printed)


def _metric(rows):
    several = len(set(zip(rows["metric"], rows["stratum"].str.contains("risk"), strict=True))) > 1
    return ["metric"] if several else []


def _capital(name):
    return {"labels": "Labels", "age": "Age (years)"}.get(
        name, name if name[1:2] in " " else name.capitalize()
    )


def _lead(name, row, cards):
    strength, _, after = row["stratum"].partition(":")
    risk = f", {row['stratum'].replace('_', ' ')}" if "risk" in row["stratum"] else ""
    return {
        "task": lambda: cards[row["task"]].title,
        "metric": lambda: measure(row["metric"]).label + risk,
        "labels": lambda: f"{row['ratio']:.0%}".replace("%", " %"),
        "n train": lambda: "–" if pd.isna(row["n_train"]) else str(row["n_train"]),
        # of a risk group each encoder has its own number
        "n test": lambda: "–" if risk else f"{row['n']:.0f}",
        "age": lambda: row["stratum"],
        "k": lambda: after,
        "perturbation": lambda: strength.replace("_", " "),
        "severity": lambda: after,
    }[name]()


def _hint(row):
    if row.p != row.p:
        return ""
    difference = f"{row.difference:+.3g}".replace("-", "−")
    adjusted = f"p = {row.p:.3g}, by Holm's method {row.p_holm:.3g}"
    return f"difference {difference}; {adjusted}; n = {row.n:.0f}"


def _inside(part, labels):
    values = part.set_index("encoder")
    if not {labels.reference, labels.full_ft} <= set(values.index):
        return "–"
    frozen, tuned = values.loc[labels.reference], values.loc[labels.full_ft]
    return "yes" if frozen["ci_low"] <= tuned["value"] <= frozen["ci_high"] else "no"


def flagged_title(encoder, cards, labels):
    """Title of an encoder; marked where its authors pretrained it on a cohort of the tasks."""
    shared = any(labels.shared_cohorts(encoder, card) for card in cards)
    return labels.title(encoder) + (f" {OVERLAP}" if shared else "")


def heading(table, cards, labels):
    """Title of a table; 'demo' where it is one."""
    number = "" if table.number in cards else f"Table {table.number.upper()}. "
    return f"{number}{table_title(table, cards)}{labels.demo_suffix}"
