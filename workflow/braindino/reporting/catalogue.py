"""The paper's supplementary tables that hold results: which tasks, which numbers, in which rows."""

from typing import NamedTuple

from braindino.statistics.strata import stratum_names

TITLES = {  # of tables that hold several tasks
    "s6": "Frozen encoder and full fine-tuning",
    "s7": "Tumour segmentation",
    "s8": "Disorder classification",
    "s17": "k-nearest neighbours on frozen features",
    "s18": "Robustness to perturbed scans",
}
LABELS = ["labels", "n train", "n test"]
LEADS = {  # what a row is led by, beside task and metric
    "labels": LABELS,
    "full_ft": LABELS,
    "age": ["age", "n test"],
    "knn": ["k", "n test"],
    "perturbations": ["perturbation", "severity", "n test"],
}
REGIONS = ["dice_wt", "dice_tc", "dice_et"]


class Table(NamedTuple):
    """A table of results.

    Attributes
    ----------
    number : str
        The paper's, e.g. 's9'; of a task that the paper lacks, the task's name.
    kind : str
        What goes down: a key of `LEADS`.
    tasks : list of str
        Names of its tasks.
    """

    number: str
    kind: str
    tasks: list[str]


def catalogue(cards, finetuned=(), perturbed=()):
    """List the tables of a run's evaluated tasks: {number: Table}.

    Parameters
    ----------
    cards : dict of TaskCard
        The evaluated tasks.
    finetuned, perturbed : list of str
        Tasks with full fine-tuning, and with perturbed test scans.
    """
    tables = [_table(card.table or card.name, "labels", cards) for card in cards.values()]
    strata = {card.strata_table: name for name, card in cards.items() if card.strata_table}
    tables += [Table(number, "age", [name]) for number, name in strata.items()]
    several = {
        "s6": ("full_ft", [name for name in finetuned if name in cards]),
        "s17": ("knn", [name for name, card in cards.items() if card.knn]),
        "s18": ("perturbations", [name for name in perturbed if name in cards]),
    }
    tables += [Table(number, kind, tasks) for number, (kind, tasks) in several.items() if tasks]
    return {table.number: table for table in sorted(tables, key=_place)}


def _place(table):
    """Sort by the paper's number; tasks that the paper lacks come last."""
    number = table.number.removeprefix("s")
    return (0, int(number)) if number.isdigit() else (1, table.number)


def _table(number, kind, cards):
    return Table(number, kind, [n for n, card in cards.items() if number in (card.table, n)])


def table_title(table, cards):
    """Title of a table without its number."""
    return TITLES.get(table.number) or cards[table.tasks[0]].title


def table_metrics(card):
    """Metrics that a task's table shows, the primary one first."""
    metrics = {
        "classification": ["macro_auc", "accuracy"],
        "segmentation": REGIONS,
        "survival": ["logrank_p", "median_survival_days", "c_index"],
    }
    return metrics.get(card.kind, [card.metric])


def shown_rows(kind, card, metrics):
    """List what a task's part of a table shows, in order: (metric, stratum)s.

    Parameters
    ----------
    kind : str
        The table's.
    card : TaskCard
    metrics : DataFrame
        The statistics of the task.
    """
    if kind == "age":
        return [(card.metric, stratum) for stratum in stratum_names(card.age_bins)]
    strata = list(dict.fromkeys(metrics["stratum"]))
    if kind == "knn":
        neighbours = [name for name in strata if name.startswith("k:")]
        return [("accuracy", name) for name in sorted(neighbours, key=lambda k: float(k[2:]))]
    shown = [name for name in table_metrics(card) if name in set(metrics["metric"])]
    if kind == "perturbations":
        return [(metric, stratum) for metric in shown[: 3 if card.kind == "segmentation" else 1]
                for stratum in sorted(strata, key=severity)]  # fmt: skip
    groups = ["low_risk", "high_risk"]
    return [
        (metric, stratum)
        for metric in shown
        for stratum in (groups if metric == "median_survival_days" else ["all"])
    ]


def severity(stratum):
    """Split 'gibbs:0.4' into ('gibbs', 0.4); clean scans come first."""
    name, _, strength = stratum.partition(":")
    return ("" if name == "clean" else name, float(strength or 0))
