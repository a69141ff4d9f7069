"""Cohorts as data sets of nnU-Net: its raw format, its split, and nested label subsets."""

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
from nnunetv2.dataset_conversion.generate_dataset_json import generate_dataset_json

from braindino.files import write_text
from braindino.segmentation.names import FOLD, dataset_name
from braindino.segmentation.network import CONTRASTS

ENDING = ".nii.gz"
SUBSETS = "label_subsets.json"


def region_labels(regions):
    """Return nnU-Net's labels: how many regions hold a voxel, so that regions are nested sums."""
    last = len(regions.values)
    return {"background": 0} | {
        name: tuple(range(level, last + 1)) if level < last else last
        for level, name in enumerate(regions.values, start=1)
    }


def to_levels(label, regions):
    """Turn a cohort's label map into the number of regions that hold each voxel (uint8)."""
    return sum(np.isin(label, values) for values in regions.values.values()).astype(np.uint8)


def write_raw(card, cases, regions, folder):
    """Write a data set in nnU-Net's raw format; images are links to the cohort's own files.

    Parameters
    ----------
    card : braindino.settings.cards.TaskCard
    cases : DataFrame
        As `braindino.segmentation.cases.check_cases` returns them.
    regions : dict
        dataset → braindino.settings.cards.Regions
    folder : path
        Of the data set.
    """
    images, labels = Path(folder, "imagesTr"), Path(folder, "labelsTr")
    shutil.rmtree(folder, ignore_errors=True)
    images.mkdir(parents=True)
    labels.mkdir()
    for case in cases.itertuples():
        for channel, contrast in enumerate(CONTRASTS):
            _link(getattr(case, contrast), images / f"{case.case}_{channel:04d}{ENDING}")
        levels = _levels(case.label, regions[case.subject.split("/")[0]])
        nib.save(levels, labels / f"{case.case}{ENDING}")
    own = regions[card.datasets[0]]
    generate_dataset_json(
        str(folder),
        dict(enumerate(CONTRASTS)),
        region_labels(own),
        len(cases),
        ENDING,
        regions_class_order=tuple(range(1, len(own.values) + 1)),
        dataset_name=dataset_name(card),
        overwrite_image_reader_writer="NibabelIOWithReorient",
        license="the cohort's own, named in its card",
        converted_by="braindino",
    )


def write_split(cases, subsets, ratios, folder):
    """Write nnU-Net's splits_final.json, and beside it the training cases of each ratio.

    Parameters
    ----------
    cases : DataFrame
    subsets : DataFrame
        corpus/label_subsets/<task>.parquet: nested, so that 10 % lies within 20 %.
    ratios : list of float
    folder : path
        Of the preprocessed data set.
    """
    parts = {part: cases.loc[cases["split"] == part, "case"].tolist() for part in ("train", "test")}
    split = [{"train": parts["train"], "val": parts["test"]}]
    write_text(json.dumps(split, indent=1), Path(folder, "splits_final.json"))
    drawn = subsets[(subsets["seed"] == 0) & (subsets["fold"] == FOLD)]
    nested = {}
    for ratio in ratios:
        subjects = set(drawn.loc[drawn["ratio"] == ratio, "subject"])
        chosen = cases["subject"].isin(subjects) & (cases["split"] == "train")
        nested[f"{ratio:g}"] = cases.loc[chosen, "case"].tolist()
    write_text(json.dumps(nested, indent=1), Path(folder, SUBSETS))


def _levels(path, regions):
    image = nib.load(path)
    levels = to_levels(np.asanyarray(image.dataobj), regions)
    written = nib.Nifti1Image(levels, image.affine)
    written.header.set_zooms(image.header.get_zooms()[:3])
    return written


def _link(path, target):
    """Link an image; one that is not compressed, or has other zooms than 3-D, is written anew."""
    if str(path).endswith(ENDING):
        target.symlink_to(Path(path).resolve())
    else:
        nib.save(nib.load(path), target)
