"""Which volumes a task uses, by hand-made manifests."""

import pandas as pd
import pytest

from braindino.corpus.splits import keep_split, split_hash, split_subjects
from braindino.corpus.tasks import task_volumes
from braindino.settings.cards import Published


def manifest(rows, **columns):
    """Make a manifest of (subject, session, modality) rows."""
    frame = pd.DataFrame(rows, columns=["subject", "session", "modality"]).assign(dataset="lab")
    keys = ["dataset", "subject", "session", "modality"]
    return frame.assign(volume_id=frame[keys].agg("/".join, axis=1), **columns)


def used(card, table):
    volumes, rejects = task_volumes(card, table)
    assert len(volumes) + len(rejects) == table["modality"].isin(card.modalities).sum()
    return volumes, dict(zip(rejects["volume_id"], rejects["reason"], strict=True))


def test_fused_contrasts_are_all_required(task_card):
    card = task_card(modalities=["T1c", "FLAIR"], fusion="mean", target="age")
    rows = [(s, "1", m) for s in "abc" for m in ("T1c", "FLAIR", "T2w")]
    rows = [row for row in rows if row != ("b", "1", "FLAIR")]
    volumes, rejects = used(card, manifest(rows, age=50))
    assert set(volumes["subject"]) == {"lab/a", "lab/c"}
    assert rejects == {"lab/b/1/T1c": "the visit has no FLAIR"}


def test_only_the_first_session_with_a_label(task_card):
    table = manifest([("a", "1", "T1w"), ("a", "2", "T1w"), ("b", "2", "T1w"), ("b", "3", "T1w")])
    table["age"] = [None, 51, 60, 61]
    volumes, rejects = used(task_card(sessions="first"), table)
    assert list(volumes["volume_id"]) == ["lab/a/2/T1w", "lab/b/2/T1w"]
    assert rejects["lab/b/3/T1w"] == "a later session; only the first is used"
    assert rejects["lab/a/1/T1w"] == "age is missing"


def test_survival_leaves_out_who_was_censored_within_a_year(task_card):
    card = task_card(kind="survival", target="days", event="dead", censored_after=365, unit="days")
    table = manifest([(s, "1", "T1w") for s in "abcde"])
    table["days"], table["dead"] = ["100", "365", "366", "700", "9"], [1, 0, 0, 1, None]
    volumes, rejects = used(card, table)
    assert list(volumes["subject"]) == ["lab/a", "lab/c", "lab/d"]
    assert list(volumes["target"]) == [100, 366, 700]
    assert list(volumes["event"]) == [1, 0, 1]
    assert rejects["lab/b/1/T1w"] == "censored at or before 365 days"
    assert rejects["lab/e/1/T1w"] == "dead is missing"


def test_a_threshold_makes_two_classes(task_card):
    card = task_card(
        kind="classification", target="days", threshold=365, classes=["low_risk", "high_risk"]
    )
    table = manifest([(s, "1", "T1w") for s in "abcd"], days=["366", "365", "Not Available", "1"])
    volumes, rejects = used(card, table)
    assert list(volumes["target"]) == [0, 1, 1]
    assert rejects == {"lab/c/1/T1w": "days is Not Available"}


def test_the_coin_is_fair_and_needs_no_label(task_card):
    card = task_card(kind="classification", target="coin", classes=["heads", "tails"])
    table = manifest([(f"{i:04d}", s, "T1w") for i in range(1000) for s in "12"])
    volumes, _ = used(card, table)
    per_subject = volumes.groupby("subject")["target"]
    assert per_subject.nunique().max() == 1
    assert 0.45 < per_subject.first().mean() < 0.55  # three standard errors


def test_published_counts_size_every_class(task_card):
    published = Published(train={"a": 30, "b": 10}, test={"a": 6, "b": 10}, section="x")
    card = task_card(kind="classification", target="dx", classes=["a", "b"], published=published)
    table = manifest([(f"{i:02d}", "1", "T1w") for i in range(56)], dx=["a"] * 36 + ["b"] * 20)
    split = split_subjects(card, used(card, table)[0], {}, 5, seed=0)
    counts = split.groupby(["split", "target"]).size().to_dict()
    assert counts == {("train", 0): 30, ("train", 1): 10, ("test", 0): 6, ("test", 1): 10}


