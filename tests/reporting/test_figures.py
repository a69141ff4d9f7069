import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from braindino.errors import BadInput
from braindino.reporting.curves import read_log, training_curves
from braindino.reporting.figure_1b import figure_1b
from braindino.reporting.figure_1c import figure_1c
from braindino.reporting.figure_3 import figure_3, panel_letters
from braindino.reporting.figure_4 import at_risk, figure_4
from braindino.reporting.mosaic import OUTLINE, evenly, mosaic, read_thumbnails
from braindino.reporting.palette import ENCODERS, OTHERS, encoder_marks
from braindino.reporting.patches import patch_colours, patch_figure
from braindino.reporting.style import save_figure
from braindino.settings.imaging import Imaging


@pytest.fixture(scope="module")
def strata(metrics, comparisons):
    """Metrics and comparisons with two age strata, the rival worse in one of them."""
    parts = [metrics], [comparisons]
    for stratum, p in (("0-9", 0.004), ("70+", 0.4)):
        for frames, own in zip(parts, (metrics, comparisons), strict=True):
            kept = own[(own["metric"] == "mae_years") & (own["ratio"] == 1.0)]
            frames.append(kept.assign(stratum=stratum, **({"p_holm": p} if "p" in own else {})))
    return [pd.concat(frames, ignore_index=True) for frames in parts]


@pytest.fixture(scope="module")
def draw(demo_run, demo_labels, strata):
    def build(metrics=strata[0], names=demo_labels, baselines=None):
        return figure_3(metrics, strata[1], list(demo_run.tasks.values()), names, baselines)

    return build


@pytest.fixture
def figure(draw):
    return draw(baselines={"age": 20.0})


def texts(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    found += [text.get_text() for part in figure.subfigs for text in part.texts]
    found += [text.get_text() for text in figure.texts]
    return [*found, *(axes.get_title(loc="left") for axes in figure.axes)]


def test_panels_keep_the_paper_s_letters(figure):
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(h) MRI sequence", "(j) Brain age", "(k) Brain age by age", "",
    ]  # fmt: skip
    assert figure.axes[1].get_ylabel() == "MAE (years)"


def test_other_tasks_are_lettered_after_the_paper_s(demo_run):
    age, sequence = demo_run.tasks.values()
    sex = sequence.model_copy(update={"name": "sex", "panel": None})
    assert list(panel_letters([sex, age, sequence])) == ["h", "j", "k", "n"]
    assert list(panel_letters([sex])) == ["a"]


def test_lines_pass_through_the_numbers(figure, metrics):
    rows = metrics[(metrics["metric"] == "mae_years") & (metrics["encoder"] == "dinov3")]
    drawn = [line for line in figure.axes[1].lines if line.get_color() == ENCODERS["dinov3"].color]
    assert any(np.allclose(line.get_ydata(), rows["value"]) for line in drawn if
               len(line.get_ydata()) == 6)  # fmt: skip


def test_baselines_are_dashed_lines(figure):
    levels = [
        [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == "--"]
        for axes in figure.axes
    ]
    assert levels == [[0.5], [20.0], [], []]  # of all ages, not of one


def test_strata_bear_the_stars_of_the_adjusted_p(figure):
    assert [text.get_text() for text in figure.axes[2].texts if text.get_text()] == ["**", "demo"]
    assert [tick.get_text() for tick in figure.axes[2].get_xticklabels()] == ["0–9", "70+"]


def test_every_panel_of_the_paper_is_there(cards):
    letters = list(panel_letters([c for c in cards.values() if c.kind != "segmentation"]))
    assert letters == list("bcdefghijklmno")  # n, o: the coin and sex, not its own
    assert [name for name, card in cards.items() if card.panel == "a"] == [
        name for name, card in cards.items() if card.kind == "segmentation"
    ]


