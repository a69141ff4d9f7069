"""What the report says, gathered from a run's tables."""

import yaml

from braindino.pretrain.collapse import signs_of_collapse
from braindino.reporting.data import data_context, final_counts
from braindino.reporting.efficiency import efficiency_rows
from braindino.reporting.grids import OVERLAP, grid
from braindino.reporting.heads import TITLES, head_rows
from braindino.reporting.labels import measure, task_title
from braindino.reporting.protocol import assumptions, deviations
from braindino.reporting.provenance import provenance
from braindino.reporting.published import published_rows, verdict_counts
from braindino.reporting.quality import quality_sections
from braindino.reporting.rejects import reject_groups
from braindino.reporting.tables import result_rows

FEW = 30  # assumed: below it, a 95 % interval of an AUC spans a fifth of the scale or more


def report_context(run, labels, tables, images, commit, pretraining=None, course=()):
    """Gather everything that `render_report` prints.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.
    labels : Labels
        Titles of the encoders, and the demo's note.
    tables : dict of DataFrame
        availability, the audits coverage, composition, splits, leakage, duplicates and notes,
        subsets, rejects, outliers, metrics, comparisons, reproduction and efficiency.
    images : dict
        figure_1a, figure_3, curves and patches: data URI or None; mosaics and histograms:
        {cohort: data URI}.
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
    shown = [card for card in run.tasks.values() if card.name in set(tables["metrics"]["task"])]
    results = {
        card.name: result_rows(
            card, tables["metrics"], tables["comparisons"], tables["subsets"], labels
        )
        for card in shown
    }
    availability = tables["availability"]
    coverage = final_counts(tables["coverage"], tables["rejects"])
    return {
        "run": run.config.run,
        "demo": labels.demo,
        "facts": _facts(run, labels, coverage, availability, pretraining)
        + _caution(run.tasks, tables["metrics"]),
        "headlines": [_headline(card, results[card.name], labels) for card in shown],
        "availability": _with_titles(availability, run, labels),
        "data": data_context(run.tasks, tables | {"coverage": coverage}),
        "overlaps": _overlaps(run.tasks, labels),
        "assumptions": assumptions(run),
        "heads": head_rows(run),
        "head_titles": TITLES,
        "deviations": deviations(run, _untrained(availability, labels)),
        "quality": quality_sections(images["mosaics"], images["histograms"], tables["outliers"]),
        "curves": images["curves"],
        "patches": images["patches"],
        "collapse": signs_of_collapse(course, run.recipe),
        "figure_1a": images["figure_1a"],
        "figure_3": images["figure_3"],
        "tables": [grid(results[card.name], card, labels) for card in shown],
        "verdicts": verdict_counts(tables["reproduction"]),
        "reproduction": published_rows(tables["reproduction"], labels),
        "rejects": reject_groups(tables["rejects"]),
        "efficiency": efficiency_rows(tables["efficiency"]),
        "provenance": provenance(commit),
        "configuration": yaml.safe_dump(
            run.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True
        ),
    }


def _facts(run, labels, coverage, availability, pretraining):
    """State in (name, text) pairs what was run on what."""
    used = coverage[coverage["used"] > 0]
    volumes = ", ".join(f"{r.dataset} ({r.used})" for r in used.itertuples())
    absent = availability[availability["status"] == "absent"]
    facts = [
        ("Volumes used", f"{used['used'].sum()}: {volumes}" if len(used) else "none"),
        ("Encoders", ", ".join(_present(availability, "encoder", labels.encoders))),
        ("Tasks", ", ".join(_present(availability, "task", _task_titles(run.tasks)))),
    ]
    if pretraining:
        facts.append(("Pretraining", _pretraining(pretraining)))
    if len(absent):
        facts.append(("Absent", ", ".join(f"{r.kind} {r.name}" for r in absent.itertuples())))
    return facts


def _caution(tasks, metrics):
    """Warn of test sets on which no claim can rest."""
    sizes = metrics[metrics["stratum"] == "all"].groupby("task")["n"].max()
    small = [f"{tasks[name].title} ({n})" for name, n in sizes.items() if n < FEW]
    text = f"no claim can rest on so few test subjects: {', '.join(small)}"
    return [("Caution", text)] if small else []


def _pretraining(record):
    data = record["data"]
    return (
        f"{record['title']}: {record['iterations']:,} iterations on {data['slices']:,} slices "
        f"of {data['volumes']:,} volumes"
    )


def _headline(card, rows, labels):
    """State the primary metric of each encoder at the largest label ratio."""
    rows = rows[rows["metric"] == card.metric]
    rows = rows[rows["ratio"] == rows["ratio"].max()]
    results = [
        " ".join(filter(None, [r.title, r.pretrained_on_cohorts and OVERLAP, r.text, r.mark]))
        for r in rows.itertuples()
    ]
    ratio = f"{rows['ratio'].iloc[0]:.0%} of the labels".replace("%", " %")
    name = measure(card.metric).label
    return {"title": f"{card.title}, {ratio}", "text": f"{name}: {'; '.join(results)}"}


def _with_titles(availability, run, labels):
    titles = {"dataset": _titles(run.datasets), "task": _task_titles(run.tasks)}
    titles["encoder"] = labels.encoders
    return [
        row | {"title": titles.get(row["kind"], {}).get(row["name"], "")}
        for row in availability.fillna("").to_dict("records")
    ]


def _titles(cards):
    return {name: card.title for name, card in cards.items()}


def _task_titles(tasks):
    return {name: task_title(card) for name, card in tasks.items()}


def _overlaps(tasks, labels):
    """List which encoders' own authors pretrained them on cohorts of which tasks."""
    return [
        {"encoder": title, "task": task_title(card), "cohorts": ", ".join(shared)}
        for name, title in labels.encoders.items()
        for card in tasks.values()
        if (shared := labels.shared_cohorts(name, card))
    ]


def _present(availability, kind, titles):
    usable = availability[(availability["kind"] == kind) & (availability["status"] != "absent")]
    return [titles.get(name, name) for name in usable["name"]]


def _untrained(availability, labels):
    names = availability.loc[availability["status"] == "untrained", "name"]
    return [labels.encoders.get(name, name).removesuffix(" (random weights)") for name in names]
