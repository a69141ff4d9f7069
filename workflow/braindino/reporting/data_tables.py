"""The paper's tables of data: S2, cohorts and splits; S5, tumour regions."""

import pandas as pd

from braindino.reporting.data import split_rows
from braindino.reporting.grids import Grid

SPLITS = {
    "use": "Use", "cohorts": "Cohorts", "class": "Class", "train": "Train",
    "train_paper": "Train, paper", "test": "Test", "test_paper": "Test, paper",
    "section": "Section",
}  # fmt: skip
REGIONS = {"cohort": "Cohort", "wt": "WT", "tc": "TC", "et": "ET", "source": "Source"}


def split_table(coverage, splits, tasks):
    """List the cohorts in pretraining, then the splits of every task (Table S2).

    Parameters
    ----------
    coverage, splits : DataFrame
        The corpus stage's audits.
    tasks : dict of TaskCard

    Returns
    -------
    DataFrame
        By the keys of `SPLITS`; counts as 'subjects (volumes)'.
    """
    used = coverage[coverage["pretraining"] > 0]
    pretraining = [
        {"use": "Pretraining", "cohorts": r.dataset, "train": f"– ({r.pretraining})"}
        for r in used.itertuples()
    ]
    evaluated = [
        row | {"use": row["title"], "cohorts": row["datasets"]} for row in split_rows(splits, tasks)
    ]
    return pd.DataFrame(pretraining + evaluated, columns=list(SPLITS)).fillna("")


def region_table(cards):
    """List which values of each cohort's label maps make up the regions (Table S5).

    Parameters
    ----------
    cards : dict of DatasetCard
        Cohorts with `regions`.
    """
    rows = [
        {"cohort": card.title, "source": card.regions.source}
        | {name: ", ".join(map(str, values)) for name, values in card.regions.values.items()}
        for card in cards.values()
    ]
    return pd.DataFrame(rows, columns=list(REGIONS))


def data_grid(rows, titles, heading, caption, labels):
    """Lay a table of plain text out as a `Grid`."""
    demo = f" {labels.demo[0].upper()}{labels.demo[1:]}." if labels.demo else ""
    body = rows.astype(str).to_numpy().tolist()
    return Grid(heading + labels.demo_suffix, caption + demo, list(titles.values()), body)
