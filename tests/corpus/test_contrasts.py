import pytest

from braindino.corpus import contrast_rules
from braindino.corpus.contrasts import Header, clean, tell_contrast


def header(description="", image_type="ORIGINAL PRIMARY M", scanning="", variant="", **rest):
    tags = {"image_type": image_type, "scanning": scanning, "variant": variant}
    tags = {name: frozenset(value.split()) for name, value in tags.items()}
    return Header(description=description, **tags, **rest)


# One or more series a row: (row, contrast, header).
SERIES = [
    ("not MR", None, header("T1 MPRAGE", modality="SEG")),
    ("localizer, by slices in several planes", None, header("AX T1", several_planes=True)),
    ("localizer, by its image type", None, header("HEAD", "ORIGINAL PRIMARY LOCALIZER")),
    ("diffusion, by its b-value", None, header("AX T2", b_value=1000)),
    ("diffusion, by its image type", None, header("AX", "DERIVED PRIMARY DIFFUSION ADC")),
    ("perfusion, by its image type", None, header("AX", "ORIGINAL PRIMARY PERFUSION")),
    ("functional, by its image type", None, header("AX", "ORIGINAL PRIMARY FMRI NONE")),
    ("phase, real or imaginary image", None, header("AX T1", "ORIGINAL PRIMARY P ND")),
    (
        "projection, by its image type",
        None,
        Header(description="T1", image_type=frozenset({"DERIVED", "PROJECTION IMAGE"})),
    ),
    ("reformat, by its image type", None, header("T1", "DERIVED SECONDARY MPR M ND NORM")),
    ("subtraction, by its image type", None, header("T1", "DERIVED PRIMARY SUBTRACTION")),
    ("derived image (ImageType DERIVED, SECONDARY)", None, header("T1", "DERIVED SECONDARY")),
    ("echo-planar (diffusion, perfusion or functional)", None, header("AX", scanning="EP SE")),
    ("several volumes over time", None, header("T1", repeats=40)),
    ("localizer", None, header("3-plane loc")),
    ("localizer", None, header("AAHead_Scout")),
    ("localizer", None, header("SURVEY")),
    ("localizer", None, header("Localizer", te=100, tr=4000)),
    ("calibration or field map", None, header("ASSET calibration")),
    ("calibration or field map", None, header("gre_field_mapping")),
    ("diffusion", None, header("ep2d_diff_3scan_trace_p2_ADC")),
    ("diffusion", None, header("Apparent Diffusion Coefficient (mm2/s)")),
    ("diffusion", None, header("AX DTI 30 DIR")),
    ("diffusion", None, header("isotropic b1000")),
    ("perfusion", None, header("ep2d_perf_rCBV")),
    ("perfusion", None, header("AX DSC")),
    ("perfusion", None, header("3D pCASL")),
    ("perfusion", None, header("DCE T1")),
    ("functional or echo-planar", None, header("Resting State fMRI")),
    ("functional or echo-planar", None, header("bold_finger")),
    ("susceptibility or T2*", None, header("SWI_Images")),
    ("susceptibility or T2*", None, header("Ax SWAN")),
    ("susceptibility or T2*", None, header("AX T2* GRE")),
    ("susceptibility or T2*", None, header("t2_fl2d_tra_hemo")),
    ("susceptibility or T2*", None, header("T2_star")),
    ("T2* gradient echo", None, header("AX GRE T2")),
    ("T2* gradient echo", None, header("T2W_FFE")),
    ("angiography", None, header("3D TOF MRA")),
    ("angiography", None, header("MRV 2D PC")),
    ("angiography", None, header("", scanning="GR", sequence="*fl3d1r_ta", tr=22, te=4, flip=18)),
    ("spectroscopy", None, header("PRESS 35 SVS")),
    ("quantitative map", None, header("T1 map")),
    ("phase image", None, header("SWP Pha_Images")),
    ("projection", None, header("SAG MIP")),
    ("subtraction", None, header("T1 POST SUB")),
    ("subtraction", None, header("AX Subtraction")),
    ("reformat (MPR)", None, header("AX T1 MPR", "DERIVED PRIMARY")),
    ("reformat", None, header("COR T1 reformat")),
    ("mask, overlay or report", None, header("tumor segmentation")),
    ("part of the head or another region", None, header("AX T1 IAC POST")),
    ("part of the head or another region", None, header("SAG T2 C-SPINE")),
    ("balanced steady state", None, header("AX 3D FIESTA")),
    ("balanced steady state", None, header("t2_ciss3d_tra")),
    ("STIR, double or phase-sensitive inversion", None, header("COR STIR")),
    ("magnetisation transfer", None, header("2D GRE-MT")),
    ("inversion image of MP2RAGE", None, header("t1_mp2rage_sag_INV1")),
    ("T1 FLAIR", "T1w", header("Ax T1 FLAIR", te=24, ti=860, tr=2200)),
    ("T1 FLAIR", "T1w", header("t1_tirm_tra_dark-fluid")),
    ("FLAIR", "FLAIR", header("Ax T2 FLAIR")),
    ("FLAIR", "FLAIR", header("AXFLAIR")),
    ("FLAIR", "FLAIR", header("t2_tirm_tra_dark-fluid_p2")),
    ("FLAIR", "FLAIR", header("Sagittal 3D FLAIR", agent="Gadavist")),
    ("dual echo, short TE", "PDw", header("AX T2 FSE", echoes=2, te=14)),
    ("dual echo, long TE", "T2w", header("AX PD", echoes=2, te=98)),
    ("PD and T2, short TE", "PDw", header("Axial PD/T2 FSE", te=11)),
    ("PD and T2, long TE", "T2w", header("Axial PD-T2 TSE", te=102)),
    ("PD", "PDw", header("AX PD FSE")),
    ("PD", "PDw", header("Proton density")),
    ("T2", "T2w", header("AXT2")),
    ("T2", "T2w", header("t2_tse_tra_512")),
    ("T2", "T2w", header("3D Sag T2 CUBE", te=20, tr=500)),
    ("T2", "T2w", header("sT2W_3D_TSE", agent="Gadavist")),
    ("T1", "T1w", header("t1_mpr_ns_sag", "ORIGINAL PRIMARY M ND")),
    ("T1", "T1w", header("MP-RAGE REPEAT")),
    ("T1", "T1w", header("Accelerated Sagittal IR-FSPGR")),
    ("T1", "T1w", header("sT1W_3D_TFE", agent="No")),
    ("T1", "T1w", header("T1", agent="NONE")),
    ("T1", "T1w", header("T1", agent="no contrast")),
    ("T1", "T1w", header("T1", agent="--")),
    ("T1", "T1w", header("SAG T1 SE", "DERIVED PRIMARY M DIS2D")),
    ("T1", "T1w", header("SAG T1 SE", "DERIVED SECONDARY M NORM DIS2D")),
    ("T1", "T1w", header("AX T1 posterior fossa")),
    ("T1", "T1w", header("POST OP DAY 1 SAG T1")),
    ("T1", "T1w", header("SAG T1 compressed sense")),
    ("T1", "T1w", header("HEAD", protocol="t1_se_sag", te=100, tr=4000)),
    ("T1", "T1w", header("HEAD", sequence="*tfl3d1_16ns")),
    ("T2* gradient echo, by its echo time", None, header(scanning="GR", tr=650, te=20, flip=20)),
    ("FLAIR, by TI", "FLAIR", header(scanning="SE IR", tr=9000, te=120, ti=2500)),
    ("STIR, by its inversion time", None, header(scanning="IR SE", tr=4000, te=40, ti=160)),
    ("prepared T1", "T1w", header(scanning="SE IR", tr=2200, te=24, ti=860)),
    ("prepared T1", "T1w", header(scanning="GR IR", tr=2300, te=3, ti=900, flip=9)),
    ("MPRAGE, by its preparation", "T1w", header(scanning="GR", variant="MP", tr=6.8, te=3.1)),
    ("spoiled T1", "T1w", header(scanning="GR", variant="SP", tr=25, te=4, flip=30)),
    ("spin-echo T1", "T1w", header(scanning="SE", tr=500, te=12)),
    ("long TR and TE", "T2w", header(scanning="SE", tr=4500, te=100, ti=0)),
    ("long TR, short TE", "PDw", header(scanning="SE", tr=2500, te=20)),
    ("T1 before the agent, by name", "T1w", header("AXT1PRE", agent="Gadavist")),
    ("T1 before the agent, by name", "T1w", header("T1 pre-contrast", agent="MAGNEVIST")),
    ("T1 before the agent, by name", "T1w", header("AX T1 W/O", agent="gad")),
    ("T1 before the agent, by name", "T1w", header("T1 non contrast", agent="gad")),
    ("T1 after the agent, by name", "T1c", header("AXT1POST")),
    ("T1 after the agent, by name", "T1c", header("AX T1 SE +C")),
    ("T1 after the agent, by name", "T1c", header("+C 3D AXIAL IRSPGR", agent="none")),
    ("T1 after the agent, by name", "T1c", header("Ax T1 FLAIR GAD")),
    ("T1 after the agent, by name", "T1c", header("t1_mprage_sag_KM")),
    ("T1 after the agent, by name", "T1c", header("T1ce")),
    ("T1 after the agent, by name", "T1c", header("STEREO-POST-T1 SPGR")),
    ("T1 after the agent, by name", "T1c", header("POSTOP T1 POST GD")),
    ("T1 with an agent in its header", "T1c", header("AX T1 SE", agent="20ML MAGNEVIST")),
    ("T1 with an agent in its header", "T1c", header(scanning="SE", tr=500, te=9, agent="Gad")),
]


