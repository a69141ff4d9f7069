from dataclasses import replace

import pandas as pd
import pytest

from braindino.reporting.composition import attribute_shares, cohort_rows
from braindino.reporting.figure_1a import PAPER, figure_1a, short_count
from braindino.reporting.style import save_figure


@pytest.fixture
def draw(audits, groups, demo_labels):
    def build(composition=audits["composition"], coverage=audits["coverage"], demo=""):
        return figure_1a(composition, coverage, groups, replace(demo_labels, demo=demo))

    return build


def panel(figure, title):
    (axes,) = [axes for axes in figure.axes if axes.get_title(loc="left") == title]
    return axes


def bars(axes):
    """Return {row: [(colour, start, length)]} of a panel's bars."""
    names = dict(
        zip(axes.get_yticks(), [t.get_text() for t in axes.get_yticklabels()], strict=True)
    )
    found = {}
    for bar in axes.patches:
        row = names[bar.get_y() + bar.get_height() / 2]
        found.setdefault(row, []).append((bar.get_facecolor(), bar.get_x(), bar.get_width()))
    return found


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_bars_hold_the_volumes_of_a_cohort_end_to_end(draw):
    axes = panel(draw(), "(a) Pretraining corpus")
    found = bars(axes)
    assert list(found) == ["IXI", "BraTS2023-MEN", "fastMRI-Brain"]
    lengths = [length for _, _, length in found["BraTS2023-MEN"]]
    assert lengths == [5, 5, 0, 5]  # T1w, T1c, T2w, FLAIR
    assert [start for _, start, _ in found["BraTS2023-MEN"]] == [0, 5, 10, 10]
    assert sum(length for _, _, length in found["IXI"]) == 22  # one subject is a test subject


def test_the_slices_of_a_cohort_stand_at_its_end(draw):
    # 128 slices of 22, 15 and 3 volumes; the kinds of cohort in the paper's order
    shown = texts(panel(draw(), "(a) Pretraining corpus"))
    assert shown == ["2,816", "1,920", "384", "Normative", "Brain tumour", "Clinical acquisition"]


def test_contrasts_count_slices_beside_the_paper_s(draw):
    axes = panel(draw(), "Slices by contrast")
    lengths = {name: length for name, ((_, _, length),) in bars(axes).items()}
    assert lengths == {"T1w": 16 * 128, "T1c": 5 * 128, "T2w": 14 * 128, "FLAIR": 5 * 128}
    marks = [line.get_xdata()[0] for line in axes.lines]
    assert marks == [1.97e6, 1.14e6, 2.60e6, 0.88e6]
    assert "2,048; paper 1.97 M" in texts(axes)


def test_the_paper_s_slices_add_up_to_its_total():
    assert sum(PAPER.values()) == pytest.approx(6.6e6, rel=0.01)  # §4.1.1


def test_a_demo_is_marked_and_not_held_against_the_paper(draw):
    figure = draw(demo="demo: phantoms, not patients")
    assert all("demo" in texts(axes) for axes in figure.axes)
    assert [text.get_text() for text in figure.texts] == ["demo: phantoms, not patients"]
    contrasts = panel(figure, "Slices by contrast")
    assert not contrasts.lines and not any("paper" in text for text in texts(contrasts))
    assert not any("demo" in texts(axes) for axes in draw().axes)


def test_what_nobody_states_is_grey_and_always_there(draw):
    for title in ("Vendor", "Field strength", "Slice thickness", "Orientation", "Age (years)",
                  "Sex"):  # fmt: skip
        *others, last = bars(panel(draw(), title)).items()
        ((color, _, _),) = last[1]
        assert last[0] == "not stated" and color[0] == color[1] == color[2]
        assert all(entry[0] != color for _, (entry,) in others)
    assert bars(panel(draw(), "Vendor"))["not stated"][0][2] == pytest.approx(15 / 40)
    assert bars(panel(draw(), "Sex"))["not stated"][0][2] == 0


def test_a_contrast_that_the_paper_leaves_out_is_drawn(draw, audits):
    proton = audits["composition"].replace({"value": {"FLAIR": "PDw"}})
    lengths = bars(panel(draw(proton), "Slices by contrast"))
    assert lengths["PDw"][0][2] == 5 * 128 and lengths["FLAIR"][0][2] == 0


def test_evaluation_volumes_are_not_part_of_it(draw, audits):
    table = audits["composition"]
    only = table[table["part"] == "pretraining"]
    for title in ("(a) Pretraining corpus", "Sex"):
        assert bars(panel(draw(only), title)) == bars(panel(draw(), title))


def test_shares_add_up_and_rare_values_are_one():
    codes = [f"A{i}" for i in range(10)]
    many = pd.DataFrame({"attribute": "orientation", "value": codes, "volumes": range(1, 11)})
    shares = attribute_shares(many, "orientation")
    assert list(shares) == ["A5", "A6", "A7", "A8", "A9", "other", "not stated"]
    assert shares["other"] == pytest.approx(15 / 55) and sum(shares.values()) == pytest.approx(1)
    assert len(attribute_shares(many.assign(attribute="age"), "age")) == 11


def test_cohorts_are_grouped_by_kind_and_sorted_by_size(audits, groups):
    volumes = audits["composition"].query("attribute == 'modality' and part == 'pretraining'")
    kinds = dict.fromkeys(groups, "brain_tumor") | {"IXI": "other"}
    assert cohort_rows(volumes, kinds) == [
        ("Brain tumour", None),
        ("Brain tumour", "BraTS2023-MEN"),
        ("Brain tumour", "fastMRI-Brain"),
        ("Other", None),
        ("Other", "IXI"),
    ]


def test_a_corpus_without_a_volume_is_drawn(draw, audits, tmp_path):
    empty = draw(audits["composition"].iloc[:0], audits["coverage"].iloc[:0])
    save_figure(empty, tmp_path / "empty.png", dpi=50)
    assert bars(panel(empty, "Sex"))["not stated"][0][2] == 0


def shown_xticklabels(axes):
    """List the labels within the axis; Matplotlib keeps, and does not draw, one beyond."""
    return [t for t in axes.get_xticklabels() if t.get_position()[0] <= axes.get_xlim()[1]]


def test_no_text_lies_on_another(draw, tmp_path):
    figure = draw()
    save_figure(figure, tmp_path / "a.png", dpi=100)  # lays it out
    boxes = [
        text.get_window_extent()
        for axes in figure.axes
        for text in [*axes.texts, *axes.get_yticklabels(), *shown_xticklabels(axes)]
    ]
    boxes += [axes._left_title.get_window_extent() for axes in figure.axes]
    clashes = [
        (one, other)
        for i, one in enumerate(boxes)
        for other in boxes[:i]
        if one.padded(-1).overlaps(other.padded(-1))
    ]
    assert not clashes
    page = figure.bbox
    assert all(box.x0 >= page.x0 and box.x1 <= page.x1 for box in boxes)


def test_the_files_are_equal_on_rerun(draw, tmp_path):
    for run in ("a", "b"):
        save_figure(draw(), *(tmp_path / f"{run}.{suffix}" for suffix in ("png", "pdf", "svg")))
    for suffix in ("png", "pdf", "svg"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (tmp_path / f"b.{suffix}").read_bytes()


@pytest.mark.parametrize(
    ("number", "text"), [(1.97e6, "1.97 M"), (45_400, "45 k"), (2304, "2,304"), (0, "0")]
)
def test_short_counts(number, text):
    assert short_count(number) == text
