"""What the report says, gathered from a run's tables."""

import importlib.metadata
import platform
import subprocess
from collections import Counter
from pathlib import Path

import pandas as pd
import yaml

from braindino.reporting.labels import measure
from braindino.reporting.protocol import assumptions, deviations
from braindino.reporting.rejects import reject_groups
from braindino.reporting.tables import grid, result_rows

PACKAGES = ["braindino", "torch", "timm", "numpy", "scipy", "pandas", "nibabel", "snakemake"]
IMAGING = "imaging"  # the stage of rejects that the corpus stage could not know of
FEW = 30  # assumed: below it, a 95 % interval of an AUC spans a fifth of the scale or more
VERDICTS = ["reproduced", "not reproduced", "not compared", "demo", "not run"]


def report_context(run, labels, tables, images, commit, pretraining=None):
    """Gather everything that `render_report` prints.

    Parameters
    ----------
    run : settings.load.Run
        The configuration and its cards.
    labels : Labels
        Titles of the encoders, and the demo's note.
    tables : dict of DataFrame
        availability, coverage, leakage, splits, subsets, rejects, metrics, comparisons and
        reproduction, in the contracts' columns.
    images : dict
        figure_3 and curves: data URI or None; mosaics: {cohort: data URI}.
    commit : str
        Version of the code.
    pretraining : dict, optional
        `encoder.json` of the pretrained encoder.

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
        "counts": coverage.to_dict("records"),
        "splits": [_split(card, tables["splits"]) for card in run.tasks.values()],
        "leakage": tables["leakage"].to_dict("records"),
        "assumptions": assumptions(run),
        "deviations": deviations(run, _untrained(availability, labels)),
        "mosaics": images["mosaics"],
        "curves": images["curves"],
        "figure_3": images["figure_3"],
        "tables": [grid(results[card.name], card, labels) for card in shown],
        "verdicts": _verdicts(tables["reproduction"]),
        "reproduction": _published(tables["reproduction"], labels),
        "rejects": reject_groups(tables["rejects"]),
        "provenance": provenance(commit),
        "configuration": yaml.safe_dump(
            run.config.model_dump(mode="json"), sort_keys=False, allow_unicode=True
        ),
    }


def provenance(commit):
    """List what made the run: [(name, version)]."""
    versions = [(name, importlib.metadata.version(name)) for name in PACKAGES]
    return [("code", commit), ("python", platform.python_version()), *versions]


def final_counts(coverage, rejects):
    """Move the volumes that imaging rejected from used to rejected.

    Parameters
    ----------
    coverage : DataFrame
        Counts of the corpus stage: dataset, found, used, unused, rejected.
    rejects : DataFrame
        Rejects of all stages: volume_id, stage, reason.
    """
    failed = rejects.loc[rejects["stage"] == IMAGING, "volume_id"].astype(str)
    lost = failed.str.split("/").str[0].value_counts()
    lost = coverage["dataset"].map(lost).fillna(0).astype(int)
    return coverage.assign(used=coverage["used"] - lost, rejected=coverage["rejected"] + lost)


def code_version(fingerprint):
    """Return the git commit of this code, or its fingerprint where there is no repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return f"no git commit; fingerprint {fingerprint}"
    return f"git commit {done.stdout.strip()}"


def _facts(run, labels, coverage, availability, pretraining):
    """State in (name, text) pairs what was run on what."""
    used = coverage[coverage["used"] > 0]
    volumes = ", ".join(f"{r.dataset} ({r.used})" for r in used.itertuples())
    absent = availability[availability["status"] == "absent"]
    facts = [
        ("Volumes used", f"{used['used'].sum()}: {volumes}" if len(used) else "none"),
        ("Encoders", ", ".join(_present(availability, "encoder", labels.encoders))),
        ("Tasks", ", ".join(_present(availability, "task", _titles(run.tasks)))),
    ]
    if pretraining:
        facts.append(("Pretraining", _pretraining(pretraining)))
    if len(absent):
        facts.append(("Absent", ", ".join(f"{r.kind} {r.name}" for r in absent.itertuples())))
    return facts


def _caution(tasks, metrics):
    """Warn of test sets on which no claim can rest."""
    sizes = metrics.groupby("task")["n"].max()
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
    results = [f"{r.title} {r.text}{' ' + r.mark if r.mark else ''}" for r in rows.itertuples()]
    ratio = f"{rows['ratio'].iloc[0]:.0%} of the labels".replace("%", " %")
    name = measure(card.metric).label
    return {"title": f"{card.title}, {ratio}", "text": f"{name}: {'; '.join(results)}"}


def _with_titles(availability, run, labels):
    titles = {"dataset": _titles(run.datasets), "task": _titles(run.tasks)}
    titles["encoder"] = labels.encoders
    return [
        row | {"title": titles.get(row["kind"], {}).get(row["name"], "")}
        for row in availability.fillna("").to_dict("records")
    ]


def _titles(cards):
    return {name: card.title for name, card in cards.items()}


def _present(availability, kind, titles):
    usable = availability[(availability["kind"] == kind) & (availability["status"] != "absent")]
    return [titles.get(name, name) for name in usable["name"]]


def _untrained(availability, labels):
    names = availability.loc[availability["status"] == "untrained", "name"]
    return [labels.encoders.get(name, name).removesuffix(" (random weights)") for name in names]


def _split(card, splits):
    own = splits[splits["task"] == card.name]
    counts = {"title": card.title, "datasets": " + ".join(card.datasets)}
    for part in ("train", "test"):
        rows = own[own["split"] == part]
        counts[part] = f"{rows['subject'].nunique()} ({len(rows)})"
    return counts


def _verdicts(reproduction):
    kinds = Counter(verdict.partition(":")[0] for verdict in reproduction["verdict"])
    return [(kind, kinds[kind]) for kind in VERDICTS if kind in kinds]


def _published(reproduction, labels):
    """Print the published rows of tasks and encoders in this run."""
    rows = reproduction.to_dict("records")
    return [_published_row(row, labels) for row in rows if not row["verdict"].startswith("not run")]


def _published_row(row, labels):
    number = measure(row["metric"]).number
    interval = f" [{number(row['ci_low'])}, {number(row['ci_high'])}]"
    spread = f" ± {number(row['sd'])}" if pd.notna(row["sd"]) else ""
    claim = f"p {row['p_op']} {row['p_value']:g}" if isinstance(row["p_op"], str) else ""
    value = number(row["value"]) if pd.notna(row["value"]) else claim
    return {
        "task": row["task"],
        "encoder": labels.encoders.get(row["encoder"], row["encoder"]),
        "metric": measure(row["metric"]).label,
        "ratio": f"{row['ratio']:.0%}".replace("%", " %") if pd.notna(row["ratio"]) else "all",
        "stratum": row["stratum"] if isinstance(row["stratum"], str) else "",
        "published": value + (interval if pd.notna(row["ci_low"]) else spread),
        "reproduced": number(row["reproduced"]) if pd.notna(row["reproduced"]) else "",
        "difference": f"{row['difference']:+.3g}" if pd.notna(row["difference"]) else "",
        "verdict": row["verdict"],
        "section": row["section"],
    }
