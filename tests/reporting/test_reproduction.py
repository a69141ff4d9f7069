from itertools import product

import numpy as np
import pandas as pd
import pytest

from braindino.reporting.claims import judge_claims
from braindino.reporting.published_numbers import DELTAS, Z
from braindino.reporting.reproduction import METRICS, reproduction
from braindino.reporting.results import (
    BASELINES,
    PENDING,
    REFERENCE,
    Results,
    named_encoders,
    same_cohorts,
    united,
)

UNSTATED = (np.nan,) * 3
RATIOS = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]
KEYS = ["task", "encoder", "metric", "ratio", "stratum"]
NOBODY = pd.DataFrame(columns=["kind", "name", "status", "reason"])
REASONS = pd.DataFrame(
    [("task", "dps", "absent", "needs ATLAS"), ("encoder", "brainiac", "absent", "no weights")],
    columns=NOBODY.columns,
)
P = {"<": lambda p: p / 2, "=": lambda p: p, ">=": lambda p: 0.5}


@pytest.fixture(scope="module")
def claims(root_config):
    return pd.read_csv(root_config / "paper" / "claims.csv")


@pytest.fixture(scope="module")
def as_run(published):
    """The published numbers as if this run had found them: metrics and comparisons."""
    values, tests = {}, {}
    for row in published.to_dict("records"):
        own = row["task"], METRICS.get(row["metric"], row["metric"])
        for encoder, ratio, stratum in product(
            named_encoders(row["encoder"]), _ratios(row), _strata(row)
        ):
            _add(row, (own[0], encoder, own[1], ratio, stratum), values, tests)
    for task, _, *rest in tests:
        values.setdefault((task, REFERENCE, *rest), UNSTATED)
    _add_words(values)
    columns = ["value", "ci_low", "ci_high"], ["p", "difference"]
    metrics, comparisons = (
        pd.DataFrame([(*key, *row) for key, row in found.items()], columns=[*KEYS, *names])
        for found, names in zip((values, tests), columns, strict=True)
    )
    return metrics, comparisons.assign(reference=REFERENCE, p_holm=comparisons["p"])


def _add_words(values):
    """Add what the paper states in words alone, or as a difference."""
    for region in ("wt", "tc", "et"):
        frozen = ("seg_brats2021", REFERENCE, f"dice_{region}", 0.1, "all")
        values[(frozen[0], f"{REFERENCE}_full_ft", *frozen[2:])] = values[frozen]
    for encoder, stratum in product(BASELINES, ("55-64", "65-74", "75-84")):
        values["cls_adni_3class", encoder, "macro_auc", 1.0, stratum] = (0.6, np.nan, np.nan)
    for cohort, encoder, layer in product(
        ("cka_ixi", "cka_brats"), BASELINES[1:], ("early", "mid", "late")
    ):
        values[cohort, encoder, "cka", 1.0, layer] = (0.3, np.nan, np.nan)


def _ratios(row):
    if not np.isnan(row["ratio"]):
        return [row["ratio"]]
    if row["task"].startswith(("knn", "cka", "params")):
        return [1.0]
    note = str(row["note"])
    return (
        [0.2] if note.startswith("range_min") else [0.1] if note.startswith("range_max") else RATIOS
    )


def _strata(row):
    if isinstance(row["stratum"], str):
        return [row["stratum"]]
    return [f"k:{k}" for k in (1, 3, 5, 10, 20, 50)] if row["task"].startswith("knn") else ["all"]


def _add(row, key, values, tests):
    several = "|" in row["encoder"]
    end = (
        row["encoder"].split("|")[0 if str(row["note"]).startswith("range_min") else 1]
        if several
        else key[1]
    )
    if not np.isnan(row["value"]) and row["metric"] not in DELTAS and key[1] == end:
        values.setdefault(key, (row["value"], row["ci_low"], row["ci_high"]))
    if isinstance(row["p_op"], str):
        p = P[row["p_op"]](row["p_value"])
        worse = 1.0 if row["metric"].startswith("mae") else -1.0
        tests[key] = (min(p, tests.get(key, (1,))[0]), worse)
        if row["metric"] == "logrank_p":
            values[key] = (p, np.nan, np.nan)


@pytest.fixture(scope="module")
def judge(published, as_run, cards, claims):
    """Return verdicts on rows and claims by changed metrics and comparisons."""

    def build(metrics=as_run[0], comparisons=as_run[1], demo=False, reasons=NOBODY, tasks=cards):
        results = Results(metrics, comparisons, tasks, reasons, 0.05)
        return reproduction(published, results, demo), judge_claims(claims, results, demo)

    return build


@pytest.fixture(scope="module")
def unchanged(judge):
    return judge()


def test_the_published_numbers_reproduce_themselves_everywhere(unchanged, published):
    rows, claimed = unchanged
    assert list(rows)[: len(published.columns)] == list(published.columns)
    odd = rows.loc[
        rows["verdict"] != "reproduced", ["task", "encoder", "metric", "ratio", "verdict"]
    ]
    assert odd.empty, odd.to_string()
    odd = claimed.loc[claimed["verdict"] != "reproduced", ["claim", "held", "checked", "verdict"]]
    assert odd.empty, odd.to_string()