def test_scans_of_one_person_under_two_ids_stay_together(task_card):
    table = manifest([(f"{i:02d}", "1", "T1w") for i in range(40)], age=range(40))
    persons = {f"lab/{i:02d}": f"lab/{i - i % 2:02d}" for i in range(40)}
    split = split_subjects(task_card(), used(task_card(), table)[0], persons, 5, seed=0)
    assert split.groupby(split["subject"].map(persons))["split"].nunique().max() == 1
    assert (split["split"] == "test").sum() == 8


def test_folds_are_drawn_anew_and_kept_by_another_task(task_card):
    classes = {"kind": "classification", "target": "dx"}
    three = task_card(name="three", classes=["a", "b", "c"], folds=5, **classes)
    two = task_card(name="two", classes=["a", "c"], folds=5, split_as="three", **classes)
    table = manifest([(f"{i:02d}", s, "T1w") for i in range(30) for s in "12"])
    table["dx"] = ["abc"[int(s) % 3] for s in table["subject"]]
    whole = split_subjects(three, used(three, table)[0], {}, 5, seed=0)
    assert list(whole.groupby("fold").size()) == [60] * 5
    assert whole.groupby(["fold", "subject"])["split"].nunique().max() == 1
    tests = whole[whole["split"] == "test"].groupby("fold")["subject"].agg(frozenset)
    assert tests.nunique() == 5
    kept, lost = keep_split(whole, used(two, table)[0])
    assert lost.empty
    assert set(kept["target"]) == {0, 1}
    both = kept.merge(whole, on=["fold", "volume_id"])
    assert len(both) == len(kept) == 200
    assert (both["split_x"] == both["split_y"]).all()


def test_a_subject_that_the_followed_split_lacks_is_rejected(task_card):
    table = manifest([(s, "1", "T1w") for s in "abcd"], age=50)
    volumes = used(task_card(), table)[0]
    split = split_subjects(task_card(), volumes[volumes["subject"] != "lab/d"], {}, 5, seed=0)
    kept, lost = keep_split(split, volumes)
    assert set(kept["subject"]) == {"lab/a", "lab/b", "lab/c"}
    assert list(lost["volume_id"]) == ["lab/d/1/T1w"]
    assert list(lost["stage"]) == ["task age"]


def test_fold_0_of_nnunet(task_card):
    """Of 10 cases nnU-Net 2.x (KFold, seed 12345) validates these two in fold 0."""
    from sklearn.model_selection import KFold

    card = task_card(kind="segmentation", target="segmentation", splitter="nnunet")
    names = [f"case_{i:02d}" for i in range(10)]
    table = manifest([(name, "1", "T1w") for name in names[::-1]], segmentation="seg.nii.gz")
    split = split_subjects(card, used(card, table)[0], {}, 5, seed=0)
    held = next(iter(KFold(5, shuffle=True, random_state=12345).split(names)))[1]
    assert set(split.loc[split["split"] == "test", "subject"]) == {f"lab/{names[i]}" for i in held}


def test_a_predefined_split_is_respected(task_card):
    table = manifest([(s, "1", "T1w") for s in "abcd"], age=50)
    table["archive_split"] = ["train", "test", "train", None]
    card = task_card(splitter="archive")
    volumes, rejects = used(card, table)
    split = split_subjects(card, volumes, {}, 5, seed=0)
    assert list(split.loc[split["split"] == "test", "subject"]) == ["lab/b"]
    assert rejects == {"lab/d/1/T1w": "the archive puts it neither in train nor in test"}


def test_split_hash_tells_who_is_where_and_nothing_else(task_card):
    table = manifest([(f"{i:02d}", s, "T1w") for i in range(20) for s in "12"], age=range(40))
    volumes = used(task_card(), table)[0]
    split, other = (split_subjects(task_card(), volumes, {}, 5, seed) for seed in (0, 1))
    assert split_hash(split) == split_hash(split.sample(frac=1, random_state=0))
    assert split_hash(split) == split_hash(split[split["session"] == "1"])
    assert split_hash(split) != split_hash(other)


@pytest.mark.parametrize("sex", ["F", "M"])
def test_other_labels_do_not_move_the_coin(task_card, sex):
    card = task_card(kind="classification", target="coin", classes=["heads", "tails"])
    table = manifest([(s, "1", "T1w") for s in "abcdefgh"], sex=sex)
    targets = used(card, table)[0]["target"].to_list()
    assert targets == used(card, table.drop(columns="sex"))[0]["target"].to_list()
