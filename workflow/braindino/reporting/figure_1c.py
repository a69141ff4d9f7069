"""Figure 1c: the evaluation, from task families through the frozen encoder to results."""

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from braindino.reporting.catalogue import table_metrics
from braindino.reporting.labels import measure, short_title
from braindino.reporting.palette import ENCODERS, PLAIN, encoder_marks
from braindino.reporting.style import house_style, watermark

STEP = 0.13  # of a row, between neighbouring encoders


def figure_1c(metrics, cards, labels):
    """Draw how the tasks are evaluated, and every encoder's result with all labels.

    Parameters
    ----------
    metrics : DataFrame
        Statistics in the contract's columns.
    cards : list of TaskCard
        The evaluated tasks.
    labels : Labels

    Returns
    -------
    matplotlib.figure.Figure
        Left, tasks; middle, the frozen encoder and its head; right, a row a task: areas and Dice
        on one axis, errors as shares of the worst encoder's on another.
    """
    shown = [(card, _full(metrics, card)) for card in cards]
    shown = [(card, rows) for card, rows in shown if len(rows)]
    with house_style():
        figure = Figure(figsize=(7.09, max(3.2, 0.27 * len(shown) + 1.6)))
        left, right = figure.subfigures(1, 2, width_ratios=[1, 1.35])
        _schema(left.subplots(), len(shown), sorted({round(100 * r) for r in metrics["ratio"]}))
        scores = [pair for pair in shown if not measure(pair[1]["metric"].iloc[0]).lower_is_better]
        errors = [pair for pair in shown if pair not in scores] if len(scores) < len(shown) else []
        _results(right, scores, errors, labels)
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
        return figure


def _full(metrics, card):
    """Return each encoder's primary metric with all labels; of several regions their mean."""
    names = table_metrics(card) if card.kind == "segmentation" else [card.metric]
    rows = metrics[(metrics["task"] == card.name) & metrics["metric"].isin(names)]
    rows = rows[(rows["stratum"] == "all") & (rows["ratio"] == rows["ratio"].max())]
    means = rows.groupby("encoder")[["value", "ci_low", "ci_high"]].mean().reset_index()
    return means.assign(metric="dice" if card.kind == "segmentation" else card.metric)


def _schema(axes, tasks, shares):
    axes.set(xlim=(0, 10), ylim=(0, 10))
    axes.set_axis_off()
    axes.set_title("(c) Frozen evaluation")
    span = f"{shares[0]} to {shares[-1]} %" if shares else "no"
    steps = [
        (8.4, f"{tasks} tasks\nthe same volumes and splits for every encoder", PLAIN),
        (6.2, "Encoder, frozen\none vector a volume", ENCODERS["braindino"].color),
        (
            4.0,
            "Head: LayerNorm, Linear, GELU, Linear\n(segmentation: a decoder)",
            ENCODERS["dinov3"].color,
        ),
        (1.8, f"{span} of the training labels,\nseveral draws each", PLAIN),
    ]
    for y, text, color in steps:
        style = {"boxstyle": "round,pad=0,rounding_size=0.15", "facecolor": color + "14"}
        axes.add_patch(FancyBboxPatch((0.3, y - 0.7), 9.2, 1.4, edgecolor=color, **style))
        axes.text(4.9, y, text, ha="center", va="center", fontsize=7)
    for above, below in ((7.7, 6.9), (5.5, 4.7)):
        axes.annotate(
            "", (4.9, below), (4.9, above), arrowprops={"arrowstyle": "-|>", "color": "0.35"}
        )
    axes.annotate("", (4.9, 3.3), (4.9, 2.5), arrowprops={"arrowstyle": "-|>", "color": "0.35"})


def _results(figure, scores, errors, labels):
    heights = [max(len(part), 0.5) for part in (scores, errors) if part or part is scores]
    grid = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights).ravel()
    _dots(grid[0], scores, labels, "AUC, C-index, mean Dice")
    if errors:
        _dots(grid[1], [(card, _relative(rows)) for card, rows in errors], labels,
              "Error as a share of the worst encoder's")  # fmt: skip
    handles = grid[0].get_legend_handles_labels()
    if handles[1]:
        figure.legend(*handles, loc="outside lower center", ncols=3, fontsize=7)


def _relative(rows):
    worst = rows["value"].max()
    scaled = {name: rows[name] / worst for name in ("value", "ci_low", "ci_high")}
    return rows.assign(**scaled)


def _dots(axes, parts, labels, title):
    present = {name for _, rows in parts for name in rows["encoder"]}
    encoders = [name for name in labels.encoders if name in present]
    for i, (name, mark) in enumerate(encoder_marks(encoders).items()):
        shift = STEP * (i - (len(encoders) - 1) / 2)
        points = [
            (row.value, y + shift, row.ci_low, row.ci_high)
            for y, (_, rows) in enumerate(parts)
            for row in rows[rows["encoder"] == name].itertuples()
        ]
        x, y, low, high = zip(*points, strict=True)
        axes.hlines(y, low, high, color=mark.color, linewidth=0.8)
        axes.plot(x, y, mark.marker, color=mark.color, markersize=3.4, label=labels.title(name))
    axes.set_yticks(range(len(parts)), [short_title(card.title) for card, _ in parts], fontsize=6.5)
    axes.set_ylim(len(parts) - 0.5, -0.5)
    axes.set_title(title, fontsize=8)
    axes.grid(visible=False, axis="y")
    if labels.demo:
        watermark(axes, size=22)
