"""Panels that figures share: a metric against labels or strata, an encoder a colour and marker."""

import numpy as np

from braindino.reporting.labels import stars
from braindino.reporting.palette import encoder_marks

DODGE = 1.1  # % of the labels between neighbouring encoders, so that error bars stay apart
CROWDED = 20  # %: its number would touch that of 10
LONG = 16  # letters of a title of which five are wider than a page
STEP = 0.14  # of a stratum, likewise


def of_labels(axes, rows, labels):
    """Draw a metric against the share of training labels, one line an encoder.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    rows : DataFrame
        One metric of one task: encoder, ratio, value, ci_low, ci_high.
    labels : Labels
    """
    for name, mark, shift in _dodged(rows, labels):
        own = rows[rows["encoder"] == name].sort_values("ratio")
        axes.errorbar(
            100 * own["ratio"] + DODGE * shift, own["value"], yerr=_bars(own), color=mark.color,
            marker=mark.marker, markersize=3.6, linewidth=1.1, elinewidth=0.8,
            label=labels.title(name),
        )  # fmt: skip
    ticks = [round(100 * ratio) for ratio in sorted(rows["ratio"].unique())]
    axes.set_xticks(ticks, ["" if tick == CROWDED else f"{tick}" for tick in ticks])
    axes.set_xlabel("Training labels (%)")
    _say_undefined(axes, rows)


def of_strata(axes, rows, tests, strata, labels):
    """Draw a metric by stratum, with the stars of the Holm-adjusted p against the reference.

    Parameters
    ----------
    rows, tests : DataFrame
        Metrics and comparisons of one metric of one task, of its strata.
    strata : list of str
        In order; those without a row are left out.
    """
    strata = [name for name in strata if name in set(rows["stratum"])]
    place = {name: i for i, name in enumerate(strata)}
    p = dict(
        zip(zip(tests["encoder"], tests["stratum"], strict=True), tests["p_holm"], strict=True)
    )
    for name, mark, shift in _dodged(rows, labels):
        own = rows[rows["encoder"] == name]
        x = own["stratum"].map(place) + STEP * shift
        look = {"color": mark.color, "marker": mark.marker, "markersize": 3.6, "linestyle": "none"}
        axes.errorbar(x, own["value"], yerr=_bars(own), elinewidth=0.8, **look)
        for at, row in zip(x, own.itertuples(), strict=True):
            _star(axes, at, row, p, mark)
    axes.set_xticks(
        range(len(strata)), [name.replace("-", "–") for name in strata], fontsize=6, rotation=20
    )
    axes.set_xlabel("Age (years)")
    axes.margins(y=0.18)
    _say_undefined(axes, rows)


def _star(axes, x, row, p, mark):
    text = stars(p.get((row.encoder, row.stratum), np.nan))
    top = np.nanmax([row.value, row.ci_high])
    axes.annotate(
        text, (x, top), xytext=(0, 1.5), textcoords="offset points", ha="center", va="bottom",
        rotation=90, fontsize=6, color=mark.color,
    )  # fmt: skip


def _dodged(rows, labels):
    """Yield each encoder's name, mark and place from the middle."""
    present = set(rows["encoder"])
    encoders = [name for name in labels.encoders if name in present]
    for i, (name, mark) in enumerate(encoder_marks(encoders).items()):
        yield name, mark, i - (len(encoders) - 1) / 2


def _bars(rows):
    """Return error bars, none negative: a percentile interval can leave out its estimate."""
    low, high = rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]
    return [low.clip(lower=0), high.clip(lower=0)]


def _say_undefined(axes, rows):
    if rows["value"].isna().all():
        axes.text(0.5, 0.75, "undefined on this test set", transform=axes.transAxes, ha="center")


def dashed(axes, value, text):
    """Draw what a predictor without an image achieves."""
    axes.axhline(value, color="0.35", linestyle="--", linewidth=0.9, zorder=1)
    axes.annotate(
        text, (1, value), xycoords=("axes fraction", "data"), xytext=(0, 2),
        textcoords="offset points", ha="right", fontsize=6.5, color="0.35",
    )  # fmt: skip


def shared_legend(figure, grid):
    """Name every encoder of any panel once, below all of them."""
    entries = {}
    for axes in grid:
        handles, titles = axes.get_legend_handles_labels()
        entries |= dict(zip(titles, handles, strict=True))
    if entries:
        ncols = 5 if max(map(len, entries)) < LONG else 3
        figure.legend(entries.values(), entries, loc="outside lower center", ncols=ncols)


def of_metric(frame, task, metric):
    """Select one metric of a task on its whole test set."""
    own = (frame["task"] == task) & (frame["metric"] == metric)
    return frame[own & (frame["stratum"] == "all")]
