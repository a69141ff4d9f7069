import re
import subprocess
from functools import cache
from pathlib import Path

import dcm2niix
import nibabel as nib
import numpy as np
import pandas as pd
import pydicom
import pytest
import yaml

from braindino.corpus.dicom import convert_series
from braindino.corpus.labels import join_labels
from braindino.corpus.phantoms import write_cohort
from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.atrophy import distance_to_hippocampus
from braindino.corpus.phantoms.dicom import PLANES, save_series
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.loni import PROJECTS
from braindino.corpus.phantoms.tcia import COLLECTIONS
from braindino.files import sha256
from braindino.settings.cards import DatasetCard, TaskCard
from braindino.settings.corpus import Corpus

CONFIG = Path(__file__).parents[2] / "config"
COHORTS = [*COLLECTIONS, *PROJECTS, "fastMRI-Brain"]
HEADER = {"PatientID": "P1", "StudyDate": "20060102", "StudyDescription": "MR", "SeriesNumber": 2}
SUBJECTS = {"TCGA-GBM": 4, "ADNI": 6}  # four machines; three diagnoses; else two of each
READ = ["TCGA-GBM", "REMBRANDT", "ReMIND", "ADNI", "PPMI", "fastMRI-Brain"]


def read_card(name):
    return DatasetCard(**yaml.safe_load((CONFIG / f"datasets/{name}.yaml").read_text()))


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Every cohort, coarse and small, written on first use."""
    written = {}

    def get(name):
        if name not in written:
            written[name] = tmp_path_factory.mktemp(name)
            write_cohort(name, written[name], SUBJECTS.get(name, 2), spacing=8.0, seed=3)
        return written[name]

    return get


@pytest.fixture(scope="module")
def scans(cohorts, tmp_path_factory):
    """Scans and rejects of a cohort, as its card reads them, with their labels."""
    read = {}

    def get(name):
        if name not in read:
            card, out = read_card(name), tmp_path_factory.mktemp(f"{name}-nifti")
            found, rejects = convert_series(card, cohorts(name), out, 0, 1, Corpus())
            read[name] = join_labels(found, card, cohorts(name))[0], rejects
        return read[name]

    return get


@cache
def series_of(folder):
    """Headers of each series, by its UID."""
    series = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".csv":
            header = pydicom.dcmread(path, stop_before_pixels=True)
            series.setdefault(header.SeriesInstanceUID, []).append((path, header))
    return series


def first_headers(folder):
    return [slices[0][1] for slices in series_of(folder).values()]


@pytest.mark.parametrize("plane", PLANES)
def test_a_voxel_keeps_its_place_in_the_patient_through_dcm2niix(plane, tmp_path):
    grid = Grid((20, 24, 16), (2.0, 3.0, 4.0))
    scan = np.ones(grid.shape, np.int16)
    scan[17, 4, 13] = 700  # right, posterior, superior of the centre
    save_series(scan, grid, tmp_path / "dicom", HEADER, plane)
    (tmp_path / "out").mkdir()
    command = [dcm2niix.bin, "-o", tmp_path / "out", "-f", "scan", tmp_path / "dicom"]
    subprocess.run(command, check=True, capture_output=True)
    image = nib.load(tmp_path / "out" / "scan.nii")
    voxel = np.argwhere(np.asanyarray(image.dataobj) == 700)
    assert len(voxel) == 1
    expected = [axis[i] for axis, i in zip(grid.axes(), (17, 4, 13), strict=True)]
    assert nib.affines.apply_affine(image.affine, voxel[0]) == pytest.approx(expected, abs=1e-3)


def test_files_are_valid_dicom_that_hold_what_was_asked(tmp_path):
    grid, rng = Grid((6, 5, 4), (2.0, 3.0, 4.0)), np.random.default_rng(0)
    scan = rng.integers(-5, 3000, grid.shape).astype(np.int16)
    asked = HEADER | {"PatientAge": "067Y", "EchoTime": 2.98, "ImageType": ["ORIGINAL", "PRIMARY"]}
    save_series(scan, grid, tmp_path, asked)
    for index, path in enumerate(sorted(tmp_path.iterdir())):
        with pydicom.config.strict_reading():
            slice_ = pydicom.dcmread(path)
        assert {key: slice_[key].value for key in asked} == asked
        assert [e.tag for e in slice_] == sorted(e.tag for e in slice_)
        assert slice_.file_meta.MediaStorageSOPInstanceUID == slice_.SOPInstanceUID
        assert slice_.PixelSpacing == [3, 2]  # rows lie 3 mm apart
        # Rows run from anterior to posterior, columns from right to left.
        assert (slice_.pixel_array == scan[::-1, ::-1, index].T).all()


@pytest.mark.parametrize("name", ["GLIS-RT", "PPMI", "fastMRI-Brain"])
def test_the_same_arguments_write_the_same_bytes_and_another_seed_others(name, cohorts, tmp_path):
    def sums(folder):
        return {p.relative_to(folder): sha256(p) for p in folder.rglob("*") if p.is_file()}

    for seed in (3, 4):
        write_cohort(name, tmp_path / str(seed), 2, spacing=8.0, seed=seed)
    first = sums(cohorts(name))
    assert first == sums(tmp_path / "3")
    assert not set(first.values()) & set(sums(tmp_path / "4").values())


@pytest.mark.parametrize("name", COHORTS)
def test_no_two_images_share_an_identity_and_a_series_lies_in_one_folder(name, cohorts):
    series = series_of(cohorts(name))
    images = [header.SOPInstanceUID for slices in series.values() for _, header in slices]
    assert len(images) == len(set(images))
    assert all(len({path.parent for path, _ in slices}) == 1 for slices in series.values())


@pytest.mark.parametrize("name", COHORTS)
def test_the_first_folder_is_the_patient(name, cohorts):
    folder = cohorts(name)
    for slices in series_of(folder).values():
        path, header = slices[0]
        assert path.relative_to(folder).parts[0] == header.PatientID


@pytest.mark.parametrize("name", READ)
def test_the_card_reads_every_structural_series_and_no_other(name, cohorts, scans):
    found, rejects = scans(name)
    assert len(found) + len(rejects) == len(series_of(cohorts(name)))
    assert found["subject"].nunique() == SUBJECTS.get(name, 2)
    left = r"localizer|short stack|diffusion|echo-planar|not MR|another T1w"
    assert rejects["reason"].str.match(left).all()


def test_collections_hold_what_a_reader_must_leave_out(cohorts):
    tcga, cptac = series_of(cohorts("TCGA-GBM")), series_of(cohorts("CPTAC-GBM"))
    stacks = {s[0][1].get("SeriesDescription"): (len(s), s[0][1]) for s in tcga.values()}
    assert stacks["LOCALIZER"][0] == 3
    assert stacks["ADC"][1].ImageType[0] == "DERIVED"
    assert 8 in {len(slices) for slices in cptac.values()}
    assert "CT" in {header.Modality for header in first_headers(cohorts("GLIS-RT"))}
    assert "PT" in {header.Modality for header in first_headers(cohorts("ACRIN-FMISO-Brain"))}


def test_vendors_spell_their_names_and_fill_their_fields_each_in_their_way(cohorts):
    headers = first_headers(cohorts("TCGA-GBM"))
    spelled = {header.Manufacturer for header in headers}
    assert {"SIEMENS", "Siemens HealthCare GmbH"} < spelled
    unnamed = [header for header in headers if "SeriesDescription" not in header]
    assert [(h.RepetitionTime, h.EchoTime) for h in unnamed] == [(4500, 100)]
    agents = {
        h.SeriesDescription: h.ContrastBolusAgent for h in headers if "ContrastBolusAgent" in h
    }
    assert agents["AX T1 PRE GAD"] == "MULTIHANCE"


def test_files_of_an_older_download_lack_their_suffix(cohorts):
    patients = sorted(path for path in cohorts("REMBRANDT").iterdir())
    bare = [p.name for p in patients if not any(p.rglob("*.dcm"))]
    assert bare == [patients[0].name]


def test_the_archive_names_studies_and_series_by_date_description_and_uid(cohorts):
    for path in cohorts("IvyGAP").glob("*/*/*/1-01.dcm"):
        header = pydicom.dcmread(path, stop_before_pixels=True)
        study, series = path.parts[-3:-1]
        date = pd.Timestamp(header.StudyDate).strftime("%m-%d-%Y")
        assert study == f"{date}-NA-{header.StudyDescription}-{header.StudyInstanceUID[-5:]}"
        description = header.get("SeriesDescription", "NA")
        uid = header.SeriesInstanceUID[-5:]
        assert series == f"{header.SeriesNumber}.000000-{description}-{uid}"


def test_a_scan_during_the_operation_is_another_session_of_the_same_day(cohorts, scans):
    days = {(h.PatientID, h.StudyDate) for h in first_headers(cohorts("ReMIND"))}
    sessions = scans("ReMIND")[0].groupby("subject")["session"].agg(set)
    assert len(days) == len(sessions)
    assert all(names == {"Preop", "Intraop"} for names in sessions)


@pytest.mark.parametrize("name", PROJECTS)
def test_the_table_of_the_search_names_the_images_on_disk(name, cohorts):
    folder = cohorts(name)
    table = pd.read_csv(next(folder.glob("*.csv")), dtype=str).set_index("Image Data ID")
    on_disk = {path.parent.name: path for path in folder.rglob("*.dcm")}
    assert set(table.index) - set(on_disk) == {"I999999"}
    assert {on_disk[image].parts[-4] for image in set(on_disk) - set(table.index)} == {"LOCALIZER"}
    for image in set(on_disk) & set(table.index):
        header, row = pydicom.dcmread(on_disk[image]), table.loc[image]
        assert header.PatientID == row["Subject"] == on_disk[image].parts[-5]
        assert header.StudyDate == pd.Timestamp(row["Acq Date"]).strftime("%Y%m%d")
        assert header.SeriesDescription == row["Description"]
        assert re.fullmatch(rf"{name}_.*_I\d+\.dcm", on_disk[image].name)


@pytest.mark.parametrize(("name", "task"), [("ADNI", "cls_adni_3class"), ("PPMI", "cls_ppmi")])
def test_labels_join_by_image_and_hold_every_class_of_the_task(name, task, cohorts, scans):
    labelled, _ = scans(name)
    table = pd.read_csv(next(cohorts(name).glob("*.csv"))).set_index("Image Data ID")
    assert labelled["age"].tolist() == table.loc[labelled["image"], "Age"].tolist()
    assert labelled["sex"].tolist() == table.loc[labelled["image"], "Sex"].tolist()
    classes = TaskCard(**yaml.safe_load((CONFIG / f"tasks/{task}.yaml").read_text())).classes
    assert set(labelled["diagnosis"].dropna()) == set(classes)


def test_dementia_darkens_the_hippocampus_and_more_so_in_later_stages(scans):
    found, _ = scans("ADNI")
    baseline = found[found["visit"] == "sc"]
    signal = [_hippocampal_signal(row, seed=3) for row in baseline.itertuples()]
    stages = pd.Series(signal).groupby(baseline["diagnosis"].to_numpy())
    assert stages.max()["ad"] < stages.min()["mci"]
    assert stages.max()["mci"] < stages.min()["cn"]


def _hippocampal_signal(row, seed):
    """Mean in the hippocampi relative to that in the brain, on T1w."""
    image = nib.as_closest_canonical(nib.load(row.path))
    scan, spacing = image.get_fdata(), tuple(map(float, image.header.get_zooms()))
    anatomy = build_anatomy(Person(row.subject, row.age, row.sex, seed), spacing)
    near = distance_to_hippocampus(anatomy.points) < 6
    near = Grid(scan.shape, spacing).fit(near)
    return scan[near & (scan > 0)].mean() / scan[scan > 0].mean()