def test_regions_go_down_and_cohorts_across(cards, metrics, comparisons, demo_labels):
    shown = [card for card in cards.values() if card.kind == "segmentation"]
    dice = metrics[metrics["metric"] == "macro_auc"]
    scored = pd.concat(
        [dice.assign(task=c.name, metric=f"dice_{r}") for c in shown for r in ("wt", "tc", "et")]
    )
    drawn = figure_3(scored, comparisons, shown, demo_labels)
    panels = [axes for axes in drawn.axes if axes.has_data()]
    assert len(panels) == 12
    assert [axes.get_ylabel() for axes in panels[::4]] == ["Dice WT", "Dice TC", "Dice ET"]
    assert panels[0].get_title(loc="left") == "BraTS2021"


def test_every_encoder_is_in_the_legend(draw, metrics):
    only_age = (metrics["encoder"] == "braindino") | (metrics["task"] == "age")
    drawn = draw(metrics[only_age])
    names = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert names == ["BrainDINO", "DINOv3 (random weights)"]


def test_an_undefined_metric_is_said_so(draw, strata):
    metrics, _ = strata
    undefined = metrics.assign(value=metrics["value"].where(metrics["task"] != "sequence"))
    drawn = draw(undefined)
    assert texts(drawn).count("undefined on this test set") == 1


def test_a_demo_is_marked(figure, draw, demo_labels):
    assert texts(figure).count("demo") == 3 and "demo: phantoms, not patients" in texts(figure)
    real = draw(names=replace(demo_labels, demo=""))
    assert not any("demo" in text for text in texts(real))