def test_perturbing_a_number_flips_its_row_and_its_claims_alone(
    judge, as_run, unchanged, published
):
    metrics, _ = as_run
    single = published[published["value"].notna() & published["ratio"].notna()]
    single = single[
        ~single["metric"].isin(DELTAS) & ~single["encoder"].str.contains("|", regex=False)
    ]
    for row in single.iloc[::12].itertuples():
        where = (metrics[["task", "encoder"]] == [row.task, row.encoder]).all(axis=1)
        where &= metrics["metric"] == METRICS.get(row.metric, row.metric)
        where &= (metrics["ratio"] == row.ratio) & (
            metrics["stratum"] == (row.stratum if isinstance(row.stratum, str) else "all")
        )
        assert where.sum() == 1
        lower = row.metric.startswith("mae")
        worse = row.value * (2.5 if lower else 0.2)
        changed = metrics.assign(value=metrics["value"].mask(where, worse))
        rows, claimed = judge(changed)
        flipped = rows.index[rows["verdict"] != unchanged[0]["verdict"]]
        assert row.Index in flipped
        others = rows.loc[flipped.drop(row.Index)]
        derived = others["metric"].isin(DELTAS) | others["ratio"].isna()  # differences and ranges
        assert derived.all(), others.to_string()
        assert set(others["task"]) <= {row.task}
        moved = claimed[claimed["verdict"] != unchanged[1]["verdict"]]
        assert all(row.task in task.split("|") for task in moved["task"])


def test_a_claim_flips_with_its_number(judge, as_run, unchanged):
    metrics, _ = as_run
    where = (
        (metrics["task"] == "age") & (metrics["ratio"] == 0.2) & (metrics["encoder"] == REFERENCE)
    )
    _, claimed = judge(metrics.assign(value=metrics["value"].mask(where, 10.0)))  # BM-MAE has 9.12
    moved = claimed[claimed["verdict"] != unchanged[1]["verdict"]]
    assert list(moved["claim"]) == ["Brain age: 20 % of the labels beat every baseline at 100 %"]
    assert (moved["held"].item(), moved["checked"].item()) == (1, 2)  # BrainIAC's 19.40 is above
    assert moved["verdict"].item() == "partly reproduced"


def test_a_claim_flips_with_its_test(judge, as_run, unchanged):
    _, comparisons = as_run
    where = (comparisons["task"] == "idh") & (comparisons["encoder"] == "brainmvp")
    where &= comparisons["ratio"] == 0.4
    rows, claimed = judge(comparisons=comparisons.assign(p=comparisons["p"].mask(where, 0.01)))
    flipped = rows[rows["verdict"] != unchanged[0]["verdict"]]
    assert flipped[["task", "encoder", "ratio", "verdict"]].values.tolist() == [
        ["idh", "brainmvp", 0.4, "not reproduced"]
    ]
    assert flipped["claim_holds"].item() is False
    moved = claimed[claimed["verdict"] != unchanged[1]["verdict"]]
    assert list(moved["claim"]) == ["IDH: no difference from BrainMVP at 40 %, 60 % and 100 %"]


def test_significant_the_wrong_way_round_is_no_reproduction(judge, as_run):
    _, comparisons = as_run
    where = (comparisons["task"] == "idh") & (comparisons["ratio"] == 1.0)
    rows, _ = judge(
        comparisons=comparisons.assign(difference=comparisons["difference"].mask(where, 0.1))
    )
    changed = rows[(rows["task"] == "idh") & (rows["ratio"] == 1.0) & (rows["p_op"] == "<")]
    assert set(changed["verdict"]) == {"partly reproduced"}  # the number is right, its claim is not


@pytest.mark.parametrize(
    ("task", "encoder", "ratio", "value", "verdict"),
    [
        ("idh", "braindino", 1.0, 0.841, "reproduced"),  # published: 0.901 [0.840, 0.949]
        ("idh", "braindino", 1.0, 0.839, "not reproduced"),
        ("age", "braindino", 1.0, 5.54 + Z * 0.75 - 0.01, "reproduced"),  # ± 0.75
        ("age", "braindino", 1.0, 5.54 + Z * 0.75 + 0.01, "not reproduced"),
    ],
)
def test_a_number_is_judged_by_the_published_interval_then_its_sd(
    judge, as_run, task, encoder, ratio, value, verdict
):
    metrics, _ = as_run
    where = (metrics["task"] == task) & (metrics["encoder"] == encoder)
    where &= (metrics["ratio"] == ratio) & (metrics["stratum"] == "all")
    rows, _ = judge(metrics.assign(value=metrics["value"].mask(where, value)))
    own = rows[(rows["task"] == task) & (rows["encoder"] == encoder) & (rows["ratio"] == ratio)]
    own = own[own["stratum"].isna()]
    assert own["verdict"].item() == verdict
    assert own["reproduced"].item() == value


