import itertools
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from scipy import ndimage, stats

from braindino.corpus.manifest import build_manifest
from braindino.corpus.phantoms import write_cohort
from braindino.corpus.phantoms.anatomy import ATLAS_SIZE, CENTRE, Person, build_anatomy
from braindino.corpus.phantoms.archive import save_analyze
from braindino.corpus.phantoms.atrophy import (
    RADIUS,
    distance_to_hippocampus,
    lose_hippocampus,
    widen_ventricles,
)
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.stroke import add_stroke
from braindino.files import sha256
from braindino.settings.cards import DatasetCard, TaskCard

CONFIG = Path(__file__).parents[2] / "config"
NAMES = ["ICBM", "ID1000", "PIOP1", "PIOP2", "ABIDE", "OASIS", "ATLAS"]
SUBJECTS = 10
STRIP = SimpleNamespace(auto_border_zeros=0.9, auto_box_zeros=0.2)


def read_card(name):
    return DatasetCard(**yaml.safe_load((CONFIG / f"datasets/{name}.yaml").read_text()))


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Every cohort, coarse and small, with its manifest; written on first use."""
    written = {}

    def get(name):
        if name not in written:
            folder = tmp_path_factory.mktemp(name)
            write_cohort(name, folder, SUBJECTS, spacing=4.0, seed=1)
            written[name] = folder, *build_manifest(read_card(name), folder, STRIP)[:2]
        return written[name]

    return get


@pytest.fixture
def anatomy():
    return build_anatomy(Person("a", 30, "F", 0), (4.0,) * 3)


def load(path):
    return nib.as_closest_canonical(nib.squeeze_image(nib.load(path)))


def checksums(folder):
    return {p.relative_to(folder): sha256(p) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_arguments_write_the_same_bytes_and_another_seed_others(name, tmp_path):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_cohort(name, tmp_path / folder, subjects=2, spacing=8.0, seed=seed)
    first, again, other = (checksums(tmp_path / folder) for folder in "abc")
    assert first == again
    # What holds no person is the same for every seed.
    persons = [p for p in other if p.suffix != ".hdr" and p.name != "dataset_description.json"]
    assert not set(first.values()) & {other[p] for p in persons}


@pytest.mark.parametrize("name", NAMES)
def test_the_card_finds_every_scan_of_its_phantom_and_nothing_is_left_unexplained(name, cohorts):
    folder, manifest, rejects = cohorts(name)
    images = [p for p in folder.rglob("*") if p.name.endswith((".nii", ".nii.gz", ".img"))]
    scans = {str(p) for p in images if not p.name.endswith("_mask.nii.gz")}
    runs = {str(p) for p in images if "_run-2_" in p.name or "_run-3_" in p.name}
    assert set(manifest["path"]) == scans - runs
    assert len(rejects) == len(runs) == (2 if name == "ID1000" else 0)
    assert manifest["subject"].nunique() == SUBJECTS
    assert manifest["skull_stripped"].all()


@pytest.mark.parametrize("name", NAMES)
def test_scans_are_zero_outside_the_brain_and_nowhere_within(name, cohorts):
    for path in cohorts(name)[1]["path"]:
        brain = load(path).get_fdata() > 0
        assert 0.05 < brain.mean() < 0.4
        assert np.array_equal(brain, ndimage.binary_fill_holes(brain))
        assert brain[1:-1, 1:-1, 1:-1].sum() == brain.sum()


@pytest.mark.parametrize("name", ["ID1000", "PIOP1", "PIOP2"])
def test_aomic_labels_are_the_table_s_own(name, cohorts):
    folder, manifest, _ = cohorts(name)
    table = pd.read_csv(folder / "participants.tsv", sep="\t").set_index("participant_id")
    ours = manifest.set_index("sub-" + manifest["subject"])
    assert set(table.index) - set(ours.index) == {"sub-0011"}
    table = table.loc[ours.index]
    assert ours["age"].equals(table["age"])
    assert (4 * ours["age"] % 1).dropna().eq(0).all()
    assert ours["sex"].dropna().equals(table["sex"].str[0].str.upper().dropna())
    assert ours[["age", "sex"]].isna().sum().tolist() == [1, 1]


def test_icbm_labels_join_by_image(cohorts):
    folder, manifest, _ = cohorts("ICBM")
    table = pd.read_csv(next(folder.glob("*.csv"))).set_index("Image Data ID")
    ours = manifest.set_index("image")
    assert len(set(table.index) - set(ours.index)) == 1
    assert len(set(ours.index) - set(table.index)) == ours["age"].isna().sum() == 1
    joined = ours.join(table, how="inner")
    assert (joined["subject"] == joined["Subject"]).all()
    assert (joined["age"] == joined["Age"]).all()
    assert (joined["sex"] == joined["Sex"]).all()
    assert (
        joined["modality"] == joined["Description"].map({"MPRAGE": "T1w", "T2_TSE": "T2w"})
    ).all()
    assert (pd.to_datetime(joined["Acq Date"]) == pd.to_datetime(joined["session"])).all()
    assert set(ours["modality"]) == {"T1w", "T2w"}


def test_abide_joins_both_releases(cohorts):
    folder, manifest, _ = cohorts("ABIDE")
    first = pd.read_csv(folder / "ABIDE_I/Phenotypic_V1_0b.csv")
    second = pd.read_csv(folder / "ABIDE_II/ABIDEII_Composite_Phenotypic.csv")
    assert (first["AGE_AT_SCAN"] == -9999).sum() == 1
    assert "AGE_AT_SCAN " in second
    first["subject"] = "00" + first["SUB_ID"].astype(str)
    second["subject"] = second["SUB_ID"].astype(str)
    second = second.rename(columns={"AGE_AT_SCAN ": "AGE_AT_SCAN"})
    table = pd.concat([first, second]).set_index("subject")
    assert len(table) == SUBJECTS + 2  # a row of each release has no scan
    ours = manifest.set_index("subject")
    table = table.loc[ours.index]
    assert ours["age"].equals(table["AGE_AT_SCAN"].where(table["AGE_AT_SCAN"] > 0).rename("age"))
    assert (ours["diagnosis"] == table["DX_GROUP"].map({1: "asd", 2: "control"})).all()
    assert (ours["sex"] == table["SEX"].map({1: "M", 2: "F"})).all()
    assert (ours["site"] == table["SITE_ID"]).all()


def test_oasis_rates_the_old_alone_and_rescans_one(cohorts):
    folder, manifest, _ = cohorts("OASIS")
    table = pd.read_csv(folder / "oasis_cross-sectional.csv")
    assert table["CDR"].isna().equals(table["Age"] < 60)
    assert (table["ID"].str.endswith("_MR2") == table["Delay"].notna()).all()
    ours = manifest.set_index(manifest["subject"] + "_MR" + manifest["session"])
    table = table.set_index("ID").loc[ours.index]
    assert (ours["age"] == table["Age"]).all() and (ours["sex"] == table["M/F"]).all()
    assert ours["cdr"].equals(table["CDR"].rename("cdr"))
    demented = ours["dementia"].map({"demented": True, "nondemented": False}).dropna()
    assert demented.astype(bool).equals((table["CDR"].dropna() > 0).rename("dementia"))
    assert demented.sum() == 4 and len(demented) == 8


def test_atlas_days_and_masks(cohorts):
    folder, manifest, _ = cohorts("ATLAS")
    table = pd.read_csv(next(folder.glob("*MetaData.csv"))).set_index("Subject ID")
    ours = manifest.set_index("sub-" + manifest["subject"])
    days = table.loc[ours.index, "Days Post Stroke"]
    assert ours["days_post_stroke"].equals(days.rename("days_post_stroke"))
    assert days.isna().sum() == 1 and days.dropna().between(3, 400).all()
    for path, mask in zip(manifest["path"], manifest["segmentation"], strict=True):
        scan, lesion = nib.load(path), nib.load(mask)
        assert lesion.affine == pytest.approx(scan.affine)
        assert set(np.unique(lesion.get_fdata())) == {0, 1}
        assert not lesion.get_fdata()[scan.get_fdata() == 0].any()
        assert scan.affine[:3, 3] == pytest.approx([-98, -134, -72])


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ((-26, -20, -16), True),  # textbook peaks: hippocampus
        ((28, -34, -6), True),
        ((12, -18, 8), False),  # thalamus
        ((-26, 4, 2), False),  # putamen
        ((0, -52, 26), False),  # posterior cingulate
    ],
)
def test_the_hippocampus_lies_where_it_does_in_mni_space(place, inside):
    distance = distance_to_hippocampus(np.float32(place)[:, None, None, None])
    assert (distance.item() < RADIUS) == inside


def test_hippocampal_loss_turns_its_share_of_tissue_into_fluid_there_alone(anatomy):
    before = {name: fraction.copy() for name, fraction in anatomy.tissues.items()}
    distance = distance_to_hippocampus(anatomy.points)
    lose_hippocampus(anatomy, 0.0)
    assert all(np.array_equal(anatomy.tissues[name], before[name]) for name in before)
    lose_hippocampus(anatomy, 0.6)
    core, far = distance < RADIUS - 3, distance > RADIUS + 6
    for name in ("grey", "white"):
        assert anatomy.tissues[name][core] == pytest.approx(0.4 * before[name][core], abs=0.01)
        assert anatomy.tissues[name][far] == pytest.approx(before[name][far], abs=1e-3)
    assert sum(anatomy.tissues.values()) == pytest.approx(sum(before.values()), abs=1e-5)


def test_ventricles_widen_with_reach_and_never_narrow(anatomy):
    shares = [anatomy.tissues["csf"].mean()]
    for reach in (1.0, 3.0, 5.0, 1.0):
        widen_ventricles(anatomy, reach)
        shares.append(anatomy.tissues["csf"].mean())
    assert shares[:4] == sorted(set(shares[:4]))
    assert shares[4] >= shares[3]
    assert sum(anatomy.tissues.values()) == pytest.approx(np.ones(anatomy.grid.shape), abs=1e-4)


def region_signal(path, lowest, highest, scale):
    """Mean signal of a box in MNI mm, on both sides, relative to the brain's bright half."""
    image = load(path)
    scan = image.get_fdata()
    voxels = np.indices(scan.shape).reshape(3, -1)
    world = nib.affines.apply_affine(image.affine, voxels.T) / scale
    # Phantoms are centred on the template's brain, whatever their grid says.
    brain = scan.ravel() > 0
    points = world - (world[brain].min(0) + world[brain].max(0)) / 2 + np.array(CENTRE)
    points[:, 0] = np.abs(points[:, 0])
    box = ((points >= lowest) & (points <= highest)).all(1)
    return scan.ravel()[box].mean() / np.percentile(scan[scan > 0], 75)


