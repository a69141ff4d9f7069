"""Patch tokens as colours, beside the slices that they describe."""

import numpy as np
from matplotlib.figure import Figure

from braindino.reporting.style import house_style

# Scores of so many SD span a colour channel.
SPAN = 2.0


def patch_colours(components):
    """Turn component scores [..., 3] into RGB in [0, 1]; black where there is no score."""
    colours = np.clip((components + SPAN) / (2 * SPAN), 0, 1)
    return np.where(np.isnan(components), 0, colours)


def patch_figure(components, slices, titles, title, demo=""):
    """Draw slices above the principal components of their patch tokens.

    Parameters
    ----------
    components : ndarray [n, rows, columns, 3]
        As `encoders.patches.patch_components` returns it.
    slices : ndarray of uint8 [n, height, width]
    titles : sequence of str
        Contrast of each slice.
    title : str
        Title of the recipe.
    demo : str
        The demo's note, if any.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style():
        count = len(slices)
        figure = Figure(figsize=(7.09, 2 * 7.09 / max(4, count) + 0.6))
        grid = figure.subplots(2, max(1, count), squeeze=False)
        for column, colours, picture, name in zip(
            grid.T, patch_colours(components), slices, titles, strict=True
        ):
            column[0].imshow(picture, cmap="gray", vmin=0, vmax=255)
            column[1].imshow(colours, interpolation="nearest")
            column[0].set_title(name, loc="center")
        for axes in grid.ravel():
            axes.set_axis_off()
        figure.suptitle(title + (f" ({demo})" if demo else ""), fontsize=9)
        return figure