def test_without_a_published_interval_ours_decides(judge, as_run):
    metrics, _ = as_run
    where = (
        (metrics["task"] == "cls_ppmi") & (metrics["encoder"] == "dinov3") & (metrics["ratio"] == 1)
    )
    for low, verdict in ((0.55, "reproduced"), (0.60, "not reproduced")):  # published: 0.596
        changed = metrics.assign(
            ci_low=metrics["ci_low"].mask(where, low), ci_high=metrics["ci_high"].mask(where, 0.7)
        )
        rows, _ = judge(changed)
        own = rows[
            (rows["task"] == "cls_ppmi") & (rows["encoder"] == "dinov3") & (rows["ratio"] == 1)
        ]
        assert own["verdict"].item() == verdict


def test_rows_that_cannot_be_compared_say_why(judge, as_run):
    metrics, comparisons = as_run
    gone_tests = comparisons["task"].isin(["dps", "cls_oasis"])
    gone_tests |= comparisons["encoder"] == "brainiac"
    gone = (metrics["task"] == "dps") | (metrics["encoder"] == "brainiac")
    gone |= (metrics["task"] == "cls_oasis") | (
        (metrics["task"] == "idh") & (metrics["ratio"] == 1)
    )
    none = (comparisons["task"] == "idh") & (comparisons["ratio"] == 1)
    rows, claimed = judge(metrics[~gone], comparisons[~none & ~gone_tests], reasons=REASONS)
    assert_verdict(rows, {"task": "dps"}, "not run: task dps: needs ATLAS")
    assert_verdict(rows, {"task": "cls_oasis"}, "not run: task cls_oasis: not part of this run")
    where = {"task": "age", "encoder": "brainiac"}
    assert_verdict(rows, where, "not run: encoder brainiac: no weights")
    where = {"task": "idh", "encoder": "dinov3", "ratio": 1.0}
    assert_verdict(rows, where, "not compared: this run has no macro_auc at ratio 1")
    assert_verdict(claimed, {"task": "cls_oasis"}, "not run: task cls_oasis: not part of this run")


def test_a_pending_task_is_not_evaluated_yet(judge, as_run, cards):
    pending = cards["cls_abide"].model_copy(update={"evaluation": "pending"})
    found = [frame[frame["task"] != "cls_abide"] for frame in as_run]
    rows, _ = judge(*found, tasks=cards | {"cls_abide": pending})
    assert_verdict(rows, {"task": "cls_abide"}, f"not run: task cls_abide: {PENDING}")


def test_a_demo_is_never_compared(judge):
    rows, claimed = judge(demo=True)
    for table in (rows, claimed):
        assert set(table["verdict"]) == {"demo"}
    assert rows[["reproduced", "difference", "within_ci", "claim_holds"]].isna().all(axis=None)


def test_other_cohorts_under_the_same_task_are_not_compared(judge, cards):
    other = cards | {"age": cards["age"].model_copy(update={"datasets": ["ds000011"]})}
    rows, _ = judge(tasks=other)
    verdicts = rows.loc[(rows["task"] == "age") & (rows["encoder"] == "braindino"), "verdict"]
    assert set(verdicts) == {"not run: task age used ds000011, not the paper's cohorts"}


def test_cohorts_are_matched_by_their_last_part():
    assert same_cohorts(
        "brats2023_men+ped+ssa", ["BraTS2023-MEN", "BraTS2023-SSA", "BraTS2023-PED"]
    )
    assert not same_cohorts("ixi+long579+pixar", ["IXI", "Pixar"])


def test_rooms_are_united_under_the_paper_s_names(metrics, comparisons):
    robustness = metrics[(metrics["metric"] == "mae_years") & (metrics["ratio"] == 1)]
    robustness = pd.concat(
        [robustness.assign(perturbation="contrast", severity=s) for s in (1.0, 2.0)]
    )
    cka = pd.DataFrame(
        [("IXI", "braindino", "dinov3", "late", 0.95, 0.9, 1.0)],
        columns=["cohort", "reference", "encoder", "layer", "cka", "ci_low", "ci_high"],
    )
    nothing = pd.DataFrame()
    joined, tests = united(metrics, comparisons, robustness, nothing, cka)
    perturbed = joined[joined["task"] == "perturb_age"]
    assert set(perturbed["stratum"]) == {"clean", "contrast:1.0", "contrast:2.0"}
    assert joined[joined["task"] == "cka_ixi"][["metric", "stratum", "value"]].values.tolist() == [
        ["cka", "late", 0.95]
    ]
    assert len(tests) == len(comparisons)


def test_claims_name_what_exists(claims, published, cards):
    assert not claims.duplicated("claim").any()
    assert set(claims["section"].astype(str)) <= set(published["section"].astype(str))
    tasks = {task for text in claims["task"] for task in text.split("|")}
    assert tasks <= set(published["task"])
    encoders = {e for text in claims["encoder"] for e in named_encoders(text)}
    assert encoders <= {REFERENCE, f"{REFERENCE}_full_ft", *BASELINES}


def assert_verdict(table, where, verdict):
    rows = np.logical_and.reduce([table[key] == value for key, value in where.items()])
    assert set(table.loc[rows, "verdict"]) == {verdict}
