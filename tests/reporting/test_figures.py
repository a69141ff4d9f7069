import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from braindino.errors import BadInput
from braindino.reporting.curves import read_log, training_curves
from braindino.reporting.figure_3 import figure_3, panel_letters
from braindino.reporting.mosaic import OUTLINE, evenly, mosaic, read_thumbnails
from braindino.reporting.palette import ENCODERS, OTHERS, encoder_marks
from braindino.reporting.patches import patch_colours, patch_figure
from braindino.reporting.style import save_figure


@pytest.fixture
def figure(demo_run, demo_labels, metrics):
    return figure_3(metrics, list(demo_run.tasks.values()), demo_labels, {"age": 20.0})


def texts(figure):
    found = [text.get_text() for axes in figure.axes for text in axes.texts]
    found += [text.get_text() for text in figure.texts]
    return [*found, *(axes.get_title(loc="left") for axes in figure.axes)]


def test_panels_keep_the_paper_s_letters(figure):
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(h) MRI sequence",
        "(j) Brain age",
    ]
    assert figure.axes[1].get_ylabel() == "MAE (years)"


def test_other_tasks_are_lettered_after_the_paper_s(demo_run):
    age, sequence = demo_run.tasks.values()
    sex = sequence.model_copy(update={"name": "sex", "panel": None})
    assert list(panel_letters([sex, age, sequence])) == ["h", "j", "n"]
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
    assert levels == [[0.5], [20.0]]


def test_every_encoder_is_in_the_legend(demo_run, demo_labels, metrics):
    only_age = (metrics["encoder"] == "braindino") | (metrics["task"] == "age")
    drawn = figure_3(metrics[only_age], list(demo_run.tasks.values()), demo_labels)
    names = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert names == ["BrainDINO", "DINOv3 (random weights)"]


def test_an_undefined_metric_is_said_so(demo_run, demo_labels, metrics):
    undefined = metrics.assign(value=metrics["value"].where(metrics["task"] != "sequence"))
    drawn = figure_3(undefined, list(demo_run.tasks.values()), demo_labels)
    assert texts(drawn).count("undefined on this test set") == 1


def test_a_demo_is_marked(figure, demo_run, demo_labels, metrics):
    assert texts(figure).count("demo") == 2 and "demo: phantoms, not patients" in texts(figure)
    real = figure_3(metrics, list(demo_run.tasks.values()), replace(demo_labels, demo=""))
    assert not any("demo" in text for text in texts(real))


def test_the_files_are_equal_on_rerun_and_carry_no_date(
    demo_run, demo_labels, metrics, tmp_path, monkeypatch
):
    for run in ("a", "b"):
        monkeypatch.setitem(mpl.rcParams, "font.size", 5 if run == "a" else 15)  # a user's style
        drawn = figure_3(metrics, list(demo_run.tasks.values()), demo_labels)
        save_figure(drawn, *(tmp_path / f"{run}.{suffix}" for suffix in ("png", "pdf", "svg")))
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
        "Entropy (nats)", "Effective rank of class tokens",
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