@pytest.mark.parametrize(("row", "contrast", "series"), SERIES)
def test_row_by_row(row, contrast, series):
    assert tell_contrast(series) == (contrast, row)


def test_every_row_is_tried_and_has_its_own_name():
    tables = ("FLAGS", "WORDS", "NUMBERS", "AGENT_NAMED", "AGENT_FILLED")
    rows = [rule.name for table in tables for rule in getattr(contrast_rules, table)]
    assert len(set(rows)) == len(rows)
    assert {row for row, _, _ in SERIES} == set(rows)


@pytest.mark.parametrize(
    "series",
    [
        header(),
        header("Ax 3D", tr=1500, te=50, ti=0),
        header("PD/T2"),
        header("T1 and T2"),
        header(tr=7, te=3, flip=12),
    ],
)
def test_undecided_says_what_it_saw(series):
    contrast, reason = tell_contrast(series)
    assert contrast is None
    assert reason.startswith(f"no rule tells its contrast (description '{series.description}', TR")


def test_description_beats_numbers_and_protocol():
    assert tell_contrast(header("AX T2", protocol="AX T1", tr=500, te=10))[0] == "T2w"
    assert tell_contrast(header("scan 3", protocol="AX T1", tr=4000, te=100))[0] == "T1w"


def test_clean_parts_the_words():
    assert clean("AXT1_POST") == "ax t1 post"
    assert clean("sT1W_3D") == "s t1w 3d"
    assert clean("Part1 T2*") == "part1 t2 *"
