import numpy as np
import pandas as pd
import pytest

from braindino.reporting.reproduction import PENDING, reproduction, same_cohorts
from braindino.settings.cards import TaskCard

TASKS = {"age": ["IXI", "LONG579", "Pixar"], "cls_abide": ["ABIDE"], "idh": ["UCSF-PDGM"]}
REASONS = pd.DataFrame(
    [("task", "dps", "absent", "needs ATLAS"), ("encoder", "brainiac", "absent", "no weights")],
    columns=["kind", "name", "status", "reason"],
)


@pytest.fixture
def cards(real_run):
    card = real_run.tasks["age"]
    return {
        name: TaskCard(**card.model_dump() | {"name": name, "datasets": datasets})
        for name, datasets in TASKS.items()
    }


@pytest.fixture
def ours(published):
    """The published numbers and claims themselves, as if this run had found them."""
    rows = published[published["task"].isin(TASKS) & published["ratio"].notna()]
    rows = rows[(rows["encoder"] != "brainiac") & (rows["metric"] != "mae_reduction_years")]
    metrics = rows.assign(
        stratum=rows["stratum"].fillna("all"), metric=rows["metric"].replace("auc", "macro_auc")
    )
    comparisons = metrics[metrics["p_op"].notna()].assign(reference="braindino")
    comparisons["p"] = np.where(comparisons["p_op"] == "<", 1e-5, 0.9)
    return metrics, comparisons


def judge(published, ours, cards, demo=False):
    return reproduction(published, *ours, cards, REASONS, demo=demo, alpha=0.05)


def test_the_published_numbers_reproduce_themselves(published, ours, cards):
    table = judge(published, ours, cards)
    assert list(table)[: len(published.columns)] == list(published.columns)
    compared = table[table["verdict"].isin(["reproduced", "not reproduced"])]
    assert set(compared["verdict"]) == {"reproduced"}
    assert len(compared[compared["task"] == "age"]) == 7  # six with SD, one claim
    assert (table["difference"].dropna() == 0).all()
    assert set(table["claim_holds"].dropna()) == {True}


def test_one_perturbed_number_flips_its_row_alone(published, ours, cards):
    metrics, comparisons = ours
    row = (metrics["task"] == "age") & (metrics["encoder"] == "dinov3") & (metrics["ratio"] == 0.1)
    changed = metrics.assign(value=metrics["value"].where(~row, 13.58 + 1.96 * 1.02 + 0.01))
    before, after = judge(published, ours, cards), judge(published, (changed, comparisons), cards)
    flipped = before["verdict"] != after["verdict"]
    assert list(after.loc[flipped, "verdict"]) == ["not reproduced"]
    assert after.loc[flipped, ["task", "encoder", "ratio"]].values.tolist() == [
        ["age", "dinov3", 0.1]
    ]
    assert after.loc[flipped, "difference"].item() == pytest.approx(1.96 * 1.02 + 0.01)


def test_a_published_interval_goes_before_its_sd(published, ours, cards):
    metrics, comparisons = ours
    row = (metrics["task"] == "idh") & (metrics["encoder"] == "braindino")
    for value, verdict in ((0.841, "reproduced"), (0.839, "not reproduced")):
        changed = metrics.assign(value=metrics["value"].where(~row, value))
        table = judge(published, (changed, comparisons), cards)
        full = table[(table["task"] == "idh") & (table["ratio"] == 1) & table["ci_low"].notna()]
        assert full["verdict"].item() == verdict  # published: 0.901 [0.840, 0.949]


def test_a_claim_without_a_value_is_judged_by_its_test(published, ours, cards):
    metrics, comparisons = ours
    where = {"task": "idh", "encoder": "brainmvp", "ratio": 0.4}
    claim = np.logical_and.reduce([published[key] == value for key, value in where.items()])
    row = np.logical_and.reduce([comparisons[key] == value for key, value in where.items()])
    assert judge(published, ours, cards).loc[claim, "verdict"].item() == "reproduced"
    changed = comparisons.assign(p=comparisons["p"].where(~row, 0.01))
    after = judge(published, (metrics, changed), cards)
    assert after.loc[claim, "verdict"].item() == "not reproduced"
    assert after.loc[claim, "claim_holds"].item() is False


def test_rows_that_cannot_be_compared_say_why(published, ours, cards):
    table = judge(published, ours, cards)
    assert_verdict(table, {"task": "dps"}, "not run: task dps: needs ATLAS")
    assert_verdict(table, {"task": "cls_oasis"}, "not run: task cls_oasis: not part of this run")
    where = {"task": "age", "encoder": "brainiac"}
    assert_verdict(table, where, "not run: encoder brainiac: no weights")
    where = {"task": "idh", "encoder": "dinov3", "ratio": 1.0}
    assert_verdict(table, where, "not compared: no interval published")


def test_a_pending_task_is_not_evaluated_yet(published, ours, cards):
    pending = cards["cls_abide"].model_copy(update={"evaluation": "pending"})
    metrics = ours[0][ours[0]["task"] != "cls_abide"]
    present = pd.DataFrame(
        [("task", "cls_abide", "present", "ABIDE")], columns=["kind", "name", "status", "reason"]
    )
    for reasons in (present, present.assign(status="absent")):
        table = reproduction(
            published, metrics, ours[1], cards | {"cls_abide": pending}, reasons, False, 0.05
        )
        verdict = f"not run: task cls_abide: {PENDING}"
        assert_verdict(table, {"task": "cls_abide"}, verdict)


def test_every_row_gets_a_verdict(published, ours, cards, real_run, metrics, comparisons):
    assert judge(published, ours, cards)["verdict"].notna().all()
    table = judge(published, (metrics, comparisons), real_run.tasks)
    assert len(table) == len(published) and table["verdict"].notna().all()
    all_ratios = table[(table["task"] == "sequence") & table["ratio"].isna()]
    assert set(all_ratios["verdict"]) == {"not compared: applies to all ratios"}


def test_a_demo_is_never_compared(published, ours, cards):
    table = judge(published, ours, cards, demo=True)
    assert not table["verdict"].str.contains("reproduced").any()
    assert "demo" in set(table["verdict"])
    assert table[["reproduced", "difference", "within_ci", "claim_holds"]].isna().all(axis=None)


def test_other_cohorts_under_the_same_task_are_not_compared(published, ours, cards):
    other = cards | {"age": cards["age"].model_copy(update={"datasets": ["ds000011"]})}
    table = judge(published, ours, other)
    verdicts = table.loc[(table["task"] == "age") & (table["encoder"] == "braindino"), "verdict"]
    assert set(verdicts) == {"not run: task age used ds000011, not the paper's cohorts"}


def test_cohorts_are_matched_by_their_last_part():
    assert same_cohorts(
        "brats2023_men+ped+ssa", ["BraTS2023-MEN", "BraTS2023-SSA", "BraTS2023-PED"]
    )
    assert not same_cohorts("ixi+long579+pixar", ["IXI", "Pixar"])


def assert_verdict(table, where, verdict):
    rows = np.logical_and.reduce([table[key] == value for key, value in where.items()])
    assert set(table.loc[rows, "verdict"]) == {verdict}
