"""What stands below the result tables."""

from braindino.reporting.catalogue import LEADS
from braindino.reporting.labels import measure

OVERLAP = "‡"  # after an encoder's title


def caption(rows, table, cards, labels):
    """Say below a table what its numbers and marks mean.

    Parameters
    ----------
    As those of `grids.grid`.
    """
    sentences = _uncertainty(rows, table, cards) if len(rows) else ["No predictions."]
    if table.kind == "knn":
        sentences.append("k: neighbours by cosine similarity, majority vote.")
    if "n train" in LEADS[table.kind]:
        sentences.append("n train, n test: subjects.")
    if rows["best"].any():
        sentences.append("Bold: best.")
    tests = sorted(set(rows["test"].dropna()))
    if tests:
        adjusted = ["Holm-adjusted"] if (rows["stratum"] != "all").all() else []
        how = ", ".join(tests + adjusted)
        reference = labels.title(labels.reference)
        sentences.append(f"*, **, ***: p < 0.05, 0.01, 0.001 against {reference} ({how}).")
    sentences += _overlap(rows)
    if labels.demo:
        sentences.append(f"{labels.demo[0].upper()}{labels.demo[1:]}.")
    return " ".join(sentences)


def _uncertainty(rows, table, cards):
    """Say what stands beside an estimate."""
    folds = max(cards[name].folds for name in table.tasks)
    over = "bootstrap over test subjects; mean over label seeds"
    if table.kind == "knn":
        over = "bootstrap stratified by class"
    elif folds > 1 and table.kind == "labels":
        over += f"; where there are {folds} splits, Student-t over them"
    shown = set(rows["metric"].str.partition("_")[0])
    printed = ["± SD of the estimate"] if shown & {"mae", "dice"} else []
    printed += ["[95 % interval]"] if shown - {"mae", "dice", "logrank", "median"} else []
    names = ", ".join(dict.fromkeys(measure(name).label for name in rows["metric"]))
    sentences = [f"{names} {' or '.join(printed)}, {over}." if printed else f"{names}."]
    if "logrank" in shown:
        sentences.append(
            "Risk groups: at the median risk of the training patients; two-sided log-rank test, "
            "whose stars are those of its own p."
        )
    return sentences


def _overlap(rows):
    """Say which cohorts of the tasks an encoder's authors pretrained it on."""
    flagged = rows.loc[rows["pretrained_on_cohorts"] != "", ["title", "pretrained_on_cohorts"]]
    pairs = flagged.drop_duplicates().itertuples(index=False)
    listed = "; ".join(f"{title} on {cohorts}" for title, cohorts in pairs)
    sentence = f"{OVERLAP} pretrained by its authors on a cohort of this task: {listed}."
    return [sentence] if listed else []
