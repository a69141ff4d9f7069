"""Figure 1b: how the encoder is pretrained, from the configured recipe's own numbers."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from braindino.reporting.palette import ENCODERS, PLAIN
from braindino.reporting.style import house_style

STUDENT, TEACHER = ENCODERS["braindino"].color, ENCODERS["dinov3"].color
STAGES = ("global anatomy at standard resolution", "fine structure at high resolution")


def figure_1b(recipes, imaging, labels):
    """Draw the self-distillation, a row a stage.

    Parameters
    ----------
    recipes : list of Recipe
        What is pretrained one after the other.
    imaging : Imaging
        Settings of the slices.
    labels : Labels
        The demo's note.

    Returns
    -------
    matplotlib.figure.Figure
    """
    with house_style(**{"axes.grid": False}):
        figure = Figure(figsize=(7.09, 2.35 * len(recipes) + 0.35))
        for axes, (stage, recipe) in zip(
            figure.subplots(len(recipes), 1, squeeze=False).ravel(), enumerate(recipes), strict=True
        ):
            _stage(axes, recipe, imaging)
            letter = "(b) " if stage == 0 else ""
            about = f": {STAGES[stage]}" if len(recipes) > 1 else ""
            axes.set_title(f"{letter}{recipe.title}{about}{labels.demo_suffix}")
        return figure


def _stage(axes, recipe, imaging):
    axes.set(xlim=(0, 10), ylim=(0, 3.6))
    axes.set_axis_off()
    views, model, objective = recipe.views, recipe.model, recipe.objective
    _box(axes, (0.0, 1.2, 1.5, 1.2), f"{imaging.slices} axial slices\nof each volume", PLAIN)
    _box(
        axes,
        (2.2, 2.1, 2.1, 1.2),
        _crops(views.global_crops, "global", views.global_sizes),
        TEACHER,
    )
    _box(axes, (2.2, 0.3, 2.1, 1.2), _crops(views.local_crops, "local", views.local_sizes), STUDENT)
    _box(axes, (5.0, 2.1, 1.9, 1.2), "Teacher\nmoving average", TEACHER)
    _box(
        axes,
        (5.0, 0.3, 1.9, 1.2),
        f"Student\n{model.architecture.removesuffix('_dinov3')}",
        STUDENT,
    )
    for end in ((2.2, 2.7), (2.2, 0.9)):
        _arrow(axes, (1.5, 1.8), end)
    _arrow(axes, (4.3, 2.7), (5.0, 2.7))
    _arrow(axes, (4.3, 0.9), (5.0, 0.9))
    _arrow(axes, (4.3, 2.4), (5.0, 1.2), dashed=True)
    _arrow(axes, (5.95, 1.5), (5.95, 2.1), dashed=True)
    _box(axes, (7.6, 0.7, 2.4, 2.2), _losses(objective), "#333333")
    for start in ((6.9, 2.7), (6.9, 0.9)):
        _arrow(axes, start, (7.6, 1.8))


def _crops(count, kind, pixels):
    """Say how many crops of which sizes there are, e.g. '2 global crops, 512 to 768 pixels'."""
    low, high = min(pixels), max(pixels)
    size = f"{low}" if low == high else f"{low} to {high}"
    return f"{count} {kind} crops\n{size} pixels"


def _losses(objective):
    return "\n".join(
        [
            "DINO: class tokens",
            f"{objective.ibot_weight:g} × iBOT: masked patches",
            f"{objective.koleo_weight:g} × KoLeo: spread",
        ]
    )


def _box(axes, place, text, color):
    x, y, width, height = place
    style = {"boxstyle": "round,pad=0,rounding_size=0.1", "facecolor": color + "14"}
    axes.add_patch(FancyBboxPatch((x, y), width, height, edgecolor=color, linewidth=1, **style))
    axes.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=7)


def _arrow(axes, start, end, dashed=False):
    look = {"arrowstyle": "-|>", "color": "0.35", "shrinkA": 1, "shrinkB": 1, "linewidth": 0.9}
    axes.annotate("", end, start, arrowprops=look | {"linestyle": ":" if dashed else "-"})