def test_the_files_are_equal_on_rerun_and_carry_no_date(draw, tmp_path, monkeypatch):
    for run in ("a", "b"):
        monkeypatch.setitem(mpl.rcParams, "font.size", 5 if run == "a" else 15)  # a user's style
        save_figure(draw(), *(tmp_path / f"{run}.{suffix}" for suffix in ("png", "pdf", "svg")))
    for suffix in ("png", "pdf", "svg"):
        first, second = (tmp_path / f"{run}.{suffix}" for run in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()
        assert not re.search(b"creationdate|dc:date", first.read_bytes().lower())
    assert Image.open(tmp_path / "a.png").info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_the_paper_s_encoders_differ_in_colour_and_marker():
    marks = [*ENCODERS.values(), *OTHERS]
    assert len({mark.color for mark in marks}) == len({m.marker for m in marks}) == len(marks)


@pytest.mark.parametrize(
    "simulation",
    [  # full protanopia and deuteranopia in linear RGB (Viénot, Brettel and Mollon 1999)
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    ],
)
def test_the_paper_s_encoders_stay_apart_for_the_colour_blind(simulation):
    colors = np.array([to_rgb(mark.color) for mark in ENCODERS.values()])
    seen = (colors**2.2 @ np.array(simulation).T).clip(0, 1) ** (1 / 2.2)
    distance = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
    assert distance[np.triu_indices(len(seen), 1)].min() > 0.12


def test_an_encoder_keeps_its_mark_whatever_runs_beside_it():
    marks = encoder_marks(["mine", "dinov3", "another"])
    assert marks["dinov3"] == encoder_marks(["dinov3"])["dinov3"]
    assert marks["another"] != marks["mine"] and set(marks.values()).isdisjoint(
        set(ENCODERS.values()) - {ENCODERS["dinov3"]}
    )


def test_mosaic_shows_sixteen_and_says_so(thumbnails, brains, outliers):
    none = outliers.iloc[:0]
    drawn = mosaic(thumbnails, brains, none, "IXI", "demo: phantoms, not patients")
    assert "IXI: 16 of 19 volumes, evenly chosen (demo: phantoms, not patients)" in texts(drawn)
    assert "1 passed through" in texts(drawn) and "19 passed through" in texts(drawn)


def test_mosaic_shows_the_outliers_and_why(thumbnails, brains, outliers):
    drawn = mosaic(thumbnails, brains, outliers, "IXI")
    assert "IXI: 16 of 19 volumes, 1 outlier, the others evenly chosen" in texts(drawn)
    assert "12" in texts(drawn)
    assert any(text.startswith("brain volume 640 ml, cohort's median 1,") for text in texts(drawn))


def test_mosaic_says_of_a_blank_volume_why(thumbnails, brains, outliers):
    blank = thumbnails | {"raw": np.zeros_like(thumbnails["raw"])}
    drawn = texts(mosaic(blank, brains, outliers, "IXI"))
    assert "1 called stripped but may be a whole head, so not shown" in drawn


def test_mosaic_outlines_the_mask_on_the_raw_planes_alone(thumbnails, brains, outliers, tmp_path):
    one = {key: value[:1] for key, value in thumbnails.items()}
    drawn = mosaic(one, brains[:1], outliers[:0], "IXI")
    save_figure(drawn, tmp_path / "m.png", dpi=drawn.dpi)
    picture = np.asarray(Image.open(tmp_path / "m.png").convert("RGB"))
    assert picture.shape == (164 + 70, 6 * 164, 3)
    columns = np.flatnonzero((picture == OUTLINE).all(-1).any(0)) // 164
    assert set(columns) == {0, 1, 2}


def test_mosaic_of_no_volume_is_drawn(thumbnails, brains, outliers):
    none = {key: value[:0] for key, value in thumbnails.items()}
    assert "IXI: 0 volumes" in texts(mosaic(none, brains[:0], outliers[:0], "IXI"))


def test_thumbnails_of_chunks_are_joined(thumbnails, tmp_path):
    for name, rows in (("a", slice(0, 12)), ("b", slice(12, None))):
        np.savez_compressed(
            tmp_path / f"{name}.npz", **{key: value[rows] for key, value in thumbnails.items()}
        )
    joined = read_thumbnails([tmp_path / "a.npz", tmp_path / "b.npz"])
    np.testing.assert_array_equal(joined["slices"], thumbnails["slices"])


def test_even_choice():
    assert list(evenly(31, 16)) == list(range(0, 31, 2))
    assert list(evenly(3, 16)) == [0, 1, 2] and len(evenly(0)) == 0


def test_curves_draw_what_is_there(training_log, real_run):
    drawn = training_curves(training_log, real_run.recipe)
    titles = [axes.get_title(loc="left") for axes in drawn.axes if axes.axison]
    assert titles == [
        "Loss", "Learning rate", "Contrast by kNN (accuracy on held-out subjects)",
        "Entropy (nats)", "Effective rank of class tokens", "Distance to the nearest class token",
    ]  # fmt: skip
    few = training_curves([{"iteration": 1, "loss": 2.0}, {"iteration": 2}], real_run.recipe)
    assert [axes.get_title(loc="left") for axes in few.axes if axes.axison] == ["Loss"]


def test_curves_are_drawn_beside_what_they_are_compared_with(training_log, real_run):
    drawn = training_curves(training_log, real_run.recipe, "demo: phantoms, not patients")
    levels = {
        line.get_label(): line.get_ydata()[0]
        for axes in drawn.axes
        for line in axes.lines
        if line.get_linestyle() in ("--", ":")
    }
    expected = {"random weights": 0.5, "chance": 0.4, "log(prototypes)": np.log(65536)}
    assert levels == expected
    entropy = next(axes for axes in drawn.axes if axes.get_title(loc="left") == "Entropy (nats)")
    assert entropy.get_ylim()[1] > np.log(65536)


def test_a_run_without_random_weights_entry_has_no_dashed_accuracy(training_log, real_run):
    drawn = training_curves(training_log[1:], real_run.recipe)
    labels = {line.get_label() for axes in drawn.axes for line in axes.lines}
    assert "chance" in labels and "random weights" not in labels


def test_patches_are_coloured_where_there_is_brain(tmp_path):
    components = np.full((2, 3, 3, 3), np.nan)
    components[:, 1] = [0, -9, 9]  # in SD: the middle, beyond both ends
    np.testing.assert_array_equal(patch_colours(components)[0, 1, 0], [0.5, 0, 1])
    assert not patch_colours(components)[:, 0].any()
    slices = np.zeros((2, 24, 24), np.uint8)
    drawn = patch_figure(components, slices, ["T1w", "FLAIR"], "Tiny", "demo: phantoms")
    assert [axes.get_title() for axes in drawn.axes] == ["T1w", "FLAIR", "", ""]
    assert "Tiny (demo: phantoms)" in [drawn.get_suptitle()]


def test_a_broken_log_is_named(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"iteration": 1}\n{"iter')
    with pytest.raises(BadInput, match=r"metrics\.jsonl: not one JSON object a line"):
        read_log(path)


def test_at_risk_counts_those_still_followed_up():
    curve = pd.DataFrame({"x": [0, 100, 450, 900], "n": [10, 9, 4, 1]})
    assert [at_risk(curve, day) for day in (0, 50, 100, 500, 900, 901)] == [10, 9, 9, 1, 1, 0]


def test_kaplan_meier_panels_hold_the_curves_and_their_p(demo_labels):
    times = pd.DataFrame({"x": [0.0, 100, 200], "y": [1.0, 0.6, 0.2], "n": [10, 9, 4]})
    times = times.assign(ci_low=times["y"] - 0.1, ci_high=times["y"], censored=[0, 1, 0])
    curves = pd.concat(
        [
            times.assign(encoder=encoder, ratio=ratio, curve=f"kaplan_meier {group}")
            for encoder in ("braindino", "dinov3")
            for ratio in (0.1, 0.2, 1.0)
            for group in ("low_risk", "high_risk")
        ]
    )
    p = [("braindino", 0.2, 0.0004), ("braindino", 1.0, 0.021), ("dinov3", 0.2, np.nan)]
    metrics = pd.DataFrame(p, columns=["encoder", "ratio", "value"]).assign(metric="logrank_p")
    drawn = figure_4(curves, metrics, demo_labels)
    assert len(drawn.axes) == 4  # of 20 % and 100 %: the paper's figure has no 10 %
    first = drawn.axes[0]
    assert first.get_xlim() == (0, 2000)  # caption of Fig. 4
    assert [line.get_ydata()[1] for line in first.lines if len(line.get_ydata()) == 3] == [0.6, 0.6]
    shown = [[t.get_text() for t in axes.texts] for axes in drawn.axes]
    assert "p < 0.001" in shown[0] and "p = 0.021" in shown[1]
    assert "one group is empty" in shown[2]
    assert shown[0][:5] == ["10", "0", "0", "0", "0"]


def test_figure_1b_shows_the_recipe_s_own_numbers(demo_labels, real_run):
    recipe = real_run.recipe
    drawn = figure_1b([recipe, recipe], Imaging(), demo_labels)
    words = " ".join(text.get_text() for text in drawn.axes[0].texts)
    assert "2 global crops\n256 pixels" in words and "8 local crops\n112 pixels" in words  # §4.2
    assert "128 axial slices" in words and "0.1 × KoLeo" in words  # §4.1.2, §4.2
    assert len(drawn.axes) == 2


def test_figure_1c_puts_errors_on_an_axis_of_their_own(demo_run, demo_labels, metrics):
    drawn = figure_1c(metrics, list(demo_run.tasks.values()), demo_labels)
    rows = [[t.get_text() for t in axes.get_yticklabels()] for axes in drawn.axes[1:]]
    assert rows == [["MRI sequence"], ["Brain age"]]
    (worst,) = [
        line.get_xdata()[0]
        for line in drawn.axes[2].lines
        if line.get_color() == ENCODERS["dinov3"].color
    ]
    assert worst == 1.0  # DINOv3 errs the most
