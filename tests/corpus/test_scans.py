"""Scans found as archives ship them, and what else a folder holds."""

import numpy as np
import pytest

from braindino.corpus.scans import find_scans
from braindino.errors import BadInput


@pytest.fixture
def touch(tmp_path):
    def make(*names):
        for name in names:
            path = tmp_path / "lab" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "lab"

    return make


def pattern_card(dataset_card, **changes):
    values = {"reader": "pattern", "scans": {"T1w": "{subject}/{subject}_t1.nii.gz"}}
    return dataset_card(**values | changes)


def test_unknown_images_are_counted_and_ignored_ones_are_not(dataset_card, touch):
    folder = touch("a/a_t1.nii.gz", "a/a_dwi.nii.gz", "a/a_odd.nii", "a/notes.txt")
    scans, notes = find_scans(pattern_card(dataset_card, ignored={"*_dwi.nii.gz": "DWI"}), folder)
    assert scans["subject"].to_list() == ["a"]
    assert notes == [("images that no pattern of the card matches", 1, "a/a_odd.nii")]


def test_several_patterns_of_one_contrast_and_analyze_pairs(dataset_card, touch):
    folder = touch("a/a_t1.nii.gz", "b/b.img", "b/b.hdr")
    card = pattern_card(
        dataset_card, scans={"T1w": ["{subject}/{subject}_t1.nii.gz", "{subject}/{subject}.img"]}
    )
    scans, notes = find_scans(card, folder)
    assert scans["subject"].to_list() == ["a", "b"]
    assert notes == []


def test_label_maps_are_found_by_subject_and_session(dataset_card, touch):
    folder = touch("a-1/a-1_t1.nii.gz", "a-1/a-1_seg.nii.gz", "a-2/a-2_t1.nii.gz")
    card = pattern_card(
        dataset_card,
        scans={"T1w": "{subject}-{session}/{subject}-{session}_t1.nii.gz"},
        segmentation="{subject}-{session}/{subject}-{session}_seg.nii.gz",
    )
    scans, _ = find_scans(card, folder)
    assert scans["segmentation"].to_list() == [str(folder / "a-1/a-1_seg.nii.gz"), None]


def test_another_release_is_named(dataset_card, touch):
    folder = touch("v1/a.nii.gz")
    card = pattern_card(dataset_card, other_releases={"v1/*": "release 1; get release 2"})
    with pytest.raises(BadInput, match=r"1 of them images, e\.g\. v1/a\.nii\.gz; another release\? "
                                       r"release 1; get release 2"):  # fmt: skip
        find_scans(card, folder)
    folder = touch("a/a_t1.nii.gz")
    assert find_scans(card, folder)[1][0] == (
        "another release? release 1; get release 2",
        1,
        "v1/a.nii.gz",
    )


def test_bids_folder_with_a_misnamed_scan(dataset_card, touch, save_volume, tmp_path):
    (tmp_path / "lab").mkdir(exist_ok=True)
    description = '{"Name": "lab", "BIDSVersion": "1.8.0"}'
    (tmp_path / "lab/dataset_description.json").write_text(description)
    save_volume(np.ones((4, 4, 4), np.int16), "lab/sub-1/anat/sub-1_T1w.nii.gz")
    folder = touch(
        "sub-1/anat/t1.nii.gz", "sub-1/func/sub-1_task-a_bold.nii.gz", "derivatives/x.nii"
    )
    scans, notes = find_scans(dataset_card(), folder)
    assert scans["path"].to_list() == [str(folder / "sub-1/anat/sub-1_T1w.nii.gz")]
    assert notes == [("images that no pattern of the card matches", 1, "sub-1/anat/t1.nii.gz")]


def test_empty_folder(dataset_card, touch):
    (folder := touch("README").parent / "lab").mkdir(exist_ok=True)
    with pytest.raises(BadInput, match="it holds 1 files, 0 of them images"):
        find_scans(pattern_card(dataset_card), folder)
