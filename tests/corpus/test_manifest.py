import json

import numpy as np
import pandas as pd
import pytest

from braindino.corpus.columns import MANIFEST, REJECTS, SCANS
from braindino.corpus.manifest import build_manifest
from braindino.corpus.patterns import compile_pattern
from braindino.errors import BadInput
from braindino.settings.cards import Labels
from braindino.settings.imaging import SkullStrip


@pytest.fixture
def cohort(save_volume, tmp_path, rng):
    """A BIDS folder: a good scan, a truncated one, a contrast-enhanced one with a sidecar."""
    volume = rng.integers(1, 100, (12, 10, 11)).astype(np.int16)
    name = "lab/sub-{0}/ses-a/anat/sub-{0}_ses-a{1}_T1w.nii.gz"
    save_volume(volume, name.format("01", ""), np.diag([-2, 1, 1, 1]))
    bad = save_volume(volume, name.format("02", ""))
    bad.write_bytes(bad.read_bytes()[:200])
    enhanced = save_volume(volume, name.format("03", "_ce-gd"))
    sidecar = {"Manufacturer": "Siemens", "MagneticFieldStrength": 3, "SliceThickness": 1.2}
    enhanced.with_name(enhanced.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    folder = tmp_path / "lab"
    (folder / "dataset_description.json").write_text('{"Name": "lab", "BIDSVersion": "1.9.0"}')
    rows = "participant_id\tage\tgender\nsub-01\t31\tf\nsub-03\tn/a\tm\nsub-99\t50\tf\n"
    (folder / "participants.tsv").write_text(rows)
    return folder


def labels(**changes):
    values = {
        "file": "participants.tsv",
        "key": "participant_id",
        "columns": {"age": "age", "sex": "gender"},
        "values": {"sex": {"f": "F", "m": "M"}},
    }
    return Labels(**values | changes)


def test_bids_cohort_row_for_row(cohort, dataset_card):
    card = dataset_card(labels=[labels()], skull_stripped="auto")
    manifest, rejects, *_ = build_manifest(card, cohort, SkullStrip())
    assert list(manifest.columns[: len(MANIFEST)]) == MANIFEST
    assert list(manifest["volume_id"]) == ["lab/01/a/T1w", "lab/03/a/T1c"]
    first, third = manifest.iloc[0], manifest.iloc[1]
    assert (first["age"], first["sex"], first["orientation"]) == (31.0, "F", "LAS")
    assert (first["shape"], first["spacing"]) == ("12x10x11", "2x1x1")
    assert not first["skull_stripped"]
    assert np.isnan(third["age"])
    assert (third["vendor"], third["field_strength"], third["slice_thickness"]) == (
        "Siemens",
        3.0,
        1.2,
    )
    assert list(rejects["volume_id"]) == ["lab/02/a/T1w"]
    assert "cannot be read" in rejects["reason"].iloc[0]


def test_label_table_without_the_column(cohort, dataset_card):
    card = dataset_card(labels=[labels(columns={"age": "years"})])
    with pytest.raises(BadInput, match=r"participants\.tsv: there is no column 'years' .*gender"):
        build_manifest(card, cohort, SkullStrip())


def test_missing_label_table(cohort, dataset_card):
    with pytest.raises(BadInput, match=r"people\.tsv: the label table of lab is missing"):
        build_manifest(dataset_card(labels=[labels(file="people.tsv")]), cohort, SkullStrip())


def test_pattern_that_matches_nothing(cohort, dataset_card):
    card = dataset_card(reader="pattern", scans={"T1w": "T1/{subject}.nii.gz"})
    with pytest.raises(BadInput, match=r"lab\.yaml: nothing below .* matches the card"):
        build_manifest(card, cohort, SkullStrip())


def test_wide_table_with_dates_gives_the_age_at_each_session(cohort, dataset_card):
    table = pd.DataFrame(
        {"participant_id": ["sub-01"], "born": ["2000-01-01"], "a_scan": ["2010-01-01"]}
    )
    table.to_csv(cohort / "visits.tsv", sep="\t", index=False)
    dates = labels(
        file="visits.tsv", columns={}, values={}, years={"age": ("born", "{session}_scan")}
    )
    manifest, *_ = build_manifest(dataset_card(labels=[dates]), cohort, SkullStrip())
    # 3,653 days of ten years with three leap days.
    assert manifest["age"].iloc[0] == pytest.approx(3653 / 365.25)


def test_a_dicom_folder_of_another_release_is_named(dataset_card, save_volume, tmp_path):
    save_volume(np.ones((4, 4, 4), np.int16), "lab/01/scan.nii.gz")
    card = dataset_card(reader="dicom", other_releases={"*.nii.gz": "the NIfTI release"})
    nothing = pd.DataFrame(columns=SCANS), pd.DataFrame(columns=REJECTS)
    with pytest.raises(BadInput, match=r"structural DICOM series.*release\? the NIfTI release"):
        build_manifest(card, tmp_path / "lab", SkullStrip(), nothing)


def test_further_file_of_a_scan_is_rejected_with_its_name(cohort, dataset_card, save_volume, rng):
    volume = rng.integers(1, 9, (9, 9, 9)).astype(np.int16)
    save_volume(volume, "lab/sub-01/ses-a/anat/sub-01_ses-a_run-2_T1w.nii.gz")
    manifest, rejects, *_ = build_manifest(dataset_card(), cohort, SkullStrip())
    assert manifest["volume_id"].is_unique
    assert rejects["reason"].str.contains("another file of the same scan").sum() == 1
    assert len(manifest) + len(rejects) == 4


@pytest.mark.parametrize(
    ("pattern", "path", "parts"),
    [
        ("T1/{subject}-{site}-T1.nii.gz", "T1/IXI002-Guys-T1.nii.gz", ("IXI002", "Guys")),
        (
            r"{subject:P-\d+}-{site}/{subject}-{site}-t1.nii",
            "P-07-000/P-07-000-t1.nii",
            ("P-07", "000"),
        ),
    ],
)
def test_path_patterns(pattern, path, parts):
    match = compile_pattern(pattern).fullmatch(path)
    assert (match["subject"], match["site"]) == parts


def test_repeated_part_must_repeat():
    assert not compile_pattern("{subject}/{subject}.nii").fullmatch("a/b.nii")


def test_real_cohorts_row_for_row(real_data, root):
    from braindino.settings.load import load_card

    for name, stripped, sizes in (("ds000011", False, {14}), ("ds002748", True, {16})):
        card = load_card("datasets", name, root / "config")
        manifest, rejects, *_ = build_manifest(card, real_data / name, SkullStrip())
        people = pd.read_csv(real_data / name / "participants.tsv", sep="\t")
        assert len(manifest) in sizes
        assert rejects.empty
        assert (manifest["skull_stripped"] == stripped).all()
        assert list(manifest["subject"]) == [
            p.removeprefix("sub-") for p in people["participant_id"]
        ]
        assert list(manifest["age"]) == list(people["age"])
        sex = people["sex"] if "sex" in people else people["gender"]
        assert list(manifest["sex"]) == [s.upper() for s in sex]
        assert set(manifest["orientation"]) == {"LAS"}
