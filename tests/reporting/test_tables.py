from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from braindino.files import write_table
from braindino.reporting.catalogue import catalogue, shown_rows, table_title
from braindino.reporting.conditions import as_strata, is_clean
from braindino.reporting.formats import tex_escape, to_latex, to_markdown
from braindino.reporting.grids import grid
from braindino.reporting.labels import labels, measure, stars
from braindino.reporting.tables import table_rows, training_subjects


@pytest.fixture(scope="module")
def table(demo_run, demo_labels, metrics, comparisons, subsets):
    def build(task, names=demo_labels, metrics=metrics, comparisons=comparisons):
        (shown,) = [
            t
            for t in catalogue(demo_run.tasks).values()
            if t.tasks == [task] and t.kind == "labels"
        ]
        rows = table_rows(shown, demo_run.tasks, metrics, comparisons, subsets, names)
        return rows, grid(rows, shown, demo_run.tasks, names)

    return build


def test_s9_holds_the_paper_s_layout(table):
    _, printed = table("age")
    assert printed.header == ["Labels", "n train", "n test", "BrainDINO", "DINOv3 (random weights)"]
    assert [row[:2] for row in printed.rows] == [
        ["10 %", "12"], ["20 %", "24"], ["40 %", "48"],
        ["60 %", "72"], ["80 %", "96"], ["100 %", "120"],
    ]  # fmt: skip
    ours, rival = printed.rows[-1][3:]
    assert (ours.text, ours.best, ours.mark) == ("6.00 ± 0.40", True, "")
    assert (rival.text, rival.best, rival.mark) == ("7.20 ± 0.40", False, "***")


def test_s12_shows_auc_then_accuracy_with_intervals(table):
    _, printed = table("sequence")
    assert [row[0] for row in printed.rows] == ["Macro-AUC"] * 6 + ["Accuracy"] * 6
    assert printed.rows[5][4].text == "0.990 [0.971, 1.009]"


def test_equal_in_print_is_equally_good(table, metrics):
    near = metrics.copy()
    near.loc[near["metric"] == "mae_years", "value"] = 5.0
    near.loc[(near["metric"] == "mae_years") & (near["encoder"] == "dinov3"), "value"] = 5.004
    rows, _ = table("age", metrics=near)
    assert rows["best"].all()


def test_an_undefined_result_is_a_dash_and_not_the_best(table, metrics):
    undefined = metrics.copy()
    of_rival = (undefined["task"] == "age") & (undefined["encoder"] == "dinov3")
    undefined.loc[of_rival, ["value", "sd"]] = np.nan
    rows, _ = table("age", metrics=undefined)
    assert set(rows.loc[rows["encoder"] == "dinov3", "text"]) == {"– ± –"}
    assert list(rows["best"]) == list(rows["encoder"] == "braindino")


def test_an_encoder_alone_has_neither_stars_nor_bold(table, metrics, comparisons):
    alone = metrics[metrics["encoder"] == "braindino"]
    nothing = pd.DataFrame(columns=comparisons.columns)
    rows, printed = table("age", metrics=alone, comparisons=nothing)
    assert set(rows["mark"]) == {""} and "***" not in printed.caption
    assert not rows["best"].any() and "Bold" not in printed.caption  # the best of one


def test_a_demo_says_so_everywhere(table):
    rows, printed = table("age")
    note = "demo: phantoms, not patients"
    assert note in printed.heading and note in printed.caption.lower()
    assert set(rows["note"]) == {note}
    assert note in to_markdown(printed) and note in to_latex(printed, "s9")


def test_a_real_run_says_nothing_of_a_demo(table, real_run, availability):
    trained = availability.replace({"untrained": "present"})
    rows, printed = table("age", names=labels(real_run, trained))
    text = to_markdown(printed) + to_latex(printed, "s9") + rows.to_csv()
    assert "demo" not in text.lower() and "random" not in text


