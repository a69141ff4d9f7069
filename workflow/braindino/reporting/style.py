"""Figures in the house style, written without anything that differs from run to run."""

import contextlib
import logging
from pathlib import Path

import matplotlib as mpl

from braindino.files import written_whole

# fontTools tells of every table of every font that a PDF embeds.
logging.getLogger("fontTools").setLevel(logging.WARNING)
# None removes what the format's writer would add: dates, and versions of its software.
METADATA = {
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    ".svg": {"Date": None, "Creator": None},
}


@contextlib.contextmanager
def house_style(**changes):
    """Draw under the package's matplotlibrc, whatever the user's own says."""
    with mpl.rc_context(changes, fname=Path(__file__).with_name("matplotlibrc")):
        yield


def save_figure(figure, *paths, dpi=300):
    """Write a figure to each path, in the format of its suffix; the same figure, the same bytes.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Drawn without pyplot, so no window system or global state is involved.
    *paths : path
        Ending in .png, .pdf or .svg.
    dpi : int
        Resolution of .png (dots an inch).
    """
    for path in map(Path, paths):
        with house_style(), written_whole(path) as part:
            figure.savefig(part, format=path.suffix[1:], metadata=METADATA[path.suffix], dpi=dpi)


def watermark(axes, text="demo", size=34):
    """Write `text` large and pale across the axes."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", rotation=25,
        fontsize=size, color="0.5", alpha=0.16, zorder=0,
    )  # fmt: skip
