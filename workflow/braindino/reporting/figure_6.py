"""Figure 6: similarity maps of a slice, kNN accuracy over k, and CKA over depth."""

from matplotlib.figure import Figure

from braindino.reporting.palette import encoder_marks
from braindino.reporting.similarity_maps import draw_slice
from braindino.reporting.style import house_style, watermark

SIGNIFICANT = 0.05  # §4.7
LAYERS = ["early", "mid", "late"]


def figure_6(pictures, aucs, knn, cka, labels):
    """Draw Figure 6.

    Parameters
    ----------
    pictures : dict of ndarray, optional
        As `representation.slice.look` returns it.
    aucs : DataFrame, optional
        Columns encoder, reference, auc.
    knn : DataFrame
        As `knn_rows` returns it; may be empty.
    cka : DataFrame
        statistics/cka.parquet; may be empty.
    labels : Labels
        Titles of the encoders, and the demo's note.

    Returns
    -------
    matplotlib.figure.Figure
    """
    curves = [(_knn_panel, *part) for part in knn.groupby("title", sort=False)]
    curves += [(_cka_panel, *part) for part in cka.groupby("cohort", sort=False)]
    tall = (1.25 * (len(pictures["references"]) + 1) + 0.5) if pictures else 0
    low = 2.9 if curves else 0
    with house_style():
        figure = Figure(figsize=(8.2, max(1.5, tall + low)))
        parts = [size for size in (tall, low) if size] or [1]
        panels = list(figure.subfigures(len(parts), 1, height_ratios=parts, squeeze=False)[:, 0])
        if pictures:
            draw_slice(panels.pop(0), pictures, aucs, labels)
        if curves:
            _draw_curves(panels.pop(0), curves, labels)
        if labels.demo:
            figure.suptitle(labels.demo, color="#B00020", fontsize=9)
        return figure


def knn_rows(metrics, comparisons, cards):
    """Pick the kNN probe's accuracies and tests from the statistics.

    Parameters
    ----------
    metrics, comparisons : DataFrame
        Statistics of any number of tasks.
    cards : list of TaskCard
        Of the tasks with a kNN probe.

    Returns
    -------
    DataFrame
        title (the cohorts), encoder, k, accuracy, sd, n and p_holm (against the reference), in the
        order of the cards.
    """
    titles = {card.knn: " + ".join(card.datasets) for card in cards if card.knn}
    rows = metrics[metrics["task"].isin(titles) & metrics["stratum"].str.startswith("k:")]
    keys = ["task", "encoder", "stratum"]
    tests = comparisons[[*keys, "p_holm"]].astype({"p_holm": float}).drop_duplicates(keys)
    rows = rows.merge(tests, how="left", on=keys)
    rows = rows.assign(title=rows["task"].map(titles), accuracy=rows["value"])
    rows["k"] = rows["stratum"].str[2:].astype(float)
    order = rows["task"].map({name: place for place, name in enumerate(titles)})
    kept = rows.assign(order=order).sort_values(["order", "encoder", "k"], kind="stable")
    columns = ["title", "encoder", "k", "accuracy", "sd", "n", "p_holm"]
    return kept[columns].reset_index(drop=True)


def _draw_curves(figure, curves, labels):
    grid = figure.subplots(1, len(curves), squeeze=False)[0]
    for axes, (draw, title, rows) in zip(grid, curves, strict=True):
        draw(axes, rows, labels)
        axes.set_title(f"(b) {title}", fontsize=8)
        if labels.demo:
            watermark(axes, size=22)
    entries = {}
    for axes in grid:
        handles, titles = axes.get_legend_handles_labels()
        entries |= dict(zip(titles, handles, strict=True))
    figure.legend(entries.values(), entries, loc="outside lower center", ncols=3, fontsize=7)


def _knn_panel(axes, rows, labels):
    encoders = [name for name in labels.encoders if name in set(rows["encoder"])]
    for name, mark in encoder_marks(encoders).items():
        own = rows[rows["encoder"] == name]
        axes.errorbar(
            own["k"], own["accuracy"], yerr=own["sd"], color=mark.color, marker=mark.marker,
            elinewidth=0.9, label=labels.encoders[name], markerfacecolor="white",
        )  # fmt: skip
        differs = own[own["p_holm"] < SIGNIFICANT]
        axes.plot(differs["k"], differs["accuracy"], mark.marker, color=mark.color, zorder=5)
    ticks = sorted(rows["k"].unique())
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{k:g}" for k in ticks])
    axes.minorticks_off()
    axes.set(xlabel="Neighbours k", ylabel=f"kNN accuracy ± SD (n = {rows['n'].max()})")


def _cka_panel(axes, rows, labels):
    encoders = [name for name in labels.encoders if name in set(rows["encoder"])]
    for name, mark in encoder_marks(encoders).items():
        own = rows[rows["encoder"] == name].set_index("layer").reindex(LAYERS)
        spread = [own["cka"] - own["ci_low"], own["ci_high"] - own["cka"]]
        axes.errorbar(
            range(len(LAYERS)), own["cka"], yerr=[part.clip(lower=0) for part in spread],
            color=mark.color, marker=mark.marker, elinewidth=0.9, label=labels.encoders[name],
        )  # fmt: skip
        axes.plot(
            range(len(LAYERS)), own["cka_debiased"], color=mark.color, linestyle=":", linewidth=1
        )
    axes.set_xticks(range(len(LAYERS)), [layer.capitalize() for layer in LAYERS])
    reference = labels.encoders.get(rows["reference"].iloc[0], rows["reference"].iloc[0])
    axes.set(xlabel="Layer", ylabel=f"CKA with {reference} (n = {rows['n'].max()})")
    axes.set_ylim(min(-0.05, rows["cka_debiased"].min()), 1.05)
