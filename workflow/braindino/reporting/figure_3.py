"""Figure 3: each task's metric against the share of training labels, and by age; panels a to m."""

import math
import string
from typing import NamedTuple

from matplotlib.figure import Figure

from braindino.reporting.catalogue import REGIONS
from braindino.reporting.labels import measure, short_title
from braindino.reporting.panels import dashed, of_labels, of_metric, of_strata, shared_legend
from braindino.reporting.style import house_style, watermark
from braindino.settings.cards import TaskCard
from braindino.statistics.baselines import CHANCE_AUC
from braindino.statistics.strata import stratum_names

LAST_LETTER = "m"  # of the paper's Fig. 3
COLUMNS = 4


class Panel(NamedTuple):
    """A task's panel; `strata`: by age, else by labels."""

    card: TaskCard
    strata: bool = False


def figure_3(metrics, comparisons, cards, labels, baselines=None):
    """Draw the panels of Figure 3 whose tasks were run.

    Parameters
    ----------
    metrics, comparisons : DataFrame
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
    segmented = [card for card in cards if card.kind == "segmentation"]
    panels = panel_letters([card for card in cards if card.kind != "segmentation"])
    rows = math.ceil(len(panels) / COLUMNS)
    heights = [3.6 * bool(segmented), max(1.75 * rows, 0.1)]
    with house_style():
        figure = Figure(figsize=(7.09, sum(heights) + 0.6))
        top, below = figure.subfigures(2, 1, height_ratios=[max(heights[0], 0.01), heights[1]])
        grid = _segmentation(top, segmented, metrics, labels) if segmented else []
        grid += _rest(below, panels, metrics, comparisons, labels, baselines or {})
        shared_legend(figure, grid)
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
            for axes in grid:
                watermark(axes, size=22)
        return figure


def panel_letters(cards):
    """Return {letter: Panel} in order; tasks that the paper lacks take the letters after its own.

    A task whose age strata alone are a panel of the paper, and survival times, which are Figure 4,
    have no panel by labels.
    """
    lettered = {card.panel: Panel(card) for card in cards if card.panel}
    lettered |= {card.strata_panel: Panel(card, True) for card in cards if card.strata_panel}
    others = [
        Panel(card)
        for card in cards
        if not (card.panel or card.strata_panel) and card.kind != "survival"
    ]
    start = string.ascii_lowercase.index(LAST_LETTER) + 1 if lettered else 0
    free = string.ascii_lowercase[start:]
    return dict(sorted(lettered.items())) | dict(zip(free, others, strict=False))


def _segmentation(figure, cards, metrics, labels):
    """Draw panel a: Dice of the three regions down, cohorts across."""
    grid = figure.subplots(len(REGIONS), len(cards), squeeze=False, sharex=True)
    for row, metric in zip(grid, REGIONS, strict=True):
        for axes, card in zip(row, cards, strict=True):
            of_labels(axes, of_metric(metrics, card.name, metric), labels)
            axes.set_xlabel("")
        row[0].set_ylabel(measure(metric).label)
    for axes, card in zip(grid[0], cards, strict=True):
        axes.set_title(card.datasets[0], fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel("Training labels (%)")
    figure.suptitle("(a) Tumour segmentation", fontsize=9, x=0.01, ha="left")
    return list(grid.ravel())


def _rest(figure, panels, metrics, comparisons, labels, baselines):
    rows = max(1, math.ceil(len(panels) / COLUMNS))
    grid = list(figure.subplots(rows, COLUMNS, squeeze=False).ravel())
    for axes, (letter, panel) in zip(grid, panels.items(), strict=False):
        draw = _by_age if panel.strata else _by_labels
        draw(axes, panel.card, metrics, comparisons, labels)
        _baseline(axes, panel, baselines)
        by_age = " by age" if panel.strata else ""
        axes.set_title(f"({letter}) {short_title(panel.card.title)}{by_age}", fontsize=8)
        axes.set_ylabel(measure(panel.card.metric).label)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return grid[: len(panels)]


def _by_labels(axes, card, metrics, _, labels):
    of_labels(axes, of_metric(metrics, card.name, card.metric), labels)


def _by_age(axes, card, metrics, comparisons, labels):
    strata = stratum_names(card.age_bins)
    rows, tests = (
        frame[(frame["task"] == card.name) & (frame["metric"] == card.metric)]
        for frame in (metrics, comparisons)
    )
    of_strata(axes, rows[rows["stratum"].isin(strata)], tests, strata, labels)


def _baseline(axes, panel, baselines):
    if panel.card.kind == "classification":
        dashed(axes, CHANCE_AUC, "chance")
    elif panel.card.name in baselines and not panel.strata:
        dashed(axes, baselines[panel.card.name], "training mean")
