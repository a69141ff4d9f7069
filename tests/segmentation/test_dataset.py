"""nnU-Net's raw format, its fold and the nested shares of its training cases."""

import json
from itertools import pairwise

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity
from nnunetv2.utilities.label_handling.label_handling import LabelManager

from braindino.corpus.splits import split_subjects
from braindino.corpus.subsets import label_subsets
from braindino.segmentation.cases import list_cases
from braindino.segmentation.dataset import SUBSETS, region_labels, to_levels, write_raw, write_split

RATIOS = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]


@pytest.fixture
def cases(cohort):
    manifest, split = cohort
    return list_cases(split, manifest)


def test_labels_of_brats_2021_are_those_of_nnunets_own_converter(regions):
    # Its Dataset137: 1 (necrosis) -> 2, 2 (oedema) -> 1, 4 (enhancing) -> 3.
    levels = to_levels(np.array([0, 1, 2, 4], np.uint8), regions["BraTS2021"])
    assert levels.tolist() == [0, 2, 1, 3]
    assert levels.dtype == np.uint8
    expected = {"background": 0, "wt": (1, 2, 3), "tc": (2, 3), "et": 3}
    assert region_labels(regions["BraTS2021"]) == expected


def test_nnunet_accepts_the_data_set(cases, task, regions, tmp_path):
    folder = tmp_path / "Dataset137_BraTS2021"
    write_raw(task, cases, regions, folder)
    verify_dataset_integrity(str(folder), num_processes=1)
    content = json.loads((folder / "dataset.json").read_text())
    manager = LabelManager(content["labels"], content["regions_class_order"])
    assert manager.num_segmentation_heads == 3
    image = folder / "imagesTr" / "BraTS2021_00000-1_0001.nii.gz"
    assert image.resolve() == (tmp_path / cases["T1c"].iloc[0]).resolve()


def test_nnunet_makes_the_label_map_again_from_all_regions(cases, task, regions, tmp_path):
    write_raw(task, cases, regions, tmp_path / "raw")
    content = json.loads((tmp_path / "raw" / "dataset.json").read_text())
    manager = LabelManager(content["labels"], content["regions_class_order"])
    path = tmp_path / "raw" / "labelsTr" / "BraTS2021_00000-1.nii.gz"
    levels = np.asanyarray(nib.load(path).dataobj)
    logits = np.stack([np.where(levels >= k, 9.0, -9.0) for k in (1, 2, 3)]).astype(np.float32)
    again = manager.convert_logits_to_segmentation(logits)
    assert np.array_equal(np.asarray(again), levels)


@pytest.mark.parametrize(
    ("total", "train", "tenth"),
    [(1251, 1000, 100), (1000, 800, 80), (238, 190, 19), (1351, 1080, 108)],
)
def test_shares_are_the_papers_sizes_and_nested(task, total, train, tenth, tmp_path):
    subjects = [f"BraTS2021/{n:05d}" for n in range(total)]
    volumes = pd.DataFrame(
        {
            **{"task": task.name, "subject": subjects, "session": "1", "volume_id": subjects},
            **{"dataset": "BraTS2021", "modality": "FLAIR", "target": "seg"},
        }
    )
    split = split_subjects(task, volumes, {}, bins=5, seed=0)
    subsets = label_subsets(task, split, RATIOS, seeds=1, bins=5, seed=0)
    cases = split.assign(case=split["subject"].str[-5:])
    write_split(cases, subsets, RATIOS, tmp_path)
    fold = json.loads((tmp_path / "splits_final.json").read_text())[0]
    shares = json.loads((tmp_path / SUBSETS).read_text())
    assert len(fold["train"]) == train
    assert len(fold["val"]) == total - train
    assert len(shares["0.1"]) == tenth
    sets = [set(shares[f"{ratio:g}"]) for ratio in RATIOS]
    assert all(small < large for small, large in pairwise(sets))
    assert sets[-1] == set(fold["train"])
    assert not sets[-1] & set(fold["val"])


def test_the_fold_is_nnunets_own(task):
    from nnunetv2.utilities.crossval_split import generate_crossval_split

    names = [f"{n:05d}" for n in range(57)]
    volumes = pd.DataFrame(
        {
            **{"task": task.name, "subject": names, "session": "1", "volume_id": names},
            **{"dataset": "BraTS2021", "modality": "FLAIR", "target": "seg"},
        }
    )
    split = split_subjects(task, volumes, {}, bins=5, seed=0)
    own = generate_crossval_split(names, seed=12345, n_splits=5)[0]
    assert set(split.loc[split["split"] == "test", "subject"]) == set(own["val"])