def auc(high, low):
    return np.mean([a > b for a, b in itertools.product(high, low)])


def test_demented_hippocampi_are_darker(cohorts):
    manifest = cohorts("OASIS")[1]
    signal = manifest["path"].map(
        lambda p: region_signal(p, (20, -36, -22), (34, -10, -8), ATLAS_SIZE)
    )
    groups = signal.groupby(manifest["dementia"])
    assert auc(groups.get_group("nondemented"), groups.get_group("demented")) > 0.9


def test_autistic_ventricles_are_wider(cohorts):
    manifest = cohorts("ABIDE")[1]
    signal = manifest["path"].map(lambda p: region_signal(p, (4, -10, 8), (20, 24, 24), 0.92))
    groups = signal.groupby(manifest["diagnosis"])
    assert auc(groups.get_group("control"), groups.get_group("asd")) > 0.9


def test_lesions_darken_with_the_days_as_they_fill_with_fluid(cohorts):
    manifest = cohorts("ATLAS")[1].dropna(subset="days_post_stroke")
    relative = []
    for path, mask in zip(manifest["path"], manifest["segmentation"], strict=True):
        scan, lesion = nib.load(path).get_fdata(), nib.load(mask).get_fdata() > 0
        relative.append(np.median(scan[lesion]) / np.percentile(scan[scan > 0], 75))
    assert stats.spearmanr(manifest["days_post_stroke"], relative).statistic < -0.9