def test_an_encoder_that_saw_the_task_s_cohorts_is_marked(table, demo_labels):
    seen = replace(demo_labels, pretrained_on={"dinov3": ["IXI", "Pixar", "UCSF-PDGM"]})
    rows, printed = table("age", names=seen)
    assert printed.header[3:] == ["BrainDINO", "DINOv3 (random weights) ‡"]
    assert (
        "‡ pretrained by its authors on a cohort of this task: DINOv3 (random weights) on IXI, "
        "Pixar." in printed.caption
    )
    assert dict(zip(rows["encoder"], rows["pretrained_on_cohorts"], strict=True)) == {
        "braindino": "", "dinov3": "IXI, Pixar",
    }  # fmt: skip
    assert r"DINOv3 (random weights) $\ddagger$ \\" in to_latex(printed, "s9")
    unseen, other = table("sequence", names=seen)
    assert "‡" not in to_markdown(other) and set(unseen["pretrained_on_cohorts"]) == {""}


def test_this_run_s_own_encoder_is_never_marked(demo_run, availability):
    cards = {
        name: card.model_copy(update={"pretrained_on": ["IXI"]})
        for name, card in demo_run.encoders.items()
    }
    named = labels(demo_run._replace(encoders=cards), availability)
    assert named.pretrained_on == {"dinov3": ["IXI"]}


def test_markdown_has_one_cell_a_column(table):
    lines = to_markdown(table("sequence")[1]).splitlines()
    body = [line for line in lines if line.startswith("|")]
    assert len(body) == 2 + 12
    assert {line.count("|") for line in body} == {7}
    assert r"**0.860 [0.841, 0.879]**" in body[2] and r"\*\*\*" in body[2]


def test_latex_is_booktabs_with_equal_columns(table):
    text = to_latex(table("age")[1], "s9")
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [line.count("&") for line in body] == [4] * 6
    assert r"10 \% & 12 & 60 & \textbf{11.47 $\pm$ 0.40} & 12.67 $\pm$ 0.40$^{***}$ \\" in body
    assert text.count("{") == text.count("}")


def test_tex_escape():
    assert tex_escape("50 % of a_b & {c}") == r"50 \% of a\_b \& \{c\}"


def test_stars_follow_the_paper_s_tiers():
    assert [stars(p) for p in (0.05, 0.049, 0.01, 0.0099, 0.0009)] == ["", "*", "*", "**", "***"]
    assert stars(np.nan) == ""


def test_measure_reads_units():
    assert measure("mae_years").label == "MAE (years)" and measure("mae_years").lower_is_better
    assert measure("macro_auc").number(0.98765) == "0.988"


def test_training_subjects_are_counted_per_seed():
    rows = [("age", 0.5, seed, name) for seed in (0, 1) for name in ("a", "b", "c", f"d{seed}")]
    subsets = pd.DataFrame(rows, columns=["task", "ratio", "seed", "subject"])
    assert training_subjects(subsets, "age") == {0.5: 4}


