"""What stops a case, before anything trains."""

import nibabel as nib
import numpy as np
import pytest

from braindino.errors import BadInput
from braindino.segmentation.cases import check_cases, incomplete_visits, list_cases
from braindino.settings.load import load_card


@pytest.fixture
def cases(cohort):
    manifest, split = cohort
    return list_cases(split, manifest)


@pytest.fixture
def replaced(cases, task, regions, tmp_path):
    """Return a function that gives the first training case another file and checks all."""

    def check(column, volume, affine=None):
        case = cases.index[cases["split"] == "train"][0]
        affine = np.diag([-2.0, -2.0, 2.0, 1.0]) if affine is None else affine
        path = tmp_path / "other.nii.gz"
        nib.save(nib.Nifti1Image(volume, affine), path)
        changed = cases.copy()
        changed.loc[case, column] = str(path)
        kept, rejects = check_cases(task, changed, regions, 0.5)
        assert len(kept) == len(cases) - 1
        assert list(rejects["volume_id"]) == [cases.loc[case, "volume_id"]]
        return rejects["reason"].iloc[0]

    return check


def label_of(cases):
    path = cases.loc[cases["split"] == "train", "label"].iloc[0]
    return np.asanyarray(nib.load(path).dataobj).copy()


def test_a_case_has_four_contrasts_and_a_name(cases, task, regions):
    kept, rejects = check_cases(task, cases, regions, 0.5)
    assert not len(rejects)
    assert list(kept["case"]) == [f"BraTS2021_{n:05d}-1" for n in range(6)]
    assert kept["FLAIR"].str.endswith("_flair.nii.gz").all()
    assert kept["volume_id"].iloc[0] == "BraTS2021/BraTS2021_00000/1"


def test_a_label_outside_the_card(cases, replaced):
    label = label_of(cases)
    label[0, 0, 0] = 3
    assert "label values 3 are not among 'regions'" in replaced("label", label)


def test_an_empty_label(cases, replaced):
    assert replaced("label", np.zeros_like(label_of(cases))) == "its label map is empty"


def test_another_shape(cases, replaced):
    assert "T2w has (36, 36, 19) voxels and the label map (36, 36, 20)" in replaced(
        "T2w", label_of(cases)[..., 1:]
    )


def test_another_grid(cases, replaced):
    moved = np.diag([-2.0, -2.0, 2.0, 1.0])
    moved[0, 3] = 7
    assert "T1c and the label map lie on different grids" in replaced("T1c", label_of(cases), moved)


def test_a_file_that_is_none(cases, task, regions, tmp_path):
    broken = tmp_path / "broken.nii.gz"
    broken.write_bytes(b"not a scan")
    changed = cases.copy()
    changed.loc[cases.index[-1], "FLAIR"] = str(broken)
    _, rejects = check_cases(task, changed, regions, 0.5)
    assert "cannot be read" in rejects["reason"].iloc[0]


def test_a_visit_without_a_contrast_is_named(cohort, task):
    manifest, _ = cohort
    lacking = manifest[manifest["volume_id"] != "BraTS2021/BraTS2021_00003/1/T1c"]
    rejects = incomplete_visits(task, lacking)
    assert list(rejects["volume_id"]) == ["BraTS2021/BraTS2021_00003/1"]
    assert rejects["reason"].iloc[0] == "the case has no T1c"


def test_a_cohort_of_nothing_but_faults_stops_the_run(cases, task, regions):
    wrong = {
        name: r.model_copy(update={"wt": [7], "tc": [], "et": []}) for name, r in regions.items()
    }
    with pytest.raises(BadInput, match=r"6 of 6 cases cannot be used, so no network is trained"):
        check_cases(task, cases, wrong, 0.5)


def test_a_patch_must_fit_the_grid():
    changes = {"segmentation": {"size": [100, 100]}}
    with pytest.raises(BadInput, match=r"needs two or three sides that 16 divides"):
        load_card("encoders", "braindino", override=changes)


def test_regions_must_be_nested():
    changes = {"regions": {"et": [2]}}
    with pytest.raises(BadInput, match=r"'et' must lie in 'tc' and 'tc' in 'wt'"):
        load_card("datasets", "BraTS2021", override=changes)
