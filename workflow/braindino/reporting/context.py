"""What the report says, gathered from a run's tables."""

import yaml

from braindino.pretrain.collapse import signs_of_collapse
from braindino.reporting.beside import beside_rows, beside_titles
from braindino.reporting.captions import OVERLAP
from braindino.reporting.conditions import as_strata
from braindino.reporting.data import data_context, final_counts
from braindino.reporting.efficiency import efficiency_rows
from braindino.reporting.facts import facts, task_titles, untrained
from braindino.reporting.findings import findings
from braindino.reporting.grids import grid
from braindino.reporting.heads import TITLES, head_rows
from braindino.reporting.labels import measure, task_title
from braindino.reporting.power import caution, check_rows, power_rows
from braindino.reporting.protocol import assumptions, deviations
from braindino.reporting.provenance import provenance
from braindino.reporting.published import claim_rows, published_rows, summary_rows, verdict_counts
from braindino.reporting.quality import quality_sections
from braindino.reporting.rejects import reject_groups
from braindino.reporting.tables import table_rows

SECTIONS = {"perturbations": "robustness", "knn": "representation"}  # of tables; others: results


def report_context(run, labels, shown, tables, images, commit, pretraining=None, course=()):
    """Gather everything that `render_report` prints.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.
    labels : Labels
        Titles of the encoders, and the demo's note.
    shown : list of Table
        The tables of results, as `catalogue` lists them.
    tables : dict of DataFrame
        availability, the audits coverage, composition, splits, leakage, duplicates and notes,
        subsets, rejects, outliers, metrics, comparisons, robustness and its comparisons (or
        nothing), reproduction, claims, summary and efficiency; of those that were made, cka,
        similarity and site_leakage.
    images : dict
        Data URIs of figures by their file's name, e.g. figure_3 or curves, those that were made;
        mosaics and histograms: {cohort: data URI}.
    commit : str
        Version of the code.
    pretraining : dict, optional
        `encoder.json` of the pretrained encoder.
    course : list of dict
        Lines of its `metrics.jsonl`.

    Returns
    -------
    dict
        The context of `report.html`: plain strings, numbers, lists and dicts, and `Grid`s.
    """
    availability, metrics = tables["availability"], tables["metrics"]
    coverage = final_counts(tables["coverage"], tables["rejects"])
    return {
        "run": run.config.run,
        "demo": labels.demo,
        "facts": facts(run, labels, coverage, availability, pretraining)
        + caution(run.tasks, metrics),
        "availability": _with_titles(availability, run, labels),
        "data": data_context(run.tasks, tables | {"coverage": coverage}),
        "overlaps": _overlaps(run.tasks, labels),
        "assumptions": assumptions(run),
        "heads": head_rows(run),
        "beside": (beside := beside_rows(run.tasks, metrics, labels)),
        "beside_titles": beside_titles(beside),
        "head_titles": TITLES,
        "deviations": deviations(run, untrained(availability, labels)),
        "quality": quality_sections(images["mosaics"], images["histograms"], tables["outliers"]),
        "collapse": signs_of_collapse(course, run.recipe),
        "figures": images,
        **_results(run.tasks, labels, shown, tables),
        "findings": findings(run.tasks, tables, labels),
        "power": power_rows(run.tasks, metrics, tables["comparisons"]),
        "checks": check_rows(run.tasks, tables["comparisons"], run.config.statistics.alpha),
        "verdicts": verdict_counts(tables["reproduction"]),
        "claim_verdicts": verdict_counts(tables["claims"]),
        "summary": summary_rows(tables["summary"]),
        "claims": claim_rows(tables["claims"]),
        "compared": bool(tables["reproduction"]["reproduced"].notna().any()),
        "reproduction": published_rows(tables["reproduction"], labels),
        "rejects": reject_groups(tables["rejects"]),
        "efficiency": efficiency_rows(tables["efficiency"]),
        "provenance": provenance(commit),
        "configuration": yaml.safe_dump(
            run.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True
        ),
    }


def _results(cards, labels, shown, tables):
    """Lay out the tables by section, and state the main results."""
    sections = {"results": [], "robustness": [], "representation": []}
    headlines = []
    for table in shown:
        names = ["metrics", "comparisons"]
        if table.kind == "perturbations":
            names = ["robustness", "robustness_comparisons"]
        statistics = [as_strata(tables[name]) for name in names]
        rows = table_rows(table, cards, *statistics, tables["subsets"], labels)
        sections[SECTIONS.get(table.kind, "results")].append(grid(rows, table, cards, labels))
        if table.kind == "labels":
            headlines += [_headline(cards[name], rows, labels) for name in table.tasks]
    return {"tables": sections, "headlines": [line for line in headlines if line]}


def _headline(card, rows, labels):
    """State the primary metric of each encoder at the largest label ratio; None without one."""
    name = "dice_wt" if card.kind == "segmentation" else card.metric
    rows = rows[(rows["task"] == card.name) & (rows["metric"] == name)]
    rows = rows[rows["ratio"] == rows["ratio"].max()]
    if not len(rows):
        return None
    results = [
        " ".join(filter(None, [r.title, r.pretrained_on_cohorts and OVERLAP, r.text, r.mark]))
        for r in rows.itertuples()
    ]
    ratio = f"{rows['ratio'].iloc[0]:.0%} of the labels".replace("%", " %")
    return {
        "title": f"{card.title}, {ratio}",
        "text": f"{measure(name).label}: {'; '.join(results)}",
    }


def _with_titles(availability, run, labels):
    titles = {
        "dataset": {name: card.title for name, card in run.datasets.items()},
        "task": task_titles(run.tasks),
    }
    titles["encoder"] = labels.encoders
    return [
        row | {"title": titles.get(row["kind"], {}).get(row["name"], "")}
        for row in availability.fillna("").to_dict("records")
    ]


def _overlaps(tasks, labels):
    """List which encoders' own authors pretrained them on cohorts of which tasks."""
    return [
        {"encoder": title, "task": task_title(card), "cohorts": ", ".join(shared)}
        for name, title in labels.encoders.items()
        for card in tasks.values()
        if (shared := labels.shared_cohorts(name, card))
    ]
