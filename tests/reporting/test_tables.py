from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from braindino.files import write_table
from braindino.reporting.formats import tex_escape, to_latex, to_markdown
from braindino.reporting.grids import grid
from braindino.reporting.labels import labels, measure, stars
from braindino.reporting.tables import result_rows, training_subjects


@pytest.fixture(scope="module")
def table(demo_run, demo_labels, metrics, comparisons, subsets):
    def build(task, names=demo_labels, metrics=metrics, comparisons=comparisons):
        card = demo_run.tasks[task]
        rows = result_rows(card, metrics, comparisons, subsets, names)
        return rows, grid(rows, card, names)

    return build


def test_s9_holds_the_paper_s_layout(table):
    _, printed = table("age")
    assert printed.header == ["Labels", "n train", "BrainDINO", "DINOv3 (random weights)"]
    assert [row[:2] for row in printed.rows] == [
        ["10 %", "12"], ["20 %", "24"], ["40 %", "48"],
        ["60 %", "72"], ["80 %", "96"], ["100 %", "120"],
    ]  # fmt: skip
    ours, rival = printed.rows[-1][2:]
    assert (ours.text, ours.best, ours.mark) == ("6.00 ± 0.40", True, "")
    assert (rival.text, rival.best, rival.mark) == ("7.20 ± 0.40", False, "***")


def test_s12_shows_auc_then_accuracy_with_intervals(table):
    _, printed = table("sequence")
    assert [row[0] for row in printed.rows] == ["Macro-AUC"] * 6 + ["Accuracy"] * 6
    assert printed.rows[5][3].text == "0.990 [0.971, 1.009]"


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
    assert printed.header[2:] == ["BrainDINO", "DINOv3 (random weights) ‡"]
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
    assert {line.count("|") for line in body} == {6}
    assert r"**0.860 [0.841, 0.879]**" in body[2] and r"\*\*\*" in body[2]


def test_latex_is_booktabs_with_equal_columns(table):
    text = to_latex(table("age")[1], "s9")
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0].strip().splitlines()
    assert [line.count("&") for line in body] == [3] * 6
    assert r"10 \% & 12 & \textbf{11.47 $\pm$ 0.40} & 12.67 $\pm$ 0.40$^{***}$ \\" in body
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
