"""Similarity maps of one slice by encoder and reference point: the upper part of Figure 6."""

import numpy as np

from braindino.reporting.patches import patch_colours

POINTS = {"tumour": "Tumour core", "csf": "CSF", "white_matter": "White matter"}
COLOURS = "cividis"


def draw_slice(figure, pictures, aucs, labels):
    """Draw a row of maps a reference point, and one of the tokens' principal components."""
    encoders, references = pictures["encoders"].tolist(), pictures["references"].tolist()
    grid = figure.subplots(len(references) + 1, len(encoders) + 1, squeeze=False)
    numbers = aucs.set_index(["encoder", "reference"])["auc"]
    drawn = None
    for row, reference in enumerate(references):
        _point(grid[row][0], pictures, row, POINTS[reference])
        for column, encoder in enumerate(encoders, start=1):
            axes, shown = grid[row][column], pictures["maps"][column - 1, row]
            drawn = axes.imshow(_inside(shown, pictures), cmap=COLOURS, vmin=0, vmax=1)
            auc = numbers.get((encoder, reference), np.nan)
            axes.set_xlabel("" if np.isnan(auc) else f"AUC {auc:.2f}", fontsize=7, labelpad=1)
    grid[-1][0].imshow(pictures["slice"], cmap="gray", vmin=0, vmax=255)
    grid[-1][0].set_ylabel("Components", fontsize=7.5)
    for column, encoder in enumerate(encoders, start=1):
        colours = patch_colours(pictures["colours"][column - 1])
        colours[pictures["slice"] == 0] = 1
        grid[-1][column].imshow(colours)
        grid[0][column].set_title(labels.encoders[encoder].replace(" (", "\n("), fontsize=7.5)
    for axes in grid.ravel():
        axes.set(xticks=[], yticks=[], facecolor="none")
        axes.grid(visible=False)
        axes.spines[:].set_visible(False)
    grid[0][0].set_title("(a) Reference", fontsize=8)
    bar = figure.colorbar(drawn, ax=grid, shrink=0.5, extend="min", pad=0.01)
    bar.set_label("Cosine similarity", fontsize=7)


def _point(axes, pictures, row, title):
    """Show the slice with the reference point, and the outline of its tissue."""
    axes.imshow(pictures["slice"], cmap="gray", vmin=0, vmax=255)
    if pictures["masks"][row].any():
        axes.contour(pictures["masks"][row], [0.5], colors="#56B4E9", linewidths=0.4)
    y, x = pictures["points"][row]
    axes.plot(x, y, "+", color="#D55E00", markersize=8, markeredgewidth=1.6)
    axes.set_ylabel(title, fontsize=7.5)


def _inside(shown, pictures):
    return np.where(pictures["slice"] > 0, shown, np.nan)
