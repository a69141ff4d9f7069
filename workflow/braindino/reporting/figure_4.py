"""Figure 4: Kaplan–Meier curves of both risk groups, encoders down and label ratios across."""

import numpy as np
from matplotlib.figure import Figure

from braindino.reporting.style import house_style, watermark

LAST_DAY = 2000  # caption of Fig. 4
TICKS = [0, 500, 1000, 1500, 2000]
RATIOS = [0.2, 0.4, 0.6, 0.8, 1.0]  # caption of Fig. 4
GROUPS = {
    "low_risk": ("Low risk", "#0072B2", "-"),
    "high_risk": ("High risk", "#D55E00", "--"),
}


def figure_4(curves, metrics, labels):
    """Draw a survival task's curves.

    Parameters
    ----------
    curves : DataFrame
        The statistics' curves of the task: encoder, ratio, curve, x (days), y (share alive), n (at
        risk), ci_low, ci_high, censored.
    metrics : DataFrame
        Its metrics, for the log-rank p.
    labels : Labels

    Returns
    -------
    matplotlib.figure.Figure
        A panel an encoder and ratio, with the numbers at risk below it.
    """
    kept = curves[curves["curve"].str.startswith("kaplan_meier")]
    ratios = [r for r in RATIOS if r in set(kept["ratio"])] or sorted(kept["ratio"].unique())
    encoders = [name for name in labels.encoders if name in set(kept["encoder"])]
    p = metrics[metrics["metric"] == "logrank_p"].set_index(["encoder", "ratio"])["value"]
    with house_style():
        figure = Figure(figsize=(7.09, 1.6 * max(1, len(encoders)) + 0.8))
        shape = max(1, len(encoders)), max(1, len(ratios))
        grid = figure.subplots(*shape, squeeze=False, sharex=True, sharey=True)
        for row, encoder in zip(grid, encoders, strict=False):
            row[0].set_ylabel(f"{labels.title(encoder)}\nshare alive", fontsize=7)
            for axes, ratio in zip(row, ratios, strict=False):
                own = kept[(kept["encoder"] == encoder) & (kept["ratio"] == ratio)]
                _panel(axes, own, p.get((encoder, ratio), np.nan))
                if labels.demo:
                    watermark(axes, size=18)
        for axes, ratio in zip(grid[0], ratios, strict=False):
            axes.set_title(f"{100 * ratio:.0f} % of the labels", fontsize=8, loc="center")
        figure.supxlabel("Days; below each panel: patients at risk", fontsize=8)
        handles = grid[0, 0].get_legend_handles_labels()[0]
        legend = figure.legend(handles=handles, loc="outside upper center", ncols=2)
        legend.set_title(labels.demo)
        legend.get_title().set(color="#B00020", fontsize=9)
        return figure


def _panel(axes, curves, p):
    for place, (name, (title, color, line)) in enumerate(GROUPS.items()):
        own = curves[curves["curve"] == f"kaplan_meier {name}"].sort_values("x")
        step = {"where": "post", "color": color, "linestyle": line, "linewidth": 1.2}
        axes.step(own["x"], own["y"], label=title, **step)
        axes.fill_between(
            own["x"],
            own["ci_low"],
            own["ci_high"],
            step="post",
            color=color,
            alpha=0.13,
            linewidth=0,
        )
        left = own[own["censored"] > 0]
        axes.plot(left["x"], left["y"], "|", color=color, markersize=3, markeredgewidth=0.7)
        _at_risk(axes, own, -0.27 - 0.11 * place, color)
    axes.set(xlim=(0, LAST_DAY), ylim=(0, 1.02), xticks=TICKS)
    axes.set_xticklabels(["0", "", "1000", "", "2000"])
    axes.tick_params(labelbottom=True)
    axes.text(0.97, 0.97, p_text(p), transform=axes.transAxes, ha="right", va="top", fontsize=6.5)


def _at_risk(axes, curve, y, color):
    """Write the numbers at risk below the axis, one at each tick."""
    for day in TICKS:
        axes.annotate(
            f"{at_risk(curve, day)}", (day, y), xycoords=("data", "axes fraction"), ha="center",
            va="center", fontsize=5.5, color=color, annotation_clip=False,
        )  # fmt: skip


def at_risk(curve, day):
    """Count who is still followed up at the start of a day.

    Parameters
    ----------
    curve : DataFrame
        One group: x and n, sorted; after its last day nobody is at risk.
    """
    later = curve[curve["x"] >= day]
    return int(later["n"].iloc[0]) if len(later) else 0


def p_text(p):
    """Print a log-rank p; an undefined one says why."""
    if np.isnan(p):
        return "one group is empty"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
