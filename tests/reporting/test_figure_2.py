"""Figure 2: which slice is shown, and how it lies."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from braindino.reporting.contours import largest_slice, median_case, read_contours
from braindino.reporting.figure_2 import figure_2
from braindino.reporting.labels import Labels
from braindino.settings.cards import Regions

REGIONS = Regions(wt=[1, 2, 4], tc=[1, 4], et=[4], source="Baid et al. 2021")


def test_the_case_in_the_middle_at_the_largest_ratio():
    rows = [("a", 1.0, 0.9), ("b", 1.0, 0.5), ("c", 1.0, 0.7), ("d", 1.0, 0.8), ("b", 0.1, 0.75)]
    table = pd.DataFrame(rows, columns=["volume_id", "ratio", "dice"])
    assert median_case(table) == "c"  # the lower of two


def test_the_slice_with_the_largest_area():
    mask = np.zeros((6, 6, 5), bool)
    mask[:2, :2, 1] = mask[:3, :3, 3] = mask[:3, :3, 4] = True
    assert largest_slice(mask) == 3


@pytest.fixture
def case(tmp_path):
    """A case in LPS order: a tumour in front on the right, largest in plane 2."""
    shape, affine = (20, 24, 6), np.diag([-1.0, -1.0, 2.0, 1.0])
    brain, label = np.zeros(shape, np.int16), np.zeros(shape, np.uint8)
    brain[2:18, 2:22, :] = 100
    label[3:8, 3:9, 2], label[4:6, 4:6, 2], label[4:6, 4:6, 3] = (
        2,
        4,
        2,
    )  # low x: right, low y: front
    paths = {}
    for name, volume in {"label": label, "FLAIR": brain, "T1c": brain}.items():
        paths[name] = str(tmp_path / f"{name}.nii.gz")
        nib.save(nib.Nifti1Image(volume, affine), paths[name])
    levels = np.where(label == 2, 1, 0) + np.where(label == 4, 3, 0)
    nib.save(nib.Nifti1Image(levels.astype(np.uint8), affine), tmp_path / "drawn.nii.gz")
    return pd.Series(paths), tmp_path / "drawn.nii.gz"


def test_a_slice_is_upright_and_the_same_for_all(case):
    own = read_contours("BraTS2021", case[0], REGIONS, {"braindino": case[1]})
    rows, columns = np.nonzero(own.truth["wt"])
    height, width = own.truth["wt"].shape
    assert own.truth["wt"].sum() == 30
    assert rows.max() < height / 2  # the front is up
    assert columns.min() > width / 2  # the patient's right is right
    for region in ("wt", "tc", "et"):
        assert np.array_equal(own.truth[region], own.predicted["braindino"][region])
    assert own.aspect == 1.0


def test_the_figure_names_every_line(case):
    own = read_contours("BraTS2021", case[0], REGIONS, {"braindino": case[1], "brainmvp": case[1]})
    labels = Labels({"braindino": "BrainDINO", "brainmvp": "BrainMVP"}, "", "braindino")
    figure = figure_2([own, own], labels, 1.0)
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["Ground truth", "BrainDINO", "BrainMVP"]
    assert len(figure.axes) == 8
    lines = [len(axes.collections) for axes in figure.axes]
    assert lines == [0, 3, 3, 3] * 2
