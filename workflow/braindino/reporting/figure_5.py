"""Figure 5: each task's metric under perturbations of growing severity, grouped bars."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from braindino.reporting.labels import measure
from braindino.reporting.palette import encoder_marks
from braindino.reporting.style import house_style, watermark
from braindino.robustness.perturbations import PERTURBATIONS
from braindino.statistics.baselines import CHANCE_AUC

PAPER = ["bias_field", "gibbs", "contrast"]  # the columns of the paper's figure
REGIONS = "mean_dice"  # of whole tumour, tumour core and enhancing tumour
WIDTH = 0.8  # of a group of bars


def figure_5(metrics, cards, labels):
    """Draw the bars of Figure 5.

    Parameters
    ----------
    metrics : DataFrame
        statistics/robustness.parquet.
    cards : list of TaskCard
        The perturbed tasks, a row of panels each.
    labels : Labels
        Titles of the encoders, and the demo's note.

    Returns
    -------
    matplotlib.figure.Figure
        A column a kind of perturbation, the paper's first; bars with 95 % intervals, hatched
        where the volumes are clean.
    """
    kinds = [name for name in _ordered() if name in set(metrics["perturbation"])]
    with house_style(**{"axes.grid.axis": "y"}):
        rows, columns = max(1, len(cards)), max(1, len(kinds))
        figure = Figure(figsize=(max(7.09, 1.75 * columns + 0.6), 1.9 * rows + 0.8))
        grid = figure.subplots(rows, columns, squeeze=False, sharey="row")
        for line, card in zip(grid, cards, strict=False):
            own = metrics[(metrics["task"] == card.name) & (metrics["metric"] == shown(card))]
            for axes, kind in zip(line, kinds, strict=False):
                _panel(axes, own[own["perturbation"] == kind], kind, card, labels)
            line[0].set_ylabel(f"{card.title}\n{measure(shown(card)).label}", fontsize=7.5)
            for axes in line[1:]:
                axes.set_ylabel("")
        for axes in grid.ravel():
            if not axes.has_data():
                axes.set_axis_off()
        _legend(
            figure, [name for name in labels.encoders if name in set(metrics["encoder"])], labels
        )
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
        return figure


def shown(card):
    """Name the metric of a task's bars: the mean Dice of a segmentation, else its primary one."""
    return REGIONS if card.kind == "segmentation" else card.metric


def _ordered():
    return [*PAPER, *(name for name in PERTURBATIONS if name not in PAPER)]


def _panel(axes, rows, kind, card, labels):
    severities = sorted(rows["severity"].unique())
    encoders = [name for name in labels.encoders if name in set(rows["encoder"])]
    width = WIDTH / max(1, len(encoders))
    for number, (name, mark) in enumerate(encoder_marks(encoders).items()):
        own = rows[rows["encoder"] == name].set_index("severity").reindex(severities)
        places = np.arange(len(severities)) + width * (number - (len(encoders) - 1) / 2)
        spread = [own["value"] - own["ci_low"], own["ci_high"] - own["value"]]
        bars = axes.bar(
            places, own["value"], 0.9 * width, color=mark.color,
            yerr=[part.clip(lower=0) for part in spread],
            error_kw={"elinewidth": 0.7, "capsize": 1},
        )  # fmt: skip
        for bar, severity in zip(bars, severities, strict=True):
            if severity == PERTURBATIONS[kind].clean:
                bar.set(hatch="////", edgecolor="white", linewidth=0)
    if card.kind == "classification":
        axes.axhline(CHANCE_AUC, color="0.35", linestyle="--", linewidth=0.9)
    axes.set_title(PERTURBATIONS[kind].title)
    axes.set_xticks(range(len(severities)), [f"{severity:g}" for severity in severities])
    axes.set_xlabel(severity_label(kind))
    if labels.demo:
        watermark(axes, size=22)


def severity_label(kind):
    """Name the severity of a kind with its unit, e.g. 'Severity t (mm)'."""
    perturbation = PERTURBATIONS[kind]
    symbol = f" {perturbation.symbol}" if perturbation.symbol else ""
    return f"Severity{symbol}" + (f" ({perturbation.unit})" if perturbation.unit else "")


def _legend(figure, encoders, labels):
    marks = encoder_marks(encoders).items()
    patches = [Patch(color=mark.color, label=labels.encoders[name]) for name, mark in marks]
    if patches:
        patches.append(Patch(facecolor="0.6", hatch="////", edgecolor="white", label="clean"))
        figure.legend(handles=patches, loc="outside lower center", ncols=min(len(patches), 5))
