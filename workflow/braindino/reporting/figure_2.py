"""Figure 2: a slice a cohort, the regions as drawn by hand and by each encoder's network."""

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from braindino.reporting.palette import encoder_marks
from braindino.reporting.style import house_style, watermark

TITLES = {"wt": "Whole tumour (WT)", "tc": "Tumour core (TC)", "et": "Enhancing tumour (ET)"}
TRUTH = "#FFF200"  # the paper's yellow
PANEL = 1.9  # inches


def figure_2(slices, labels, share):
    """Draw the contours.

    Parameters
    ----------
    slices : list of braindino.reporting.contours.Contours
        One a cohort.
    labels : Labels
        Titles of the encoders, and the demo's note.
    share : float
        Of the training cases that the networks learnt from.

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = 1 + len(TITLES)
    with house_style(**{"axes.grid": False}):
        figure = Figure(figsize=(PANEL * columns, 2.15 * len(slices) + 0.8), facecolor="white")
        grid = figure.subplots(len(slices), columns, squeeze=False)
        for row, own in zip(grid, slices, strict=True):
            _draw(row[0], own, "wt", own.cohort)
            for axes, region in zip(row[1:], TITLES, strict=True):
                _draw(axes, own, region, TITLES[region])
                _contours(axes, own, region)
            if labels.demo:
                watermark(row[0], size=22)
        figure.legend(
            handles=_entries(slices, labels), loc="outside lower center", ncols=3, fontsize=7
        )
        note = f"{share:.0%} of the training cases".replace("%", " %")
        figure.suptitle(f"Networks trained on {note}{labels.demo_suffix}", fontsize=8)
        return figure


def _draw(axes, own, region, title):
    axes.imshow(own.images[region], cmap="gray", aspect=own.aspect, interpolation="nearest")
    axes.set_title(title, fontsize=8)
    axes.set_axis_off()


def _contours(axes, own, region):
    _line(axes, own.truth[region], TRUTH, 1.8)
    for name, mark in encoder_marks(own.predicted).items():
        _line(axes, own.predicted[name][region], mark.color, 0.9)


def _line(axes, mask, color, width):
    if mask.any():
        axes.contour(mask, levels=[0.5], colors=[color], linewidths=width)


def _entries(slices, labels):
    present = {name for own in slices for name in own.predicted}
    order = [name for name in labels.encoders if name in present]
    lines = [("Ground truth", "#C8B900", 2.2)]
    lines += [(labels.title(name), mark.color, 1.4) for name, mark in encoder_marks(order).items()]
    return [Line2D([], [], color=c, linewidth=w, label=text) for text, c, w in lines]
