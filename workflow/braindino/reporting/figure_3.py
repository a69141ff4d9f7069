"""Figure 3: each task's metric against the share of training labels, one panel a task."""

import math
import string

from matplotlib.figure import Figure

from braindino.reporting.labels import measure
from braindino.reporting.palette import encoder_marks
from braindino.reporting.style import house_style, watermark
from braindino.statistics.baselines import CHANCE_AUC

LAST_LETTER = "m"  # of the paper's Fig. 3
DODGE = 1.1  # % of the labels between neighbouring encoders, so that error bars stay apart


def figure_3(metrics, cards, labels, baselines=None):
    """Draw the panels of Figure 3 whose tasks were run.

    Parameters
    ----------
    metrics : DataFrame
        Statistics in the contract's columns.
    cards : list of TaskCard
        Tasks to draw; those without a letter in the paper are lettered after it.
    labels : Labels
        Titles of the encoders, and the demo's note.
    baselines : dict, optional
        Task: error of predicting the training mean, drawn as a dashed line. Classifications
        get the AUC of chance by themselves.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        panels = panel_letters(cards)
        figure, grid = _page(len(panels))
        for axes, (letter, card) in zip(grid, panels.items(), strict=False):
            _panel(axes, letter, card, metrics, labels, (baselines or {}).get(card.name))
        _legend(figure, grid)
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
        return figure


def panel_letters(cards):
    """Return {letter: card} in order; tasks without a letter take those not in the paper."""
    lettered = {card.panel: card for card in cards if card.panel}
    unlettered = [card for card in cards if not card.panel]
    start = string.ascii_lowercase.index(LAST_LETTER) + 1 if lettered else 0
    free = string.ascii_lowercase[start:]
    return dict(sorted(lettered.items())) | dict(zip(free, unlettered, strict=False))


def _page(panels):
    columns = min(2, max(1, panels))
    rows = max(1, math.ceil(panels / columns))
    figure = Figure(figsize=(3.54 * columns, 2.5 * rows + 0.5))
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[panels:]:
        axes.set_axis_off()
    return figure, grid


def _panel(axes, letter, card, metrics, labels, baseline):
    rows = metrics[
        (metrics["task"] == card.name)
        & (metrics["metric"] == card.metric)
        & (metrics["stratum"] == "all")
    ]
    encoders = [name for name in labels.encoders if name in set(rows["encoder"])]
    for i, (name, mark) in enumerate(encoder_marks(encoders).items()):
        shift = DODGE * (i - (len(encoders) - 1) / 2)
        _line(axes, rows[rows["encoder"] == name].sort_values("ratio"), mark, shift, labels)
    if card.kind == "classification":
        _dashed(axes, CHANCE_AUC, "chance")
    elif baseline is not None:
        _dashed(axes, baseline, "training mean")
    if rows["value"].isna().all():
        axes.text(0.5, 0.75, "undefined on this test set", transform=axes.transAxes, ha="center")
    axes.set_title(f"({letter}) {card.title}")
    axes.set_xlabel("Training labels (%)")
    axes.set_ylabel(measure(card.metric).label)
    axes.set_xticks([round(100 * ratio) for ratio in sorted(rows["ratio"].unique())])
    if labels.demo:
        watermark(axes)


def _line(axes, rows, mark, shift, labels):
    low, high = rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]
    axes.errorbar(
        100 * rows["ratio"] + shift,
        rows["value"],
        # a percentile interval can leave out its estimate, a bar cannot be negative
        yerr=[low.clip(lower=0), high.clip(lower=0)],
        color=mark.color,
        marker=mark.marker,
        elinewidth=0.9,
        label=labels.encoders[rows["encoder"].iloc[0]],
    )


def _dashed(axes, value, text):
    axes.axhline(value, color="0.35", linestyle="--", linewidth=0.9, zorder=1)
    axes.annotate(
        text, (1, value), xycoords=("axes fraction", "data"), xytext=(0, 2),
        textcoords="offset points", ha="right", fontsize=7, color="0.35",
    )  # fmt: skip


def _legend(figure, grid):
    entries = {}
    for axes in grid:
        handles, titles = axes.get_legend_handles_labels()
        entries |= dict(zip(titles, handles, strict=True))
    if entries:
        columns = min(len(entries), 3)
        figure.legend(entries.values(), entries, loc="outside lower center", ncols=columns)
