"""Figure 1a: what the pretraining corpus is made of, by cohort and by attribute."""

from matplotlib.figure import Figure

from braindino.corpus.coverage import NOT_STATED
from braindino.reporting.composition import ATTRIBUTES, attribute_shares, cohort_rows
from braindino.reporting.labels import percent
from braindino.reporting.palette import CONTRASTS, PLAIN, UNSTATED
from braindino.reporting.style import house_style, watermark

PAPER = {"T1w": 1.97e6, "T2w": 2.60e6, "FLAIR": 0.88e6, "T1c": 1.14e6}  # slices, caption of Fig. 1
SMALL = 6.5  # points


def figure_1a(composition, coverage, groups, labels):
    """Draw the composition of the pretraining corpus.

    Parameters
    ----------
    composition, coverage : DataFrame
        As `corpus.audit` returns them.
    groups : dict of str
        Cohort: its card's group.
    labels : Labels
        The demo's note.

    Returns
    -------
    matplotlib.figure.Figure
        Left, the volumes of each cohort by contrast; right, the slices of each contrast, beside
        the paper's unless in a demo, and the shares of volumes by attribute.
    """
    corpus = composition[composition["part"] == "pretraining"].astype({"volumes": int})
    volumes = corpus[corpus["attribute"] == "modality"].merge(coverage, on="dataset")
    volumes["slices"] *= volumes["volumes"] / volumes["pretraining"]
    panels = {name: attribute_shares(corpus, name) for name in ATTRIBUTES}
    with house_style(**{"axes.grid": False}):
        rows = cohort_rows(volumes, groups)
        heights = [len(_contrasts(volumes)) + 2, *_row_heights(panels)]
        figure = Figure(figsize=(7.09, max(0.155 * len(rows), 0.125 * sum(heights)) + 0.9))
        left, right = figure.subfigures(1, 2, width_ratios=[1.15, 1])
        _draw_cohorts(left, rows, volumes, labels)
        _draw_attributes(right, heights, panels, volumes, labels)
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
        return figure


def short_count(number):
    """Print a number of slices: 1.97 M, 45 k, 2,304."""
    if number >= 1e6:
        return f"{number / 1e6:.2f} M"
    return f"{number / 1e3:.0f} k" if number >= 1e4 else f"{number:,.0f}"


def _row_heights(panels):
    sizes = [len(shares) + 2 for shares in panels.values()]
    return [max(pair) for pair in zip(sizes[::2], sizes[1::2], strict=True)]


def _draw_cohorts(figure, rows, volumes, labels):
    axes = figure.subplots()
    place = {name: y for y, (_, name) in enumerate(rows) if name}
    ends = _stack(axes, place, volumes)
    slices = volumes.groupby("dataset")["slices"].sum()
    for name, y in place.items():
        _at_end(axes, ends[name], y, short_count(slices[name]))
    for y, (title, name) in enumerate(rows):
        if name is None:
            across = axes.get_yaxis_transform()
            axes.text(0.01, y, title, transform=across, va="center", weight="bold")
    _lay_out(axes, place, room=0.16)
    axes.set_title("(a) Pretraining corpus")
    axes.set_xlabel("Volumes (at the end of a bar: slices)")
    figure.legend(loc="outside lower center", ncols=len(CONTRASTS))
    if labels.demo:
        watermark(axes)


def _stack(axes, place, volumes):
    """Stack the contrasts of each cohort; return where its bar ends."""
    counts = volumes.pivot_table(index="dataset", columns="value", values="volumes", aggfunc="sum")
    counts = counts.reindex(index=list(place), columns=_contrasts(volumes)).fillna(0)
    starts = counts.cumsum(axis=1) - counts
    for name in counts:
        bars = {"width": counts[name], "left": starts[name], "color": CONTRASTS[name]}
        axes.barh(list(place.values()), **bars, label=name)
    return counts.sum(axis=1)


def _contrasts(volumes):
    """List the paper's contrasts, and others where there are any."""
    return [name for name in CONTRASTS if name in PAPER or name in set(volumes["value"])]


def _draw_attributes(figure, heights, panels, volumes, labels):
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights)
    _draw_contrasts(figure.add_subplot(grid[0, :]), volumes, labels)
    for i, (name, shares) in enumerate(panels.items()):
        axes = figure.add_subplot(grid[1 + i // 2, i % 2])
        colors = [UNSTATED if value == NOT_STATED else PLAIN for value in shares]
        axes.barh(range(len(shares)), list(shares.values()), color=colors)
        for y, share in enumerate(shares.values()):
            _at_end(axes, share, y, percent(share))
        _lay_out(axes, {value: y for y, value in enumerate(shares)}, room=0.4)
        # as many rows as its neighbour, so that all bars are equally thick
        axes.set_ylim(heights[1 + i // 2] - 2.4, -0.6)
        _no_scale(axes, ATTRIBUTES[name], labels)


def _draw_contrasts(axes, volumes, labels):
    names = _contrasts(volumes)
    slices = volumes.groupby("value")["slices"].sum().reindex(names, fill_value=0)
    axes.barh(range(len(names)), slices, color=[CONTRASTS[name] for name in names])
    paper = {} if labels.demo else PAPER
    for y, (name, size) in enumerate(slices.items()):
        text, end = short_count(size), size
        if name in paper:
            axes.plot(paper[name], y, "k|", markersize=9, markeredgewidth=1.6)
            text, end = f"{text}; paper {short_count(paper[name])}", max(size, paper[name])
        _at_end(axes, end, y, text)
    _lay_out(axes, {name: y for y, name in enumerate(names)}, room=0.5 if paper else 0.16)
    _no_scale(axes, "Slices by contrast", labels)


def _at_end(axes, x, y, text):
    axes.annotate(
        text, (x, y), xytext=(3, 0), textcoords="offset points", va="center", fontsize=SMALL
    )


def _lay_out(axes, place, room):
    """Name the rows from the top down, and leave `room` for what is written beyond the bars."""
    last = max(place.values(), default=0)
    axes.set_yticks(list(place.values()), list(place), fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_bounds(-0.6, last + 0.6)
    axes.set_ylim(last + 0.6, -0.6)
    axes.set_xlim(0, max(axes.dataLim.x1, 0) * (1 + room) or 1)


def _no_scale(axes, title, labels):
    axes.set_title(title, fontsize=8)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    if labels.demo:
        watermark(axes, size=15)