def test_a_fresh_stroke_is_oedema_and_an_old_one_fluid(anatomy):
    lesion = add_stroke(anatomy, 90, np.random.default_rng(0)) > 0
    assert anatomy.tissues["csf"][lesion] == pytest.approx(1 - 1 / np.e)
    assert anatomy.tissues["oedema"][lesion] == pytest.approx(1 / np.e)
    assert not anatomy.tissues["grey"][lesion].any()
    assert sum(anatomy.tissues.values())[anatomy.brain] == pytest.approx(1, abs=1e-4)


def test_an_analyze_pair_keeps_a_voxel_s_place_and_says_left_is_left(tmp_path):
    grid = Grid((5, 6, 7), (2.0, 3.0, 4.0))
    scan = np.zeros(grid.shape, np.int16)
    scan[4, 1, 6] = 7  # right, posterior, superior of the centre
    save_analyze(scan, grid, tmp_path / "a.img")
    assert {p.name for p in tmp_path.iterdir()} == {"a.img", "a.hdr"}
    stored = nib.load(tmp_path / "a.img")
    assert stored.shape == (5, 6, 7, 1)
    voxel = np.argwhere(np.asanyarray(stored.dataobj) == 7)[0][:3]
    assert nib.affines.apply_affine(stored.affine, voxel) == pytest.approx([4.0, -4.5, 12.0])


