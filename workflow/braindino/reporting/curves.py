"""The pretraining's course: losses, signs of life and of collapse, rates and speed."""

import json
import math
from pathlib import Path

from matplotlib.figure import Figure

from braindino.errors import BadInput
from braindino.reporting.style import house_style, watermark

PANELS = {
    "Loss": ["loss", "dino_global", "dino_local", "ibot", "koleo"],
    "Learning rate": ["lr"],
    "Contrast by kNN (accuracy on held-out subjects)": ["knn_modality", "knn_modality_patches"],
    "Cohort by kNN (accuracy on held-out subjects)": ["knn_dataset", "knn_dataset_patches"],
    "Entropy (nats)": ["teacher_entropy", "student_entropy"],
    "Effective rank of class tokens": ["rankme"],
    "Share of prototypes in use": ["prototype_usage"],
    "Distance to the nearest class token": ["koleo_distance"],
    "Gradient norm": ["grad_norm_backbone", "grad_norm_dino_head", "grad_norm_ibot_head"],
    "Teacher temperature": ["teacher_temperature"],
    "Slices a second": ["slices_per_second"],
    "Share of time waiting for data": ["data_wait"],
}
NAMES = {
    "loss": "total", "dino_global": "DINO, global", "dino_local": "DINO, local", "ibot": "iBOT",
    "koleo": "KoLeo", "knn_modality": "class token", "knn_dataset": "class token",
    "knn_modality_patches": "patch tokens", "knn_dataset_patches": "patch tokens",
    "teacher_entropy": "teacher", "student_entropy": "student",
    "grad_norm_backbone": "backbone", "grad_norm_dino_head": "DINO head",
    "grad_norm_ibot_head": "iBOT head",
}  # fmt: skip
COLORS = ["#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00"]
SHARES = {"prototype_usage", "data_wait"}  # drawn from zero


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


def training_curves(records, recipe, demo=""):
    """Draw what a training log holds.

    Parameters
    ----------
    records : list of dict
        Logged steps with the key `iteration`, 0 being the random weights; keys that no step has
        are left out.
    recipe : Recipe
        Its title, and its prototypes, whose logarithm bounds the entropies.
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
        for axes, (title, drawn) in zip(grid, panels.items(), strict=False):
            _panel(axes, records, title, drawn, demo)
            for height, style, name in _levels(records, recipe, drawn[0]):
                axes.axhline(height, color="0.3", linestyle=style, linewidth=0.9, label=name)
            _finish(axes, drawn)
        for axes in grid[len(panels) :]:
            axes.set_axis_off()
        figure.suptitle(recipe.title + (f" ({demo})" if demo else ""), fontsize=9)
        return figure


def _panel(axes, records, name, keys, demo):
    for key, color in zip(keys, COLORS, strict=False):
        points = _points(records, key)
        marker = "o" if key.startswith("knn") else None  # few, and each counts
        axes.plot(
            *zip(*points, strict=True), color=color, label=NAMES.get(key, key), linewidth=1.1,
            marker=marker, markersize=2.5,
        )  # fmt: skip
    axes.set_title(name)
    axes.set_xlabel("Iteration")
    if demo:
        watermark(axes)


def _points(records, key):
    return [(r["iteration"], r[key]) for r in records if r.get(key) is not None]


def _levels(records, recipe, key):
    """List (height, line style, name) of what a curve is compared with."""
    if key == "teacher_entropy":
        yield math.log(recipe.model.prototypes), "--", "log(prototypes)"
    if key.startswith("knn"):
        (first, untrained), *_ = _points(records, key)
        if first == 0:
            yield untrained, "--", "random weights"
        for _, chance in _points(records, f"{key}_chance")[:1]:
            yield chance, ":", "chance"


def _finish(axes, keys):
    if len(axes.get_legend_handles_labels()[1]) > 1:
        axes.margins(y=0.4)  # room for the legend above the curves
        axes.legend(fontsize=6.5, ncols=3, loc="upper right")
    if keys[0].startswith("knn"):
        axes.set_ylim(0, 1.45)
        axes.set_yticks([0, 0.5, 1])
    elif keys[0] in SHARES:
        axes.set_ylim(bottom=0)
