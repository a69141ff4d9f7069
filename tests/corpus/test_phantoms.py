import itertools
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from nilearn import datasets, image
from scipy import ndimage, stats

from braindino.corpus.phantoms import COHORTS, write_cohort
from braindino.corpus.phantoms.anatomy import Person, build_anatomy
from braindino.corpus.phantoms.archive import save_scan
from braindino.corpus.phantoms.fields import Grid, smooth_field
from braindino.corpus.phantoms.scanner import Scanner, scan_brain
from braindino.corpus.phantoms.template import load_template
from braindino.corpus.scans import find_scans
from braindino.files import sha256
from braindino.settings.cards import DatasetCard

CARDS = sorted(Path(__file__).parents[2].joinpath("config/datasets").glob("*.yaml"))
SUBJECTS = 4
NAMES = ["IXI", "LONG579", "Pixar", "BraTS2023-MEN", "BraTS2023-SSA", "BraTS2023-PED"]


def read_card(path):
    return DatasetCard(**yaml.safe_load(path.read_text()))


@pytest.fixture(scope="module")
def cohorts(tmp_path_factory):
    """Every cohort, coarse and small, written on first use."""
    written = {}

    def get(name):
        if name not in written:
            written[name] = tmp_path_factory.mktemp(name)
            write_cohort(name, written[name], SUBJECTS, spacing=4.0, seed=3)
        return written[name]

    return get


def scans_of(folder):
    return sorted(path for path in folder.rglob("*.nii.gz") if not path.match("*-seg.nii.gz"))


