"""All volumes in the plane of their features, coloured by what they are."""

import numpy as np
from matplotlib.figure import Figure

from braindino.reporting.palette import CONTRASTS
from braindino.reporting.style import house_style

MOST = 12  # groups with a colour; the rest share one
OTHER = "#BBBBBB"


def subject_map(places, title, demo=""):
    """Draw the map of `representation.subject_map.flatten` four times.

    Parameters
    ----------
    places : DataFrame
        Columns x, y, dataset, site, age and modality.
    title : str
        Of the encoder.
    demo : str
        The demo's note, if any.

    Returns
    -------
    matplotlib.figure.Figure
        By cohort, site, age and contrast.
    """
    with house_style(**{"axes.grid": False}):
        figure = Figure(figsize=(8.2, 6.6))
        grid = figure.subplots(2, 2).ravel()
        _groups(grid[0], places, "dataset", "(a) Cohort")
        sites = places[places["site"] != places["dataset"]]
        _groups(grid[1], places, "site", "(b) Site, where stated", set(sites["site"]))
        _ages(figure, grid[2], places)
        _groups(grid[3], places, "modality", "(d) Contrast", colours=CONTRASTS)
        for axes in grid:
            axes.set(xticks=[], yticks=[])
        figure.suptitle(f"{title}: t-SNE of {len(places)} volumes" + (f" ({demo})" if demo else ""),
                        fontsize=9)  # fmt: skip
        return figure


def _groups(axes, places, column, title, among=None, colours=None):
    """Colour points by a column: the largest groups have one of their own."""
    counts = places[column].value_counts()
    named = [name for name in counts.index if among is None or name in among]
    named = sorted(named[:MOST])
    rest = ~places[column].isin(named)
    style = {"s": 9, "linewidths": 0}
    if rest.any():
        others = places[rest]
        axes.scatter(others["x"], others["y"], color=OTHER, label="others", **style)
    marks = "osD^vP"
    for number, name in enumerate(named):
        own = places[places[column] == name]
        color = (colours or {}).get(name) or _colour(number)
        axes.scatter(own["x"], own["y"], color=color, marker=marks[number % len(marks)],
                     label=name, **style)  # fmt: skip
    axes.set_title(title)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=6.5, markerscale=1.6)


def _colour(number):
    # Okabe and Ito's seven, then their darker halves.
    base = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9"]
    dark = ["#00395A", "#7A5400", "#004F39", "#6B2F00", "#66304F", "#2B5A75"]
    return [*base, *dark][number]


def _ages(figure, axes, places):
    age = places["age"].astype(float).to_numpy()
    known = ~np.isnan(age)
    axes.scatter(places["x"][~known], places["y"][~known], color=OTHER, s=7, linewidths=0)
    drawn = axes.scatter(places["x"][known], places["y"][known], c=age[known], cmap="viridis", s=9,
                         linewidths=0)  # fmt: skip
    axes.set_title("(c) Age")
    if known.any():
        figure.colorbar(drawn, ax=axes, shrink=0.8).set_label("Age (years); grey: not stated")
