"""Results beside the heads': linear probes, left-out sites and makers, other planes, ECE."""

from braindino.reporting.labels import measure, task_title

NOTHING = "–"
STRATA = {
    "all": "Head",
    "linear": "Linear probe",
    "leave_site": "Site left out",
    "leave_vendor": "Maker left out",
    "sagittal": "Sagittal slices",
    "coronal": "Coronal slices",
}
TITLES = [("task", "Task"), ("encoder", "Encoder"), ("metric", "Metric"), *STRATA.items()]
TITLES += [("rmse", "Head's RMSE"), ("r2", "Head's R²"), ("ece", "Head's ECE")]


def beside_rows(tasks, metrics, labels):
    """List each encoder's results with all labels, by every probe that was made.

    Parameters
    ----------
    tasks : dict of TaskCard
    metrics : DataFrame
        Statistics in the contract's columns.
    labels : Labels

    Returns
    -------
    list of dict
        By the keys of `TITLES`: the primary metric by probe, and more on the head: root mean
        squared error and R² of numbers, expected calibration error of classes. A dash where there
        is none.
    """
    known = metrics[metrics["task"].isin(list(tasks)) & metrics["encoder"].isin(labels.encoders)]
    rows = []
    for (name, encoder), part in known.groupby(["task", "encoder"], sort=False):
        card = tasks[name]
        part = part[part["ratio"] == part["ratio"].max()]
        values = part.set_index(["metric", "stratum"])["value"]
        row = {stratum: _number(values, card.metric, stratum) for stratum in STRATA}
        row["rmse"] = _number(values, card.metric.replace("mae", "rmse"), "all", "rmse")
        row |= {metric: _number(values, metric, "all") for metric in ("r2", "ece")}
        if sum(value != NOTHING for value in row.values()) > 1:  # more than the tables hold
            title = {"task": task_title(card), "encoder": labels.encoders[encoder]}
            rows.append(title | {"metric": measure(card.metric).label} | row)
    return rows


def beside_titles(rows):
    """Return the (key, heading)s of the columns in which some row holds a result."""
    return [(key, title) for key, title in TITLES if any(row[key] != NOTHING for row in rows)]


def _number(values, metric, stratum, kind=""):
    if not metric.startswith(kind):
        return NOTHING
    return measure(metric).number(values.get((metric, stratum), float("nan")))