def checksums(folder):
    return {p.relative_to(folder): sha256(p) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_arguments_write_the_same_bytes_and_another_seed_others(name, tmp_path):
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_cohort(name, tmp_path / folder, subjects=2, spacing=8.0, seed=seed)
    first, again, other = (checksums(tmp_path / folder) for folder in "abc")
    assert first == again
    assert not set(first.values()) & {
        sha for path, sha in other.items() if path.name != "dataset_description.json"
    }


def test_a_cohort_without_phantom_is_refused_by_name(tmp_path):
    with pytest.raises(ValueError, match=r"'Atlantis'; known: .*IXI, LONG579, Pixar"):
        write_cohort("Atlantis", tmp_path, 3)


def test_every_phantom_cohort_has_a_card():
    assert set(COHORTS) <= {path.stem for path in CARDS}


@pytest.mark.parametrize("orientation", ["RAS", "PSR", "LAS", "LPS"])
def test_a_voxel_keeps_its_place_in_the_world_whatever_the_orientation(orientation, tmp_path):
    grid = Grid((5, 6, 7), (2.0, 3.0, 4.0))
    scan = np.zeros(grid.shape, np.int16)
    scan[4, 1, 6] = 7  # right, posterior, superior of the centre
    save_scan(scan, grid, tmp_path / "a.nii.gz", orientation)
    stored = nib.load(tmp_path / "a.nii.gz")
    assert "".join(nib.aff2axcodes(stored.affine)) == orientation
    voxel = np.argwhere(np.asanyarray(stored.dataobj) == 7)[0]
    assert nib.affines.apply_affine(stored.affine, voxel) == pytest.approx([4.0, -4.5, 12.0])


@pytest.mark.parametrize("name", ["IXI", "LONG579", "Pixar", "BraTS2023-MEN"])
def test_brains_lie_as_the_template_does(name, cohorts):
    template = datasets.load_mni152_template(resolution=4)
    scan = next(p for p in scans_of(cohorts(name)) if "T1" in p.name or "t1n" in p.name)
    canonical = nib.as_closest_canonical(nib.load(scan))
    centre = ndimage.center_of_mass(
        canonical.get_fdata() > np.percentile(canonical.get_fdata(), 80)
    )
    affine = canonical.affine.copy()
    affine[:3, 3] = np.array([0, -17, 5]) - affine[:3, :3] @ centre  # centred as the template's is
    moved = nib.Nifti1Image(canonical.get_fdata(), affine)
    ours = image.resample_to_img(moved, template, force_resample=True, copy_header=True).get_fdata()
    brain = template.get_fdata()
    likeness = {
        flips: np.corrcoef(np.flip(ours, flips).ravel(), brain.ravel())[0, 1]
        for flips in [(), (1,), (2,), (1, 2)]
    }
    assert max(likeness, key=likeness.get) == ()


def test_left_is_left_in_both_orientations_of_a_subject(cohorts):
    # The template is symmetric, a person is not: mirrored, T1w and T2w would match less.
    matched = mirrored = 0
    for t1 in sorted(cohorts("IXI").glob("IXI-T1/*")):
        t2 = Path(str(t1).replace("-T1", "-T2"))
        heads, other = (image.new_img_like(i, i.get_fdata()) for i in map(nib.load, (t1, t2)))
        heads = nib.as_closest_canonical(heads)
        other = image.resample_to_img(other, heads, force_resample=True, copy_header=True)
        a, b = (ndimage.gaussian_filter(i.get_fdata(), 1) for i in (heads, other))
        a, b = a > np.percentile(a, 75), b > np.percentile(b, 75)
        matched += (a & b).sum()
        mirrored += (a & b[::-1]).sum()
    assert matched > mirrored


def csf_fraction(age, subject):
    anatomy = build_anatomy(Person(subject, age, "F", 0), (4.0, 4.0, 4.0))
    fluid = anatomy.tissues["csf"] + anatomy.tissues["vessel"]
    return fluid[anatomy.brain].mean()


def test_fluid_spaces_widen_with_age():
    ages = np.linspace(4, 86, 24)
    fractions = [csf_fraction(age, f"subject {i}") for i, age in enumerate(ages)]
    assert stats.spearmanr(ages, fractions).statistic > 0.9
    assert np.mean(fractions[-6:]) > 2 * np.mean(fractions[:6])


def test_tissues_fill_the_brain_and_the_same_subject_keeps_its_shape():
    young, old = (build_anatomy(Person("a", age, "M", 0), (4.0,) * 3) for age in (30, 31))
    total = sum(young.tissues.values())
    assert total == pytest.approx(np.ones_like(total), abs=1e-4)
    assert (young.brain == old.brain).mean() > 0.995
    other = build_anatomy(Person("b", 30, "M", 0), (4.0,) * 3)
    assert (young.brain == other.brain).mean() < 0.99


def test_contrast_agent_brightens_vessels_and_plexus_of_a_brain_without_tumour():
    anatomy = build_anatomy(Person("a", 60, "F", 0), (2.0,) * 3)
    scanner = Scanner(1000, 0.0, 0.0)
    plain, enhanced = (
        scan_brain(anatomy, contrast, scanner, anatomy.grid, np.random.default_rng(0))
        for contrast in ("T1w", "T1c")
    )
    x, y, z = np.abs(anatomy.points[0]), *anatomy.points[1:]
    left, right = (
        (np.hypot(np.hypot(x - 22, y + 38), z - 10) < 5) & (anatomy.points[0] * side > 0)
        for side in (-1, 1)
    )
    for glomus in (left, right):
        assert (enhanced[glomus] > 1000).any()  # brighter than white matter
        assert (plain[glomus] <= 1000).all()
    bright = (enhanced > 1100) & anatomy.brain
    assert 0.005 < bright.sum() / anatomy.brain.sum() < 0.1
    assert not ((plain > 1100) & anatomy.brain).any()


def test_ventricles_of_the_template_have_an_adult_volume():
    ventricles = (load_template().maps[3] < 0).sum().item() * 8 / 1000  # 2 mm voxels
    assert 10 < ventricles < 40  # ml; lateral and third together are about 25 in young adults


def test_smooth_fields_have_unit_variance_and_vary_slowly():
    grid = Grid((40, 40, 40), (4.0, 4.0, 4.0))
    fields = smooth_field(np.random.default_rng(0), grid, 12.0, components=8)
    assert fields.std() == pytest.approx(1, abs=0.1)
    assert np.corrcoef(fields[:, :-1].ravel(), fields[:, 1:].ravel())[0, 1] > 0.9
    assert abs(np.corrcoef(fields[:, :20].ravel(), fields[:, 20:].ravel())[0, 1]) < 0.1


def test_a_volume_fits_into_a_grid_centre_on_centre():
    cube = np.arange(1, 28).reshape(3, 3, 3)
    grown = Grid((5, 3, 1), (1.0,) * 3).fit(cube)
    assert grown.shape == (5, 3, 1)
    assert np.array_equal(grown[1:4, :, 0], cube[:, :, 1])
    assert not grown[[0, 4]].any()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "IXI"])
def test_stripped_cohorts_are_zero_outside_the_brain_and_nowhere_within(name, cohorts):
    for path in scans_of(cohorts(name)):
        scan = np.asanyarray(nib.load(path).dataobj)
        brain = scan > 0
        assert scan.dtype == np.int16
        assert 0.05 < brain.mean() < 0.4
        assert np.array_equal(brain, ndimage.binary_fill_holes(brain))
        assert brain[1:-1, 1:-1, 1:-1].sum() == brain.sum()  # no brain is cut off


