"""Layout of the result tables, as in the paper's supplement (S9: brain age; S12: MRI sequence).

`grid` lays the numbers of `tables.result_rows` out, ratios by encoders; the formats print it.
"""

from dataclasses import dataclass

from braindino.reporting.labels import measure
from braindino.reporting.tables import table_metrics

OVERLAP = "‡"  # after an encoder's title


@dataclass(frozen=True)
class Cell:
    """Printed result of one encoder."""

    text: str
    mark: str = ""
    best: bool = False


@dataclass(frozen=True)
class Grid:
    """A table to print: `rows` hold plain text, then one `Cell` an encoder."""

    heading: str
    caption: str
    header: list[str]
    rows: list[list]


def grid(rows, card, labels):
    """Lay the numbers out as the paper does: ratios down, encoders across."""
    encoders = list(dict.fromkeys(rows["encoder"]))
    several = len(table_metrics(card)) > 1
    printed = []
    for (metric, ratio), part in rows.groupby(["metric", "ratio"], sort=False):
        cells = {r.encoder: Cell(r.text, r.mark, r.best) for r in part.itertuples()}
        start = [measure(metric).label] if several else []
        start += [f"{ratio:.0%}".replace("%", " %"), str(part["n_train"].iloc[0])]
        printed.append(start + [cells.get(name, Cell("–")) for name in encoders])
    titles = [flagged_title(name, card, labels) for name in encoders]
    header = (["Metric"] if several else []) + ["Labels", "n train", *titles]
    return Grid(heading(card, labels), _caption(rows, card, labels), header, printed)


def flagged_title(encoder, card, labels):
    """Title of an encoder; marked where its authors pretrained it on a cohort of the task."""
    mark = f" {OVERLAP}" if labels.shared_cohorts(encoder, card) else ""
    return labels.encoders.get(encoder, encoder) + mark


def heading(card, labels):
    """Title of a task's table; 'demo' where it is one."""
    number = f"Table {card.table.upper()}. " if card.table else ""
    return f"{number}{card.title}{labels.demo_suffix}"


def _caption(rows, card, labels):
    reference = labels.encoders.get(labels.reference, labels.reference)
    sentences = [
        _uncertainty(card),
        f"{rows['n'].max()} test subjects." if len(rows) else "No predictions.",
        "n train: labelled training subjects.",
    ]
    if rows["best"].any():
        sentences.append("Bold: best.")
    if rows["p"].notna().any():
        test = "paired t-test" if card.kind == "regression" else "paired bootstrap"
        test = "paired t-test over splits" if card.folds > 1 else test
        sentences.append(f"*, **, ***: p < 0.05, 0.01, 0.001 against {reference} ({test}).")
    sentences += _overlap(rows)
    if labels.demo:
        sentences.append(f"{labels.demo[0].upper()}{labels.demo[1:]}.")
    return " ".join(sentences)


def _uncertainty(card):
    over = "bootstrap over test subjects; mean over label seeds"
    if card.folds > 1:
        over = f"Student-t over {card.folds} splits; mean over them and label seeds"
    if not card.metric.startswith("mae"):
        return f"Estimate [95 % interval], {over}."
    return f"{measure(card.metric).label} ± SD of the estimate, {over}."


def _overlap(rows):
    """Say which cohorts of the task an encoder's authors pretrained it on."""
    flagged = rows.loc[rows["pretrained_on_cohorts"] != "", ["title", "pretrained_on_cohorts"]]
    pairs = flagged.drop_duplicates().itertuples(index=False)
    listed = "; ".join(f"{title} on {cohorts}" for title, cohorts in pairs)
    sentence = f"{OVERLAP} pretrained by its authors on a cohort of this task: {listed}."
    return [sentence] if listed else []