def test_bytes_are_equal_on_rerun(table, tmp_path):
    for name in ("a", "b"):
        rows, printed = table("sequence")
        write_table(rows, tmp_path / f"{name}.csv")
        (tmp_path / f"{name}.txt").write_text(to_markdown(printed) + to_latex(printed, "s12"))
    for suffix in ("csv", "txt"):
        first, second = (tmp_path / f"{name}.{suffix}" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


def test_row_order_of_the_statistics_does_not_matter(table, metrics, comparisons):
    shuffled = metrics.sample(frac=1, random_state=0), comparisons.sample(frac=1, random_state=0)
    rows, _ = table("age", metrics=shuffled[0], comparisons=shuffled[1])
    pd.testing.assert_frame_equal(rows, table("age")[0])


def test_every_supplementary_table_of_results_is_there(cards):
    tables = catalogue(cards, ["cls_adni_cn_ad", "age"], ["age"])
    numbers = [number for number in tables if number.startswith("s") and number[1:].isdigit()]
    assert numbers == [f"s{n}" for n in range(6, 19)]  # S5 holds data, and so does S2
    assert tables["s8"].tasks == [name for name in cards if name.startswith("cls_")]
    assert (tables["s15"].tasks, tables["s16"].tasks) == (["cls_adni_3class"], ["age"])
    assert table_title(tables["s8"], cards) == "Disorder classification"
    assert tables["coin"].kind == "labels"  # of no paper's table


def test_a_table_without_its_room_leaves_the_plan(cards):
    tables = catalogue({"age": cards["age"]})
    assert list(tables) == ["s9", "s16"]


def test_strata_are_starred_by_the_adjusted_p(cards, metrics, comparisons, subsets, demo_labels):
    strata = ["0-9", "70+"]
    age = metrics[(metrics["task"] == "age") & (metrics["ratio"] == 1)]
    tested = comparisons[(comparisons["task"] == "age") & (comparisons["ratio"] == 1)]
    tested = tested.assign(p=0.0004, p_holm=0.03)
    own = pd.concat([age.assign(stratum=name) for name in strata])
    tests = pd.concat([tested.assign(stratum=name) for name in strata])
    table = catalogue({"age": cards["age"]})["s16"]
    rows = table_rows(table, cards, own, tests, subsets, demo_labels)
    printed = grid(rows, table, cards, demo_labels)
    assert printed.header[:2] == ["Age (years)", "n test"]
    assert [row[0] for row in printed.rows] == strata
    assert [row[3].mark for row in printed.rows] == ["*", "*"]
    assert "Holm-adjusted" in printed.caption


def test_full_fine_tuning_stands_beside_frozen(cards, metrics, comparisons, subsets, demo_labels):
    frozen = metrics[(metrics["task"] == "age") & (metrics["encoder"] == "braindino")]
    tuned = frozen[frozen["ratio"].isin([0.1, 1.0])].assign(encoder="braindino_full_ft")
    tuned.loc[tuned["ratio"] == 1.0, "value"] = 3.0  # below the frozen interval
    table = catalogue(cards, ["age"])["s6"]
    own = pd.concat([frozen, tuned])
    rows = table_rows(table, cards, own, comparisons, subsets, demo_labels)
    printed = grid(rows, table, cards, demo_labels)
    assert printed.header[-2:] == [
        "BrainDINO, full fine-tuning", "Full fine-tuning in the frozen interval",
    ]  # fmt: skip
    assert [(row[0], row[-1]) for row in printed.rows] == [("10 %", "yes"), ("100 %", "no")]


def test_conditions_are_named_as_the_paper_s_rows():
    rows = pd.DataFrame({"perturbation": ["contrast", "clean", "gibbs"], "severity": [2, 0, 0.0]})
    named = list(as_strata(rows)["stratum"])
    assert named == ["contrast:2.0", "clean", "gibbs:0.0"]
    assert [is_clean(name) for name in [*named, "contrast:1.0"]] == [False, True, True, True]


def test_log_rank_p_bears_its_own_stars(cards, demo_labels, subsets, comparisons):
    rows = [("logrank_p", "all", 0.004), ("median_survival_days", "low_risk", 439.0)]
    own = pd.DataFrame(rows, columns=["metric", "stratum", "value"]).assign(
        task="survival_km", encoder="braindino", ratio=1.0, sd=np.nan, ci_low=np.nan,
        ci_high=np.nan, n=20,
    )  # fmt: skip
    assert shown_rows("labels", cards["survival_km"], own)[:2] == [
        ("logrank_p", "all"), ("median_survival_days", "low_risk"),
    ]  # fmt: skip
    table = catalogue(cards)["s14"]
    rows = table_rows(table, cards, own, comparisons, subsets, demo_labels)
    assert list(rows["text"] + rows["mark"]) == ["0.004**", "439"]
    assert not rows["best"].any()
