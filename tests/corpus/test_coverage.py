"""Counts that add up, and split sizes beside the paper's."""

import pandas as pd
import pytest

from braindino.corpus.coverage import composition, coverage
from braindino.corpus.persons import subject_keys
from braindino.corpus.sizes import split_sizes
from braindino.corpus.volumes import select_volumes
from braindino.settings.cards import Published

MODALITIES = ["T1w", "T2w"]


@pytest.fixture
def manifest():
    rows = [(f"{i:02d}", m) for i in range(10) for m in ("T1w", "T2w", "PDw")]
    frame = pd.DataFrame(rows, columns=["subject", "modality"])
    frame = frame.assign(dataset="lab", session="1", path="x", skull_stripped=True, site=None)
    frame["volume_id"] = "lab/" + frame["subject"] + "/1/" + frame["modality"]
    age = frame["subject"].astype(float) * 9
    vendor = ["Siemens"] * 15 + [None] * 15
    return frame.assign(
        age=age, sex="F", vendor=vendor, field_strength=1.5, slice_thickness=1.0, orientation="RAS"
    )


@pytest.fixture
def splits(manifest):
    held = manifest[manifest["modality"] == "T1w"].assign(task="age", fold=0, target=1.0)
    return held.assign(subject=subject_keys(held), split=["test"] * 2 + ["train"] * 8, session="1")


def select(card, manifest, splits, persons=None):
    return select_volumes(card, manifest, persons or {}, splits, ["age"], MODALITIES, 4)


def test_found_is_used_and_unused_and_rejected(dataset_card, manifest, splits):
    volumes = select(dataset_card(), manifest, splits)
    rejects = pd.DataFrame({"volume_id": ["lab/99/1/T1w"], "stage": "manifest", "reason": "bad"})
    expected = {"lab": {"subjects": 12, "volumes": None}}
    row = coverage(manifest, rejects, volumes, expected, slices=128).iloc[0]
    assert row["found"] == 31 == row["used"] + row["unused"] + row["rejected"]
    assert row["pretraining"] == 16  # two contrasts of the eight that no task tests
    assert row["slices"] == 16 * 128
    assert row["evaluation"] == 10
    assert (row["subjects"], row["expected_subjects"]) == (10, 12)


def test_a_test_person_is_excluded_under_any_id(dataset_card, manifest, splits):
    persons = {"lab/00": "lab/00", "lab/09": "lab/00"}
    volumes = select(dataset_card(), manifest, splits, persons)
    assert volumes["pretraining"].sum() == 14
    assert not volumes.loc[volumes["subject"] == "09", "pretraining"].any()


def test_volumes_to_compare_are_the_first_in_order_of_subject(dataset_card, manifest, splits):
    shuffled = manifest.sample(frac=1, random_state=0)
    arguments = {}, splits, [], MODALITIES, 4, ["T2w", "PDw"], 5
    volumes = select_volumes(dataset_card(roles=["evaluation"]), shuffled, *arguments)
    compared = sorted(volumes.loc[volumes["probed"], "volume_id"])
    ids = [f"lab/{subject}/1/{name}" for subject in ("00", "01", "02") for name in ("PDw", "T2w")]
    assert compared == [name for name in ids if name != "lab/02/1/PDw"]
    assert len(volumes) == 10 + 5  # with the T1w of the task


def test_a_limit_of_pretraining_subjects(dataset_card, manifest, splits):
    volumes = select(dataset_card(pretraining_subjects=3), manifest, splits)
    assert volumes.loc[volumes["pretraining"], "subject"].nunique() == 3
    assert volumes["pretraining"].sum() == 6
    more = select(dataset_card(pretraining_subjects=5), manifest, splits)
    assert set(volumes["volume_id"][volumes["pretraining"]]) < set(
        more["volume_id"][more["pretraining"]]
    )


def test_features_are_only_wanted_for_probed_tasks(dataset_card, manifest, splits):
    volumes = select(dataset_card(roles=["evaluation"]), manifest, splits.assign(task="seg"))
    assert volumes["evaluation"].sum() == 10
    assert not volumes["probed"].any()


def test_composition_counts_every_volume_of_every_attribute(dataset_card, manifest, splits):
    volumes = select(dataset_card(), manifest, splits)
    table = composition(manifest, volumes)
    sums = table.groupby(["part", "attribute"])["volumes"].sum()
    assert (sums["pretraining"] == 16).all()
    assert (sums["evaluation"] == 10).all()
    assert len(sums) == 14
    found = table[table["part"] == "evaluation"].set_index(["attribute", "value"])["volumes"]
    assert found["vendor", "not stated"] == 5
    assert found["field_strength", "1.5 T"] == 10
    assert found["slice_thickness", "0–1 mm"] == 10
    assert found["age", "0–10"] == 2  # 0 and 9 years


def test_split_sizes_beside_the_papers(task_card, splits):
    published = Published(train={"a": 5, "b": 7}, test={"a": 1, "b": 1}, section="2.2")
    card = task_card(kind="classification", target="dx", classes=["a", "b"], published=published)
    table = split_sizes(splits, {"age": card}).set_index(["part", "class"])
    assert table.loc[("train", "all"), ["subjects", "published"]].to_list() == [8, 12]
    assert table.loc[("train", "b"), ["subjects", "published"]].to_list() == [8, 7]
    assert table.loc[("test", "a"), ["subjects", "published"]].to_list() == [0, 1]
    assert len(set(table["hash"])) == 1


def test_no_cohort_leaves_a_table_with_columns(manifest, dataset_card, splits):
    volumes = select(dataset_card(), manifest, splits)
    some = coverage(manifest, manifest[:0], volumes, {"lab": None}, 128)
    none = coverage(manifest[:0], manifest[:0], volumes[:0], {}, 128)
    assert none.empty
    assert list(none.columns) == list(some.columns)