def test_heads_have_noise_in_the_air_and_a_scalp_brighter_than_the_skull(cohorts):
    for path in scans_of(cohorts("IXI")):
        scan = nib.as_closest_canonical(nib.load(path)).get_fdata()
        assert (scan[:3, :3] > 0).mean() > 0.5
        y, z = (n // 2 for n in scan.shape[1:])
        profile = scan[:, y, z - 2 : z + 3].mean(1)
        scalp = np.argmax(profile > 0.4 * profile.max())
        assert scan[:3, :3].mean() < 0.2 * profile[scalp]


def test_brats_cases_are_complete_and_on_the_atlas_grid(cohorts):
    cases = sorted(cohorts("BraTS2023-PED").iterdir())
    assert len(cases) == SUBJECTS
    for case, suffix in itertools.product(cases, ("t1n", "t1c", "t2w", "t2f", "seg")):
        scan = nib.load(case / f"{case.name}-{suffix}.nii.gz")
        assert scan.shape == (60, 60, 39)
        assert scan.affine == pytest.approx(
            np.array([[-4, 0, 0, 0], [0, -4, 0, 236], [0, 0, 4, 0], [0, 0, 0, 1]])
        )


@pytest.mark.parametrize("kind", ["MEN", "SSA", "PED"])
def test_tumours_lie_in_the_brain_and_stand_out_where_they_do_in_life(kind, cohorts):
    for case in sorted(cohorts(f"BraTS2023-{kind}").iterdir()):
        t1n, t1c, flair, labels = (
            nib.load(case / f"{case.name}-{suffix}.nii.gz").get_fdata()
            for suffix in ("t1n", "t1c", "t2f", "seg")
        )
        tumour, brain = labels > 0, flair > 0
        assert set(np.unique(labels)) <= {0, 1, 2, 3}
        assert 5 <= tumour.sum() < 0.2 * brain.sum()
        assert not (tumour & ~brain).any()
        # On T1 white matter is the brighter half of the healthy brain.
        healthy = brain & ~tumour
        white = healthy & (t1n > np.median(t1n[healthy]))
        assert np.median(flair[tumour]) > 1.2 * np.median(flair[white])
        enhancing = labels == 3
        if enhancing.sum() > 5:
            lit = np.median(t1c[enhancing]) / np.median(t1c[white])
            assert lit > 1.3 * np.median(t1n[enhancing]) / np.median(t1n[white])


def test_ixi_table_has_the_archive_s_quirks(cohorts):
    folder = cohorts("IXI")
    table = pd.read_excel(folder / "IXI.xls")
    scanned = {int(p.name[3:6]) for p in folder.glob("IXI-T1/*")}
    assert "SEX_ID (1=m, 2=f)" in table
    assert set(table["SEX_ID (1=m, 2=f)"]) == {1, 2}
    assert table["AGE"].isna().sum() == 1
    assert scanned < set(table["IXI_ID"])
    assert len(table) == len(scanned) + 1 == SUBJECTS + 1
    known = table.dropna(subset="AGE")
    years = (known["STUDY_DATE"] - known["DOB"]).dt.days / 365.25
    assert years.to_numpy() == pytest.approx(known["AGE"].to_numpy(), abs=0.01)
    assert known["AGE"].between(19, 88).all()


def test_ixi_t1_is_sagittal_with_thicker_slices(cohorts):
    scan = nib.load(next(cohorts("IXI").glob("IXI-T1/*")))
    assert "".join(nib.aff2axcodes(scan.affine)) == "PSR"
    assert scan.header.get_zooms() == pytest.approx((4.0, 4.0, 5.12))


def test_long579_ages_follow_from_its_shifted_dates(cohorts):
    folder = cohorts("LONG579")
    table = pd.read_csv(folder / "participants.tsv", sep="\t", na_values="n/a")
    assert not any("age" in column.lower().split("_") for column in table)
    born = pd.to_datetime(table["birthdate"])
    assert (born.dt.year < 1900).all()
    for session, low, high in (("5", 5.5, 6.5), ("7", 7, 8), ("9", 8.5, 10)):
        years = (pd.to_datetime(table[f"ses-{session}_date_ST"]) - born).dt.days / 365.25
        assert years.dropna().between(low - 0.01, high + 0.01).all()
        assert len(list(folder.glob(f"sub-*/ses-{session}"))) == years.notna().sum()
    assert len(list(folder.glob("sub-*/ses-5/anat/*_acq-D1S7_T1w.nii.gz"))) == 1


@pytest.mark.parametrize("path", CARDS, ids=lambda path: path.stem)
def test_cards_are_valid_and_carry_the_name_of_their_file(path):
    card = read_card(path)
    assert card.name == path.stem
    assert path.read_text().startswith("# yaml-language-server: $schema=../schemas/")


@pytest.mark.parametrize("name", NAMES)
def test_a_card_finds_every_scan_of_its_phantom(name, cohorts):
    card = read_card(next(path for path in CARDS if path.stem == name))
    folder = cohorts(name)
    scans, _ = find_scans(card, folder)
    assert sorted(scans["path"]) == [str(path) for path in scans_of(folder)]
    assert scans["subject"].nunique() == SUBJECTS
    for labels in card.labels:
        reader = pd.read_excel if labels.file.endswith("xls") else pd.read_table
        table = reader(folder / labels.file)
        keys = {labels.key_format.format(v).removeprefix("sub-") for v in table[labels.key]}
        assert set(scans["subject"]) <= keys
        assert set(labels.columns.values()) <= set(table)
        assert set(table[labels.columns["sex"]].astype(str)) <= set(labels.values["sex"])
        for session in scans["session"].unique():
            dates = [c.format(session=session) for pair in labels.years.values() for c in pair]
            assert set(dates) <= set(table)
