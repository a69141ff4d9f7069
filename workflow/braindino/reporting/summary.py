"""Verdicts counted by task, and all pairs of published and reproduced numbers as a figure."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from braindino.reporting.palette import PLAIN, Mark, encoder_marks
from braindino.reporting.published_numbers import Z
from braindino.reporting.style import house_style, watermark

VERDICTS = [
    "reproduced", "partly reproduced", "not reproduced", "not compared", "demo", "not run",
]  # fmt: skip
PANELS = {  # title: what its metrics' ids begin with
    "AUC, Dice, accuracy, CKA": ("macro_auc", "auc", "dice", "accuracy", "cka"),
    "MAE (years)": ("mae_years", "mae_reduction"),
    "Days": ("mae_days", "median_survival"),
}


SEVERAL = Mark("#7F7F7F", "P")


def kind_of(verdict):
    """Return a verdict without its reason."""
    return verdict.partition(":")[0]


def by_task(reproduction, claims):
    """Count the verdicts on each task's rows and claims.

    Parameters
    ----------
    reproduction, claims : DataFrame
        With columns task and verdict.

    Returns
    -------
    DataFrame
        A row a task and kind ('numbers' or 'claims'): its count, one column a verdict, and why
        what was not run was not.
    """
    rows = []
    for kind, table in (("numbers", reproduction), ("claims", claims)):
        tasks = table["task"].str.partition("|")[0]
        for task, part in table.groupby(tasks, sort=False):
            counts = part["verdict"].map(kind_of).value_counts()
            why = part.loc[part["verdict"].str.startswith("not run"), "verdict"]
            reasons = why.drop_duplicates().str.removeprefix("not run: ")
            found = {name: int(counts.get(name, 0)) for name in VERDICTS}
            rows.append(
                {"task": task, "of": kind, "rows": len(part), **found, "why": "; ".join(reasons)}
            )
    return pd.DataFrame(rows, columns=["task", "of", "rows", *VERDICTS, "why"])


def scatter(reproduction, labels):
    """Draw every published number against ours.

    Parameters
    ----------
    reproduction : DataFrame
        As `reproduction.reproduction` returns it.
    labels : Labels

    Returns
    -------
    matplotlib.figure.Figure
        A panel a unit: published value with its interval across, ours up; filled where the row
        is reproduced.
    """
    pairs = reproduction[reproduction["reproduced"].notna()]
    marks = _marks(pairs, labels)
    with house_style():
        figure = Figure(figsize=(7.09, 2.9))
        for axes, (title, metrics) in zip(figure.subplots(1, 3), PANELS.items(), strict=True):
            _panel(axes, pairs[pairs["metric"].str.startswith(metrics)], marks)
            axes.set(title=title, xlabel="Published", ylabel="This run")
            if labels.demo:
                watermark(axes, size=22)
        handles = [Line2D([], [], **_look(mark), label=title) for title, mark in marks.values()]
        if handles:
            figure.legend(handles=handles, loc="outside lower center", ncols=3)
        if labels.demo:
            figure.suptitle(f"{labels.demo}: nothing is compared", color="#B00020", fontsize=9)
        return figure


def _marks(pairs, labels):
    """Return {encoder: (title, mark)}; a row on several encoders at once has a mark of its own."""
    shown = list(dict.fromkeys(pairs["encoder"]))
    single = [name for name in shown if "|" not in name]
    marks = {name: (labels.title(name), mark) for name, mark in encoder_marks(single).items()}
    return marks | {name: ("several at once", SEVERAL) for name in shown if "|" in name}


def _look(mark, face=None):
    return {
        "marker": mark.marker, "color": mark.color, "linestyle": "none", "markersize": 4,
        "markerfacecolor": face or mark.color,
    }  # fmt: skip


def _panel(axes, pairs, marks):
    for row in pairs.itertuples():
        mark = marks[row.encoder][1]
        face = None if row.verdict == "reproduced" else "white"
        bars = {"xerr": _spread(row), "ecolor": "0.75", "elinewidth": 0.7, "capsize": 0}
        axes.errorbar(row.value, row.reproduced, **bars, **_look(mark, face))
    if not len(pairs):
        axes.text(0.5, 0.5, "no pair", transform=axes.transAxes, ha="center", color="0.4")
        axes.set(xticks=[], yticks=[])
        return
    ends = pairs[["value", "reproduced"]].to_numpy()
    ends = [ends.min(), ends.max()]
    axes.plot(ends, ends, color=PLAIN, linewidth=0.9, linestyle="--", zorder=0)


def _spread(row):
    """Return the published interval as distances below and above; none published is none drawn."""
    if not np.isnan(row.ci_low):
        return [[row.value - row.ci_low], [row.ci_high - row.value]]
    return np.nan_to_num(Z * row.sd)
