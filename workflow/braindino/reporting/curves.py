"""The pretraining's course: losses, entropies, rank and learning rate."""

import json
from pathlib import Path

from matplotlib.figure import Figure

from braindino.errors import BadInput
from braindino.reporting.style import house_style, watermark

PANELS = {
    "Loss": ["loss", "dino_global", "dino_local", "ibot"],
    "KoLeo loss": ["koleo"],
    "Entropy (nats)": ["teacher_entropy", "student_entropy"],
    "Effective rank": ["rankme"],
    "Learning rate": ["lr"],
}
COLORS = ["#D55E00", "#0072B2", "#009E73", "#CC79A7"]


def read_log(path):
    """Read a training log, one JSON object a line.

    Raises
    ------
    BadInput
        When a line is not JSON.
    """
    try:
        return [json.loads(line) for line in Path(path).read_text().splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise BadInput(f"{path}: not one JSON object a line; run the pretraining again.") from error


def training_curves(records, title, demo=""):
    """Draw what a training log holds.

    Parameters
    ----------
    records : list of dict
        Logged steps with the key `iteration`; keys that no step has are left out.
    title : str
        Title of the recipe.
    demo : str
        The demo's note, if any.

    Returns
    -------
    matplotlib.figure.Figure
    """
    keys = {key for record in records for key in record}
    panels = {name: [k for k in wanted if k in keys] for name, wanted in PANELS.items()}
    panels = {name: drawn for name, drawn in panels.items() if drawn}
    with house_style():
        rows = max(1, (len(panels) + 1) // 2)
        figure = Figure(figsize=(7.09, 1.9 * rows + 0.4))
        grid = figure.subplots(rows, 2, squeeze=False).ravel()
        for axes, (name, drawn) in zip(grid, panels.items(), strict=False):
            _panel(axes, records, name, drawn, demo)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        figure.suptitle(title + (f" ({demo})" if demo else ""), fontsize=9)
        return figure


def _panel(axes, records, name, keys, demo):
    for key, color in zip(keys, COLORS, strict=False):
        points = [(r["iteration"], r[key]) for r in records if r.get(key) is not None]
        axes.plot(*zip(*points, strict=True), color=color, label=key, linewidth=1.1)
    axes.set_title(name)
    axes.set_xlabel("Iteration")
    if len(keys) > 1:
        axes.margins(y=0.3)  # room for the legend above the curves
        axes.legend(fontsize=6.5, ncols=2, loc="upper right")
    if demo:
        watermark(axes)
