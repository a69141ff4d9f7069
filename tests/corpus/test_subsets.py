"""Properties of label subsets, on cohorts of any size, classes, visits and folds."""

import itertools

import numpy as np
import pandas as pd
import pytest

from braindino.corpus.splits import split_subjects
from braindino.corpus.subsets import label_subsets

RATIOS = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.mark.parametrize("draw", range(10))
def test_subsets_are_nested_stratified_and_apart_from_the_test(draw, task_card):
    rng = np.random.default_rng(draw)
    classes = list("abcd"[: rng.integers(2, 5)])
    subjects, folds = int(rng.integers(12, 150)), int(rng.integers(1, 4))
    target = rng.choice(len(classes), subjects, p=rng.dirichlet(np.full(len(classes), 5)))
    target[: 2 * len(classes)] = np.repeat(range(len(classes)), 2)
    card = task_card(kind="classification", target="dx", classes=classes, unit="", folds=folds)
    rows = [
        {"subject": f"lab/{n:03d}", "session": str(visit), "target": float(target[n])}
        for n in range(subjects)
        for visit in range(rng.integers(1, 4))
    ]
    volumes = pd.DataFrame(rows).assign(task="age", dataset="lab", modality="T1w")
    volumes["volume_id"] = volumes["subject"] + "/" + volumes["session"] + "/T1w"
    split = split_subjects(card, volumes, {}, 5, seed=draw)
    subsets = label_subsets(card, split, RATIOS, 3, 5, seed=draw)
    assert subsets.groupby(["fold", "seed"]).ngroups == 3 * folds
    for (fold, _), part in subsets.groupby(["fold", "seed"]):
        own = split[split["fold"] == fold].drop_duplicates("subject").set_index("subject")
        train = own[own["split"] == "train"]["target"]
        chosen = [list(part.loc[part["ratio"] == ratio, "subject"]) for ratio in RATIOS]
        assert all(len(set(names)) == len(names) for names in chosen)
        assert all(set(a) <= set(b) for a, b in itertools.pairwise(chosen))
        assert set(chosen[-1]) == set(train.index)  # and so none is of the test
        for ratio, names in zip(RATIOS, chosen, strict=True):
            held = train[names].value_counts().reindex(train.unique(), fill_value=0)
            assert held.min() >= 1
            expected = ratio * train.value_counts()
            assert ((held - expected).abs() <= 2).all()
