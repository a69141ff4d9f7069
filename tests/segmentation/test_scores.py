"""Scores against hand-counted cases and the convention of the challenges."""

import nibabel as nib
import numpy as np
import pytest

from braindino.segmentation.dataset import to_levels
from braindino.segmentation.lesions import lesion_scores
from braindino.segmentation.masks import dice, hd95
from braindino.segmentation.scores import score_case

MM = (1.0, 1.0, 1.0)


def box(*corners, shape=(40, 40, 20)):
    mask = np.zeros(shape, bool)
    for low, high in corners:
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def test_dice_by_hand():
    truth, predicted = box(((0, 0, 0), (4, 4, 4))), box(((2, 0, 0), (6, 4, 4)))
    assert dice(truth, predicted) == pytest.approx(0.5)  # 2 * 32 / (64 + 64)


def test_empty_regions():
    full, none = box(((0, 0, 0), (2, 2, 2))), box()
    assert (dice(none, none), hd95(none, none, MM)) == (1.0, 0.0)
    assert (dice(full, none), dice(none, full)) == (0.0, 0.0)
    brats = np.zeros((240, 240, 155), bool)
    some = brats.copy()
    some[0, 0, 0] = True
    assert hd95(some, brats, MM) == pytest.approx(373.13, abs=0.01)  # the challenges' penalty
    assert hd95(brats, some, MM) == pytest.approx(373.13, abs=0.01)


def test_hd95_of_a_moved_box_is_in_mm():
    truth, predicted = box(((5, 5, 5), (15, 15, 15))), box(((8, 5, 5), (18, 15, 15)))
    assert hd95(truth, predicted, MM) == pytest.approx(3.0)
    assert hd95(truth, predicted, (2.0, 1.0, 1.0)) == pytest.approx(6.0)
    assert hd95(truth, truth, MM) == 0.0


def test_lesions_by_hand(regions):
    own = regions["BraTS2021"].model_copy(update={"dilation": 1, "least_lesion": 2})
    found, missed = ((2, 2, 2), (8, 8, 8)), ((20, 20, 2), (24, 24, 6))
    extra = ((30, 5, 10), (33, 8, 13))
    truth, predicted = box(found, missed), box(found, extra)
    scores = lesion_scores(truth, predicted, MM, own)
    assert (scores["lesions"], scores["lesions_found"], scores["lesions_false"]) == (2, 1, 1)
    assert scores["lesion_dice"] == pytest.approx((1 + 0 + 0) / 3)
    diagonal = np.sqrt(40**2 + 40**2 + 20**2)
    assert scores["lesion_hd95"] == pytest.approx(2 * diagonal / 3)


def test_near_fragments_are_one_lesion_and_specks_are_none(regions):
    own = regions["BraTS2021"].model_copy(update={"dilation": 1, "least_lesion": 2})
    near = box(((2, 2, 2), (6, 6, 6)), ((8, 2, 2), (12, 6, 6)))  # two voxels apart
    assert lesion_scores(near, near, MM, own)["lesions"] == 1
    speck = box(((2, 2, 2), (6, 6, 6)), ((30, 30, 10), (31, 31, 12)))  # two voxels large
    scores = lesion_scores(speck, speck, MM, own)
    assert (scores["lesions"], scores["lesions_false"], scores["lesion_dice"]) == (1, 0, 1.0)


def test_no_lesion_and_none_predicted(regions):
    scores = lesion_scores(box(), box(), MM, regions["BraTS2021"])
    assert (scores["lesion_dice"], scores["lesion_hd95"], scores["lesions"]) == (1.0, 0.0, 0)


def test_the_ground_truth_fed_back_is_perfect(cohort, regions, tmp_path):
    manifest, _ = cohort
    for label in manifest["segmentation"].unique():
        image, own = nib.load(label), regions["BraTS2021"]
        levels = to_levels(np.asanyarray(image.dataobj), own)
        nib.save(nib.Nifti1Image(levels, image.affine), tmp_path / "again.nii.gz")
        rows = list(score_case(label, tmp_path / "again.nii.gz", own))
        assert [row["region"] for row in rows] == ["wt", "tc", "et"]
        for row in rows:
            assert (row["dice"], row["hd95"], row["lesion_dice"]) == (1.0, 0.0, 1.0)
