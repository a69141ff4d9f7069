import csv
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, stats

from braindino.corpus.patterns import compile_pattern
from braindino.corpus.phantoms import write_cohort
from braindino.corpus.phantoms.anatomy import build_anatomy
from braindino.corpus.phantoms.glioma import draw_glioma, survival_days
from braindino.corpus.phantoms.tumour import ENHANCING, NECROSIS, grow_tumour
from braindino.corpus.scans import find_scans
from braindino.seeds import derive_rng
from braindino.settings.load import load_card

CONFIG = Path(__file__).parents[2] / "config"
COHORTS = {"BraTS2021": 4, "BraTS2025-GLI-PRE": 4, "BraTS2023-Mets": 4, "BraTS2024-GoAT": 5}
COHORTS |= {"UCSF-PDGM": 7, "UPENN-GBM": 5}
TASKS = ["idh", "survival_cls", "survival_km", "seg_brats2021", "seg_brats2023_men"]
TASKS += ["seg_brats2023_mets", "seg_brats2024_goat"]


def card_of(name):
    return load_card("datasets", name, CONFIG)


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Every cohort, coarse and small, written on first use."""
    written = {}

    def get(name):
        if name not in written:
            written[name] = tmp_path_factory.mktemp(name)
            write_cohort(name, written[name], COHORTS[name], spacing=4.0, seed=1)
        return written[name]

    return get


def scans_of(name, cohorts):
    return find_scans(card_of(name), cohorts(name))


def data(path):
    return np.asanyarray(nib.as_closest_canonical(nib.load(path)).dataobj)


def label_maps(name, cohorts):
    scans, _ = scans_of(name, cohorts)
    return {
        row.subject: data(row.segmentation)
        for row in scans.dropna(subset="segmentation").drop_duplicates("subject").itertuples()
    }


@pytest.mark.parametrize("name", COHORTS)
def test_the_card_knows_every_file_of_its_phantom(name, cohorts):
    scans, notes = scans_of(name, cohorts)
    assert notes == []  # nothing unknown, and no sign of another release
    assert scans["subject"].nunique() == COHORTS[name]
    missing = 1 if name == "UCSF-PDGM" else 0  # a FLAIR
    assert len(scans) == 4 * COHORTS[name] - missing
    assert not scans.duplicated(["subject", "session", "modality"]).any()


@pytest.mark.parametrize("name", COHORTS)
def test_label_maps_have_the_archive_s_values_and_lie_in_the_brain(name, cohorts):
    enhancing = 4 if name in ("BraTS2021", "UCSF-PDGM", "UPENN-GBM") else 3
    scans, _ = scans_of(name, cohorts)
    values = set()
    for row in scans.dropna(subset="segmentation").itertuples():
        labels, scan = data(row.segmentation), data(row.path)
        assert labels.shape == scan.shape == (60, 60, 39)
        assert not ((labels > 0) & (scan == 0)).any()
        values |= set(np.unique(labels))
    assert values == {0, 1, 2, enhancing}


def test_metastases_are_several_and_other_tumours_one(cohorts):
    def lesions(labels):
        return ndimage.label(labels > 0, np.ones((3, 3, 3)))[1]

    assert all(lesions(labels) > 1 for labels in label_maps("BraTS2023-Mets", cohorts).values())
    mixed = [lesions(labels) for labels in label_maps("BraTS2024-GoAT", cohorts).values()]
    assert [count > 1 for count in mixed] == [False, False, True, False, False]


def test_goat_holds_a_tumour_of_the_pons_and_four_of_the_hemispheres(cohorts):
    heights = [
        ndimage.center_of_mass(labels > 0)[2]
        for labels in label_maps("BraTS2024-GoAT", cohorts).values()
    ]
    assert np.argmin(heights) == 4
    assert heights[4] < min(heights[:4]) - 4  # voxels of 4 mm


def tumours_of(kind, count):
    """Person, place, and ml of necrosis and enhancement of patients with one kind of glioma."""
    rows = []
    for i in range(count):
        person, drawn = draw_glioma(f"patient {kind} {i}", 4 * i + (kind == "IDH"), 0)
        assert drawn == kind
        anatomy = build_anatomy(person, (4.0,) * 3, registered=True)
        labels = grow_tumour(anatomy, kind)
        place = anatomy.points[1][labels > 0].mean()
        parts = [(labels == value).sum() * 0.064 for value in (NECROSIS, ENHANCING)]
        days = survival_days(person.age, labels, 64.0, derive_rng("test", i))
        rows.append((person.age, place, *parts, days))
    return pd.DataFrame(rows, columns=["age", "place", "necrosis", "enhancing", "days"])


@pytest.fixture(scope="module")
def glioblastomas():
    return tumours_of("GBM", 30)


def test_mutated_gliomas_are_frontal_bare_of_necrosis_and_enhancement_and_of_the_young(
    glioblastomas,
):
    mutated = tumours_of("IDH", 12)
    assert mutated["age"].max() < glioblastomas["age"].median()
    assert mutated["place"].min() > glioblastomas["place"].max()
    for part in ("necrosis", "enhancing"):
        assert mutated[part].max() < glioblastomas[part].quantile(0.25)


def test_survival_is_shorter_with_necrosis_enhancement_and_age(glioblastomas):
    for cause in ("necrosis", "enhancing"):
        assert stats.spearmanr(glioblastomas[cause], glioblastomas["days"]).statistic < -0.3
    necrosis, enhancing = (np.full(n, v) for n, v in ((3000, NECROSIS), (6000, ENHANCING)))
    reference = np.concatenate([necrosis, enhancing])  # 3 and 6 ml of voxels of 1 mm³
    larger = np.concatenate([reference, np.full(4500, NECROSIS)])
    cases = ((65, reference, 400), (82, reference, 200), (65, larger, 200))
    for age, labels, median in cases:
        rng = derive_rng("test", age, len(labels))
        drawn = [survival_days(age, labels, 1.0, rng) for _ in range(2000)]
        assert np.median(drawn) == pytest.approx(median, rel=0.1)


def test_a_patient_of_ucsf_pdgm_is_the_case_of_brats_2021_that_the_table_names(cohorts):
    folder = cohorts("UCSF-PDGM")
    table = pd.read_csv(folder / "UCSF-PDGM-metadata_v2.csv").dropna(subset="BraTS21 ID")
    ours, theirs = (label_maps(name, cohorts) for name in ("UCSF-PDGM", "BraTS2021"))
    compared = 0
    for row in table.itertuples():
        exam = f"UCSF-PDGM-{int(row.ID[-3:]):04d}"
        case = table.loc[row.Index, "BraTS21 ID"]
        if exam in ours and case in theirs:
            assert np.array_equal(ours[exam], theirs[case])
            scan = data(folder / "UCSF-PDGM-v3" / f"{exam}_nifti" / f"{exam}_T1c.nii.gz")
            other = data(cohorts("BraTS2021") / case / f"{case}_t1ce.nii.gz")
            assert np.array_equal(scan > 0, other > 0)
            assert not np.array_equal(scan, other)
            compared += 1
    assert compared >= 2


def aliases():
    with (CONFIG / "aliases.csv").open() as file:
        return list(csv.DictReader(file))


def test_aliases_lead_from_ids_of_one_card_to_ids_of_another(cohorts):
    resolved = set()
    for row in aliases():
        assert row["source"]
        pattern = compile_pattern(row["subject"])
        theirs = re_of_subject(row["same_dataset"])
        if row["dataset"] == "BraTS2025-GLI-PRE":
            for subject in scans_of(row["dataset"], cohorts)[0]["subject"].unique():
                same = row["same_subject"].format(**pattern.fullmatch(subject).groupdict())
                assert theirs.fullmatch(same)
                resolved.add(same)
        else:
            assert re_of_subject(row["dataset"]).fullmatch(row["subject"])
            assert theirs.fullmatch(row["same_subject"])
            assert row["subject"] != row["same_subject"]
    assert resolved == set(scans_of("BraTS2021", cohorts)[0]["subject"])


def re_of_subject(name):
    """Regular expression of a cohort's subjects, from the first path of its card."""
    pattern = next(iter(card_of(name).scans.values()))
    start = pattern.index("{subject:")
    return compile_pattern(pattern[start : pattern.index("}", start) + 1])


