import itertools

import numpy as np
import pandas as pd
import pytest

from braindino.corpus.splits import split_subjects
from braindino.corpus.strata import stratified_order
from braindino.corpus.subsets import label_subsets
from braindino.corpus.tasks import task_volumes
from braindino.errors import BadInput

RATIOS = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.fixture
def task_card(task_card):
    return lambda **changes: task_card(datasets=["young", "old"], **changes)


@pytest.fixture
def manifest():
    """Two cohorts whose subjects share names; half the subjects have two sessions."""
    rows = [
        (cohort, f"{n:02d}", str(session), "T1w", 5.0 + n + 30 * (cohort == "old"), "FM"[n % 2])
        for cohort in ("young", "old")
        for n in range(40)
        for session in range(1 + n % 2)
    ]
    columns = ["dataset", "subject", "session", "modality", "age", "sex"]
    frame = pd.DataFrame(rows, columns=columns)
    frame["volume_id"] = frame[columns[:4]].agg("/".join, axis=1)
    return frame


def test_no_subject_is_in_both_parts_and_none_is_lost(task_card, manifest):
    volumes, rejects = task_volumes(task_card(), manifest)
    split = split_subjects(task_card(), volumes, {}, 5, seed=0)
    sides = split.groupby("subject")["split"].nunique()
    assert (sides == 1).all()
    assert len(split) == len(manifest)
    assert rejects.empty
    test = split.loc[split["split"] == "test", "subject"]
    assert test.nunique() == round(0.2 * 80)
    # Stratified by cohort: a fifth of each, give or take one a bin.
    assert abs(test.drop_duplicates().str.startswith("old/").sum() - 8) <= 2


def test_label_subsets_are_nested_and_sized(task_card, manifest):
    card = task_card()
    split = split_subjects(card, task_volumes(card, manifest)[0], {}, 5, seed=0)
    subsets = label_subsets(card, split, RATIOS, 5, 5, seed=0)
    train = set(split.loc[split["split"] == "train", "subject"])
    for _, draw in subsets.groupby("seed"):
        chosen = [set(draw.loc[draw["ratio"] == r, "subject"]) for r in RATIOS]
        assert all(small < large for small, large in itertools.pairwise(chosen))
        assert [len(c) for c in chosen] == [round(r * len(train)) for r in RATIOS]
        assert chosen[-1] == train
    tenths = [set(d["subject"]) for _, d in subsets[subsets["ratio"] == 0.1].groupby("seed")]
    assert len(set(map(frozenset, tenths))) == 5


def test_no_subset_lacks_a_class(task_card, manifest):
    rare = manifest.assign(sex=np.where(manifest["subject"] == "00", "M", "F"))
    card = task_card(name="sex", kind="classification", target="sex", classes=["F", "M"])
    split = split_subjects(card, task_volumes(card, rare)[0], {}, 5, seed=0)
    targets = split.drop_duplicates("subject").set_index("subject")["target"]
    subsets = label_subsets(card, split, [0.05, 1.0], 5, 5, seed=0)
    for _, draw in subsets.groupby(["ratio", "seed"]):
        assert targets[draw["subject"]].nunique() == 2


def test_the_same_seed_gives_the_same_split_whatever_the_order(task_card, manifest):
    card = task_card()
    shuffled = manifest.sample(frac=1, random_state=1)
    one, two, other = (
        split_subjects(card, task_volumes(card, m)[0], {}, 5, seed=s)
        for m, s in ((manifest, 0), (shuffled, 0), (manifest, 1))
    )
    pd.testing.assert_frame_equal(one, two)
    assert not one["split"].equals(other["split"])


def test_missing_targets_are_rejected_and_counted(task_card, manifest):
    manifest.loc[manifest["subject"] == "03", "age"] = None
    volumes, rejects = task_volumes(task_card(), manifest)
    assert len(volumes) + len(rejects) == len(manifest)
    assert set(rejects["reason"]) == {"age is missing"}


def test_unknown_class_is_rejected_with_its_value(task_card, manifest):
    manifest.loc[0, "sex"] = "X"
    card = task_card(name="sex", kind="classification", target="sex", classes=["F", "M"])
    _, rejects = task_volumes(card, manifest)
    assert list(rejects["reason"]) == ["sex is X"]


def test_target_that_no_manifest_has(task_card, manifest):
    with pytest.raises(BadInput, match="target 'iq' is in no manifest of young, old"):
        task_volumes(task_card(target="iq"), manifest)


def test_every_prefix_of_the_order_is_stratified():
    strata = pd.Series({f"s{i:03d}": f"{i % 4} x" for i in range(200)})
    order = stratified_order(strata, np.random.default_rng(0))
    for size in (20, 60, 100):
        counts = strata[order[:size]].value_counts()
        assert (counts - size / 4).abs().max() <= 2


def test_a_share_of_its_own_outweighs_the_cards_sizes(task_card, manifest):
    counts = {"train": {"F": 9, "M": 9}, "test": {"F": 1, "M": 1}}
    sized = {"published": counts | {"section": "§0"}, "test_fraction": 0.1}
    card = task_card(kind="classification", target="sex", classes=["F", "M"], **sized)
    volumes, _ = task_volumes(card, manifest)

    def held_out(**share):
        split = split_subjects(card, volumes, {}, 5, seed=0, **share)
        return split[split["split"] == "test"].drop_duplicates("subject")["target"].value_counts()

    assert sorted(held_out()) == [4, 4]
    assert sorted(held_out(share=0.5)) == [20, 20]
