"""What the test sets can show: smallest differences that would be found, and tests beside tests."""

from braindino.reporting.labels import measure

FEW = 30  # assumed: below it, a 95 % interval of an AUC spans a fifth of the scale or more


def power_rows(tasks, metrics, comparisons):
    """State each task's power with all labels.

    Parameters
    ----------
    tasks : dict of TaskCard
    metrics, comparisons : DataFrame
        Statistics in the contract's columns.

    Returns
    -------
    list of dict
        title, n, metric, and detectable: the smallest true difference from the reference that the
        test finds with 80 % power, its range over encoders.
    """
    rows = []
    for name, tests in _whole(comparisons).groupby("task", sort=False):
        if name not in tasks:
            continue
        full = tests[tests["ratio"] == tests["ratio"].max()]
        for metric, part in full.groupby("metric", sort=False):
            if metric == tasks[name].metric or metric.startswith("dice"):
                rows.append(_row(tasks[name], metric, part))
    return [row for row in rows if row["detectable"]]


def _row(card, metric, tests):
    number = measure(metric).number
    spread = tests["detectable"].dropna()
    low, high = (number(end) for end in (spread.min(), spread.max())) if len(spread) else ("", "")
    span = low if low == high else f"{low} to {high}"
    return {"title": card.title, "n": int(tests["n"].max()), "metric": measure(metric).label,
            "detectable": span}  # fmt: skip


def caution(tasks, metrics):
    """Warn of test sets on which no claim can rest: (name, text) or nothing."""
    sizes = metrics[metrics["stratum"] == "all"].groupby("task")["n"].max()
    small = [f"{tasks[name].title} ({n})" for name, n in sizes.items() if n < FEW and name in tasks]
    text = f"no claim can rest on so few test subjects: {', '.join(small)}"
    return [("Caution", text)] if small else []


def check_rows(tasks, comparisons, alpha):
    """Count where other tests of the same differences agree with the paper's.

    Returns
    -------
    list of dict
        title, tests, significant, and by DeLong's and Wilcoxon's tests 'agreeing of made'.
    """
    rows = []
    for name, tests in _whole(comparisons).groupby("task", sort=False):
        made = tests[tests[["p_delong", "p_wilcoxon"]].notna().any(axis=1)]
        if name in tasks and len(made):
            found = {key: _agreement(made, key, alpha) for key in ("p_delong", "p_wilcoxon")}
            significant = int((made["p"] < alpha).sum())
            rows.append({"title": tasks[name].title, "tests": len(made),
                         "significant": significant} | found)  # fmt: skip
    return rows


def _agreement(tests, other, alpha):
    both = tests[tests["p"].notna() & tests[other].notna()]
    same = ((both["p"] < alpha) == (both[other] < alpha)).sum()
    return f"{same} of {len(both)}" if len(both) else "–"


def _whole(comparisons):
    columns = [*comparisons, *({"detectable", "p_delong", "p_wilcoxon"} - set(comparisons))]
    return comparisons.reindex(columns=columns)[comparisons["stratum"] == "all"]