def test_the_re_release_holds_the_scans_of_2021_under_other_names_and_label_values(cohorts):
    for case in cohorts("BraTS2021").iterdir():
        again = f"BraTS-GLI-{case.name[-5:]}-000"
        twin = cohorts("BraTS2025-GLI-PRE") / again / again
        for old, new in (("t1", "t1n"), ("t1ce", "t1c"), ("t2", "t2w"), ("flair", "t2f")):
            assert np.array_equal(
                data(case / f"{case.name}_{old}.nii.gz"), data(f"{twin}-{new}.nii.gz")
            )
        labels = data(case / f"{case.name}_seg.nii.gz")
        assert np.array_equal(np.where(labels == 4, 3, labels), data(f"{twin}-seg.nii.gz"))


def test_ucsf_pdgm_joins_ids_of_three_digits_and_spells_idh_as_the_archive(cohorts):
    folder, card = cohorts("UCSF-PDGM"), card_of("UCSF-PDGM")
    table = pd.read_csv(folder / "UCSF-PDGM-metadata_v2.csv")
    scans, _ = scans_of("UCSF-PDGM", cohorts)
    keys = table["ID"].str.extract(f"^(?:{card.labels[0].key_pattern})$")["subject"]
    assert set(scans["number"]) == set(keys)
    assert (scans["subject"] == "UCSF-PDGM-0" + scans["number"]).all()
    assert {"wildtype", "mutated (NOS)", "unknown"} <= set(table["IDH"])
    lacking = set(scans["subject"]) - set(scans.loc[scans["modality"] == "FLAIR", "subject"])
    assert len(lacking) == 1
    assert scans.groupby("subject")["segmentation"].count().eq(0).sum() == 1


