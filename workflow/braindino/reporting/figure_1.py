"""Figure 1a: what the pretraining corpus is made of, by cohort and by attribute."""

import numpy as np
from matplotlib.figure import Figure

from braindino.corpus.audit import NOT_STATED
from braindino.reporting.labels import percent
from braindino.reporting.palette import CONTRASTS, PLAIN, UNSTATED
from braindino.reporting.style import house_style, watermark

GROUPS = {  # kinds of cohort, in the order of §4.1.1
    "normative": "Normative",
    "lifespan_neurodevelopment": "Lifespan and neurodevelopment",
    "neurodegenerative": "Neurodegeneration",
    "stroke": "Stroke",
    "brain_tumor": "Brain tumour",
    "clinical_acquisition": "Clinical acquisition",
    "other": "Other",
}
PAPER = {"T1w": 1.97e6, "T2w": 2.60e6, "FLAIR": 0.88e6, "T1c": 1.14e6}  # slices, caption of Fig. 1
ATTRIBUTES = {  # rows of panels
    "vendor": "Vendor",
    "field_strength": "Field strength",
    "slice_thickness": "Slice thickness",
    "orientation": "Orientation",
    "age": "Age (years)",
    "sex": "Sex",
}
RANGES = ["slice_thickness", "age"]  # their values are bins, all of them drawn
MOST = 6  # other values of an attribute, beyond which the rarest are drawn as one
SMALL = 6.5  # points


def figure_1a(composition, coverage, groups, labels):
    """Draw the composition of the pretraining corpus.

    Parameters
    ----------
    composition, coverage : DataFrame
        As `corpus.audit` returns them.
    groups : dict of str
        Cohort: its card's group.
    labels : Labels
        The demo's note.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the volumes of each cohort by contrast; right, the slices of each contrast, beside
        the paper's unless in a demo, and the shares of volumes by attribute.
    """
    corpus = composition[composition["part"] == "pretraining"].astype({"volumes": int})
    volumes = corpus[corpus["attribute"] == "modality"].merge(coverage, on="dataset")
    volumes["slices"] *= volumes["volumes"] / volumes["pretraining"]
    panels = {name: attribute_shares(corpus, name) for name in ATTRIBUTES}
    with house_style(**{"axes.grid": False}):
        rows = cohort_rows(volumes, groups)
        heights = [len(PAPER) + 2, *_row_heights(panels)]
        figure = Figure(figsize=(7.09, max(0.155 * len(rows), 0.125 * sum(heights)) + 0.9))
        left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
        _draw_cohorts(left.subplots(), rows, volumes, labels)
        _draw_attributes(right, heights, panels, volumes, labels)
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
        return figure


def cohort_rows(volumes, groups):
    """List the lines of the chart: a (group, None), then its (group, cohort)s, largest first."""
    sizes = volumes.groupby("dataset")["volumes"].sum().sort_values(ascending=False, kind="stable")
    rows = []
    for group, title in GROUPS.items():
        members = [name for name in sizes.index if groups[name] == group]
        rows += [(title, name) for name in [None, *members]] if members else []
    return rows


def attribute_shares(corpus, attribute):
    """Return {value: share of the volumes}; 'not stated' comes last, also when it is zero."""
    counts = corpus[corpus["attribute"] == attribute].groupby("value")["volumes"].sum()
    unstated = counts.get(NOT_STATED, 0)
    stated = counts.drop(NOT_STATED, errors="ignore")
    if attribute not in RANGES and len(stated) > MOST:
        common = stated.nlargest(MOST - 1).index
        others = stated.drop(common).sum()
        stated = stated[stated.index.isin(common)]
        stated["other"] = others
    total = max(1, counts.sum())
    return {name: n / total for name, n in [*stated.items(), (NOT_STATED, unstated)]}


