"""Figures 5 and 6 and what the report says beside them."""

import numpy as np
import pandas as pd
import pytest

from braindino.reporting.figure_5 import figure_5, severity_label
from braindino.reporting.figure_6 import figure_6, knn_rows
from braindino.reporting.findings import degradation_rows, findings, map_rows
from braindino.reporting.palette import ENCODERS
from braindino.reporting.perturbations import severity_figure
from braindino.reporting.subject_map import subject_map

LOST = {"contrast": [2, 0, 4], "gibbs": [0, 3, 2], "flip": [0, 3]}  # years


@pytest.fixture
def robustness():
    rows = [
        {"perturbation": kind, "severity": severity, "task": "age", "encoder": encoder,
         "stratum": "all", "metric": "mae_years", "value": 5 + lost * slope, "clean": 5.0,
         "ci_low": 4 + lost * slope, "ci_high": 6 + lost * slope, "degradation": lost * slope,
         "degradation_low": lost * slope - 0.5, "degradation_high": lost * slope + 0.5}
        for kind, grid in {"contrast": [0.5, 1.0, 2.0], "gibbs": [0.0, 0.2, 0.4],
                           "flip": [0.0, 1.0]}.items()
        for severity, lost in zip(grid, LOST[kind], strict=True)
        for encoder, slope in (("braindino", 1.0), ("dinov3", 2.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture
def tasks(demo_run):
    return {"age": demo_run.tasks["age"]}


def test_bars_are_the_numbers_and_clean_ones_are_hatched(robustness, tasks, demo_labels):
    figure = figure_5(robustness, list(tasks.values()), demo_labels)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["Gibbs", "Contrast", "Left-right flip"]  # the paper's first
    bars = [bar for bar in figure.axes[1].patches if bar.get_height()]
    heights = [bar.get_height() for bar in bars]
    assert heights == [7, 5, 9, 9, 5, 13]
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, False] * 2
    assert figure.axes[1].get_xlabel() == "Severity γ"
    assert figure.axes[0].get_ylabel().endswith("MAE (years)")
    assert severity_label("thick_slices") == "Severity t (mm)"


def test_what_the_report_says_of_degradation(robustness, tasks, demo_labels):
    rows = degradation_rows(robustness, tasks, demo_labels)
    ours = {row["kind"]: row for row in rows if row["encoder"] == "BrainDINO"}
    assert ours["Contrast"]["severity"] == "2" and ours["Contrast"]["grows"] == "–"
    assert ours["Gibbs"]["degradation"] == "2.00 [1.50, 2.50]" and ours["Gibbs"]["grows"] == "no"
    assert ours["Gibbs"]["clean"] == "5.00" and ours["Gibbs"]["value"] == "7.00"


@pytest.fixture
def pictures(rng):
    inside = np.zeros((16, 16), np.uint8)
    inside[2:14, 2:14] = 120
    mask = np.zeros((2, 16, 16), bool)
    mask[:, 5:8, 5:8] = True
    return {
        "slice": inside,
        "references": np.array(["csf", "white_matter"]),
        "points": np.array([[6, 6], [6, 7]]),
        "masks": mask,
        "encoders": np.array(["braindino", "dinov3"]),
        "maps": rng.uniform(-1, 1, (2, 2, 16, 16)),
        "colours": rng.normal(size=(2, 16, 16, 3)),
    }


AUCS = pd.DataFrame(
    [("braindino", "csf", 0.91, 0.95), ("braindino", "white_matter", 0.42, 0.9),
     ("dinov3", "csf", np.nan, np.nan)],
    columns=["encoder", "reference", "auc", "auc_ceiling"],
)  # fmt: skip
CKA = pd.DataFrame(
    [("IXI", "braindino", "dinov3", layer, v, v - 0.1, v - 0.05, v + 0.05, 30)
     for layer, v in (("early", 0.8), ("mid", 0.85), ("late", 0.9))],
    columns=["cohort", "reference", "encoder", "layer", "cka", "cka_debiased", "ci_low", "ci_high",
             "n"],
)  # fmt: skip


def test_figure_6_holds_maps_accuracies_and_alignment(pictures, demo_labels, metrics, task_card):
    card = task_card(name="dx", title="Dementia", kind="classification", target="dx", unit="",
                     classes=["a", "b"], knn="knn_adni")  # fmt: skip
    knn = pd.DataFrame(
        {"task": "knn_adni", "encoder": "braindino", "stratum": ["k:5", "k:1", "k:10"],
         "metric": "accuracy", "value": [0.7, 0.6, 0.8], "sd": 0.1, "n": 20}
    )  # fmt: skip
    tests = pd.DataFrame({"task": "knn_adni", "encoder": "dinov3", "stratum": ["k:1", "k:5"],
                          "p_holm": [0.01, 0.5]})  # fmt: skip
    rival = knn.assign(encoder="dinov3", value=0.5)
    both = knn_rows(pd.concat([metrics, knn, rival]), tests, [card])
    filled = both[both["p_holm"] < 0.05]
    assert list(filled["encoder"]) == ["dinov3"] and list(filled["k"]) == [1]
    rows = both[both["encoder"] == "braindino"]
    assert rows["k"].tolist() == [1, 5, 10] and rows["accuracy"].tolist() == [0.6, 0.7, 0.8]
    figure = figure_6(pictures, AUCS, rows, CKA, demo_labels)
    maps = [axes.images[0] for axes in figure.axes if axes.images and axes.images[0].cmap.name
            == "cividis"]  # fmt: skip
    assert len(maps) == 4 and {image.get_clim() for image in maps} == {(0, 1)}
    texts = {axes.get_xlabel() for axes in figure.axes}
    assert {"AUC 0.91", "AUC 0.42", "Neighbours k", "Layer"} <= texts
    lines = [line.get_ydata() for axes in figure.axes for line in axes.lines
             if line.get_color() == ENCODERS["dinov3"].color]  # fmt: skip
    assert any(np.allclose(line, [0.8, 0.85, 0.9]) for line in lines)


def test_figure_6_of_nothing_is_drawn(demo_labels):
    empty = pd.DataFrame(columns=["title", "encoder", "k", "accuracy", "sd", "n"])
    assert not figure_6(None, None, empty, CKA[:0], demo_labels).axes


def test_a_map_that_does_not_follow_its_tissue_is_said_not_to(demo_labels):
    verdicts = [row["verdict"] for row in map_rows(AUCS, {}, demo_labels)]
    assert verdicts == [
        "looks like CSF",
        "does not look like white matter",
        "no mask to compare with",
    ]


def test_findings_of_a_run_without_them_are_empty(tasks, demo_labels):
    assert not any(part["rows"] for part in findings(tasks, {}, demo_labels).values())


def test_findings_name_what_was_told(tasks, demo_labels):
    leakage = pd.DataFrame(
        [("braindino", "all", "T1w", 3, 90, 0.8, 1 / 3),
         ("braindino", "IXI", "T1w", 2, 40, 0.6, 0.5)],
        columns=["encoder", "cohort", "modality", "sites", "n", "accuracy", "chance"],
    )  # fmt: skip
    made = findings(tasks, {"site_leakage": leakage, "cka": CKA}, demo_labels)
    assert [row["what"] for row in made["leakage"]["rows"]] == ["cohort", "site of IXI"]
    assert made["alignment"]["rows"][2]["cka"] == "0.90 [0.85, 0.95]"


def test_severities_are_titled():
    figure = severity_figure(
        np.zeros((4, 8, 8), np.uint8), ["contrast", "contrast", "thick_slices", "flip"],
        [1.0, 2.0, 5.0, 1.0],
    )  # fmt: skip
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    assert titles == ["clean", "γ = 2", "t = 5 mm", "flipped"]


def test_the_map_is_coloured_by_four_things(rng):
    places = pd.DataFrame(rng.normal(size=(40, 2)), columns=["x", "y"]).assign(
        dataset=[f"c{n % 15:02}" for n in range(40)], site="c00", modality="T1w",
        age=np.where(np.arange(40) % 2, 30.0, np.nan),
    )  # fmt: skip
    figure = subject_map(places, "BrainDINO")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:4] == ["(a) Cohort", "(b) Site, where stated", "(c) Age", "(d) Contrast"]
    named = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert len(named) == 13 and named[0] == "others"