def test_follow_up_exams_are_ignored_and_older_releases_betrayed(tmp_path):
    exams = {
        "UCSF-PDGM-v5/UCSF-PDGM-0433_nifti/UCSF-PDGM-0433_T1.nii.gz",
        "UCSF-PDGM-v5/UCSF-PDGM-0433_FU007d_nifti/UCSF-PDGM-0433_FU007d_T1.nii.gz",
        "UCSF-PDGM-v5/UCSF-PDGM-0433_nifti/UCSF-PDGM-0433_DTI_eddy_FA.nii.gz",
    }
    for exam in exams:
        path = tmp_path / exam
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    scans, notes = find_scans(card_of("UCSF-PDGM"), tmp_path)
    assert list(scans["subject"]) == ["UCSF-PDGM-0433"]
    assert notes == []
    old = tmp_path / "UCSF-PDGM-v2/UCSF-PDGM-0315_nifti"
    old.mkdir(parents=True)
    (old / "UCSF-PDGM-0315_T1.nii.gz").touch()
    _, notes = find_scans(card_of("UCSF-PDGM"), tmp_path)
    assert any("release 3" in issue for issue, *_ in notes)


def test_upenn_gbm_splits_survival_over_two_columns_and_censors_on_both_sides_of_a_year(tmp_path):
    write_cohort("UPENN-GBM", tmp_path, 24, spacing=8.0, seed=0)
    table = pd.read_csv(tmp_path / "UPENN-GBM_clinical_info_v2.1.csv")
    first = table[table["ID"].str.endswith("_11")]
    death, left = (
        pd.to_numeric(first[column], errors="coerce")
        for column in ("Survival_from_surgery_days_UPDATED", "Survival_Censor")
    )
    assert not (death.notna() & left.notna()).any()
    assert (death.notna() == (first["Survival_Status"] == "Deceased")).all()
    assert (left.notna() == first["Survival_Status"].isin(["Alive", "Lost to Follow-up"])).all()
    assert (left <= 365).any()
    assert (left > 365).any()
    assert min((death <= 365).sum(), (death > 365).sum()) >= 5
    assert (first["Age_at_scan_years"] == "89+").sum() == 1
    scans, _ = find_scans(card_of("UPENN-GBM"), tmp_path)
    assert set(scans["session"]) == {"11"}
    assert len(table) == len(first) + 1 == 25
    assert len(list(tmp_path.glob("NIfTI-files/images_structural/*_21/*"))) == 4
    assert scans.groupby("subject")["segmentation"].count().eq(0).sum() == 1


@pytest.mark.parametrize("name", TASKS)
def test_tasks_read_evaluation_cohorts_at_the_size_that_the_paper_states(name):
    task = load_card("tasks", name, CONFIG)
    assert all("evaluation" in card_of(dataset).roles for dataset in task.datasets)
    if task.published and task.published.test:
        test, train = (sum(part.values()) for part in (task.published.test, task.published.train))
        assert test / (test + train) == pytest.approx(task.test_fraction, abs=0.005)
    if task.split_as:
        assert load_card("tasks", task.split_as, CONFIG).datasets == task.datasets


@pytest.mark.parametrize(
    ("name", "training"),
    [
        ("BraTS2021", 1000),
        ("BraTS2023-MEN", 800),
        ("BraTS2023-Mets", 190),
        ("BraTS2024-GoAT", 1080),
    ],
)
def test_expected_cases_give_the_paper_s_fold_0(name, training):
    cases = card_of(name).expected.subjects
    folds = [len(part) for part in np.array_split(np.arange(cases), 5)]
    assert cases - folds[0] == training  # scikit-learn's first fold is the largest, as here


@pytest.mark.parametrize(("name", "volumes"), [("MEN", 800), ("SSA", 120), ("PED", 100)])
def test_pretraining_takes_no_more_than_the_paper_did(name, volumes):
    card = card_of(f"BraTS2023-{name}")
    assert card.pretraining_subjects * len(card.scans) == volumes