def short_count(number):
    """Print a number of slices: 1.97 M, 45 k, 2,304."""
    if number >= 1e6:
        return f"{number / 1e6:.2f} M"
    return f"{number / 1e3:.0f} k" if number >= 1e4 else f"{number:,.0f}"


def _row_heights(panels):
    sizes = [len(shares) + 2 for shares in panels.values()]
    return [max(pair) for pair in zip(sizes[::2], sizes[1::2], strict=True)]


def _draw_cohorts(axes, rows, volumes, labels):
    place = {name: y for y, (_, name) in enumerate(rows) if name}
    ends = dict.fromkeys(place, 0)
    for contrast, color in CONTRASTS.items():
        part = volumes[volumes["value"] == contrast].groupby("dataset")["volumes"].sum()
        sizes = [part.get(name, 0) for name in place]
        starts = list(ends.values())
        axes.barh(list(place.values()), sizes, left=starts, color=color, label=contrast)
        ends = {name: ends[name] + n for name, n in zip(place, sizes, strict=True)}
    slices = volumes.groupby("dataset")["slices"].sum()
    for name, y in place.items():
        _at_end(axes, ends[name], y, short_count(slices[name]))
    for y, (title, _) in ((y, row) for y, row in enumerate(rows) if row[1] is None):
        axes.text(0.01, y, title, transform=axes.get_yaxis_transform(), va="center", weight="bold")
    _lay_out(axes, place, room=0.16)
    axes.set_title("(a) Pretraining corpus")
    axes.set_xlabel("Volumes (at the end of a bar: slices)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1 - 1.2 / (len(rows) + 2)), ncols=4)
    if labels.demo:
        watermark(axes)


def _draw_attributes(figure, heights, panels, volumes, labels):
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    _draw_contrasts(figure.add_subplot(grid[0, :]), volumes, labels)
    for i, (name, shares) in enumerate(panels.items()):
        axes = figure.add_subplot(grid[1 + i // 2, i % 2])
        colors = [UNSTATED if value == NOT_STATED else PLAIN for value in shares]
        axes.barh(range(len(shares)), list(shares.values()), color=colors)
        for y, share in enumerate(shares.values()):
            _at_end(axes, share, y, percent(share))
        # as tall as its neighbour's rows, so that all bars are equally thick
        _lay_out(axes, dict(zip(shares, range(len(shares)), strict=True)), 0.4, heights[1 + i // 2])
        _no_scale(axes, ATTRIBUTES[name], labels)


def _draw_contrasts(axes, volumes, labels):
    slices = volumes.groupby("value")["slices"].sum()
    sizes = [slices.get(name, 0) for name in CONTRASTS]
    axes.barh(range(len(sizes)), sizes, color=list(CONTRASTS.values()))
    marks = np.zeros(len(sizes)) if labels.demo else np.array([PAPER[name] for name in CONTRASTS])
    if not labels.demo:
        axes.plot(marks, range(len(sizes)), "k|", markersize=9, markeredgewidth=1.6)
    for y, (size, mark) in enumerate(zip(sizes, marks, strict=True)):
        _at_end(axes, max(size, mark), y, short_count(size))
    _lay_out(axes, {name: y for y, name in enumerate(CONTRASTS)}, 0.16)
    note = "" if labels.demo else " (mark: the paper's)"
    _no_scale(axes, f"Slices by contrast{note}", labels)


def _at_end(axes, x, y, text):
    axes.annotate(
        text, (x, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=SMALL
    )


def _lay_out(axes, place, room, height=None):
    """Name the rows from the top down, and leave `room` for what is written beyond the bars."""
    axes.set_yticks(list(place.values()), list(place), fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    last = max(place.values(), default=0) if height is None else height - 3
    axes.set_ylim(last + 0.6, -0.6)
    axes.set_xlim(0, (axes.dataLim.x1 if place else 1) * (1 + room) or 1)


def _no_scale(axes, title, labels):
    axes.set_title(title, fontsize=8)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    if labels.demo:
        watermark(axes, size=15)