@pytest.mark.parametrize(
    ("name", "field", "path"),
    [
        ("OASIS", "ignored", "disc1/OAS1_0001_MR1/RAW/OAS1_0001_MR1_mpr-1_anon.img"),
        (
            "OASIS",
            "ignored",
            "disc1/OAS1_0001_MR1/PROCESSED/MPRAGE/T88_111/"
            "OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.img",
        ),
        ("OASIS", "ignored", "disc1/OAS1_0001_MR1/FSL_SEG/OAS1_0001_MR1_fseg.img"),
        ("OASIS", "other_releases", "OAS2_RAW_PART1/OAS2_0001_MR1/RAW/mpr-1.nifti.img"),
        ("OASIS", "other_releases", "OAS30001_MR_d0129/anat2/sub-OAS30001_T1w.nii.gz"),
        ("ABIDE", "ignored", "ABIDE_I/NYU/0050952/session_1/rest_1/rest.nii.gz"),
        ("ABIDE", "ignored", "ABIDE_II/ABIDEII-BNI_1/29006/session_1/dti_1/dti.nii.gz"),
        ("ABIDE", "other_releases", "Outputs/cpac/NYU_0050952_func_preproc.nii.gz"),
        ("ATLAS", "ignored", "MNI152NLin2009aSym.nii.gz"),
        ("ATLAS", "other_releases", "ATLAS_R1.1/Site1/031768/t01/031768_t1w.nii.gz"),
    ],
)
def test_cards_know_what_else_lies_in_their_archives(name, field, path):
    assert any(fnmatchcase(path, glob) for glob in getattr(read_card(name), field))


@pytest.mark.parametrize("name", ["cls_abide", "cls_oasis"])
def test_classes_of_a_task_are_values_of_its_cohort_s_labels(name):
    task = TaskCard(**yaml.safe_load((CONFIG / f"tasks/{name}.yaml").read_text()))
    (dataset,) = task.datasets
    for labels in read_card(dataset).labels:
        assert set(labels.values[task.target].values()) == set(task.classes)
    counts = task.published
    assert set(counts.train) == set(counts.test) == set(task.classes)
    held_out = sum(counts.test.values()) / sum([*counts.train.values(), *counts.test.values()])
    assert task.test_fraction == pytest.approx(held_out, abs=0.001)
