import hashlib
import itertools

import nibabel as nib
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import (
    HTJ2K,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from braindino.corpus.chunks import chunk_of
from braindino.corpus.dicom import convert_series
from braindino.corpus.dicom_facts import facts
from braindino.corpus.series import read_stacks
from braindino.settings.cards import DatasetCard
from braindino.settings.corpus import Corpus

T1 = {"RepetitionTime": 500, "EchoTime": 10, "SeriesDescription": "AX T1"}
T2 = {"RepetitionTime": 4000, "EchoTime": 100, "SeriesDescription": "AX T2"}
CORNER = np.array([-10.0, -20.0, 5.0])  # of the first slice, in mm, LPS
PLANES = {
    "axial": [1, 0, 0, 0, 1, 0],
    "sagittal": [0, 1, 0, 0, 0, -1],
    "oblique": [0.96, 0.28, 0, -0.28, 0.96, 0],
}
BRIGHT = (3, 9, 12)  # column, row, slice


def card(series=None):
    return DatasetCard(
        name="lab",
        title="",
        citation="",
        homepage="",
        access="agreement",
        how_to_get="",
        licence="",
        roles=["pretraining"],
        folder="lab",
        reader="dicom",
        series=series,
        verified=False,
    )


def convert(folder, out, chunk=0, chunks=1, series=None):
    return convert_series(card(series), folder, out, chunk, chunks, Corpus())


def write_series(folder, slices=20, suffix=".dcm", thickness=3.0, name="im", **changes):
    """A head-like gradient in an axial stack, slices ascending, one bright voxel in it."""
    folder.mkdir(parents=True, exist_ok=True)
    header = {
        "PatientID": "P1",
        "StudyDate": "20200131",
        "SeriesNumber": 1,
        "Modality": "MR",
        "ImageType": ["ORIGINAL", "PRIMARY", "M"],
        "Manufacturer": "SIEMENS HEALTHCARE",
        "MagneticFieldStrength": 1.5,
        "PatientAge": "045Y",
        "PatientSex": "F",
        "ScanningSequence": "SE",
        "SequenceVariant": "SK",
        "SliceThickness": thickness,
        "ImageOrientationPatient": PLANES["axial"],
    } | changes
    normal = np.cross(*np.reshape(header["ImageOrientationPatient"], (2, 3)))
    keys = [str(header.get(k)) for k in ("PatientID", "StudyDate", "SeriesNumber")]
    paths = []
    for index in range(slices):
        dataset = Dataset()
        dataset.file_meta = FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
        dataset.SeriesInstanceUID = generate_uid(entropy_srcs=keys)
        dataset.StudyInstanceUID = generate_uid(entropy_srcs=keys[:2])
        dataset.FrameOfReferenceUID = dataset.StudyInstanceUID
        dataset.SOPInstanceUID = generate_uid(
            entropy_srcs=[*keys, str(header.get("EchoTime")), str(index)]
        )
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.Rows, dataset.Columns = 16, 14
        dataset.PixelSpacing = [1.5, 2.0]  # between rows, between columns
        dataset.ImagePositionPatient = (CORNER + thickness * index * normal).tolist()
        dataset.InstanceNumber = index + 1
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 0
        for keyword, value in header.items():
            if value is not None:
                setattr(dataset, keyword, value)
        pixels = np.add.outer(np.arange(16), np.arange(14)).astype("<u2") + index
        if index == BRIGHT[2]:
            pixels[BRIGHT[1], BRIGHT[0]] = 3000
        dataset.PixelData = pixels.tobytes()
        path = folder / f"{name}{index:03}{suffix}"
        dataset.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


@pytest.mark.parametrize("plane", ["axial", "sagittal", "oblique"])
def test_volume_lies_where_the_dicom_lay(tmp_path, plane):
    along_row, along_column = np.array(PLANES[plane]).reshape(2, 3)
    between = np.cross(along_row, along_column)
    write_series(tmp_path / "lab/P1", **T1, ImageOrientationPatient=PLANES[plane])
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert rejects.empty
    image = nib.load(scans["path"][0])
    voxel = np.unravel_index(np.asarray(image.dataobj).argmax(), image.shape)
    place = nib.affines.apply_affine(image.affine, voxel)
    column, row, index = BRIGHT
    lps = CORNER + 2.0 * column * along_row + 1.5 * row * along_column + 3.0 * index * between
    np.testing.assert_allclose(place, lps * [-1, -1, 1], atol=1e-3)
    assert sorted(image.shape) == [14, 16, 20]


def test_columns_come_from_the_header(tmp_path):
    write_series(tmp_path / "lab/P1", **T1)
    (scan,) = convert(tmp_path / "lab", tmp_path / "out")[0].to_dict("records")
    assert scan == {
        "subject": "P1",
        "session": "20200131",
        "modality": "T1w",
        "path": str(tmp_path / "out/P1/P1_20200131_T1w.nii.gz"),
        "segmentation": None,
        "vendor": "Siemens",
        "field_strength": 1.5,
        "slice_thickness": 3.0,
        "age": 45.0,
        "sex": "F",
        "description": "AX T1",
    }
    assert (tmp_path / "out/P1/P1_20200131_T1w.json").exists()


def test_parts_of_the_path_beat_the_header(tmp_path):
    write_series(tmp_path / "lab/S7/T1/2021/I12", **T1)
    write_series(tmp_path / "lab/S7/loose", **T2 | {"SeriesNumber": 2})
    pattern = "{subject}/{series}/{session}/{image:I[0-9]+}"
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out", series=pattern)
    columns = ["subject", "session", "image", "series"]
    assert scans[columns].to_numpy().tolist() == [["S7", "2021", "I12", "T1"]]
    assert "S7/loose does not match the card's 'series'" in rejects["reason"].item()


def test_mixed_folder_without_suffixes(tmp_path):
    folder = tmp_path / "lab/P1"
    write_series(folder, suffix="", name="a", **T1)
    write_series(folder, suffix="", name="b", **T2 | {"SeriesNumber": 2})
    (folder / "LICENSE").write_text("free")
    (folder / "labels.csv").write_text("a,b")
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert rejects.empty
    assert scans["modality"].tolist() == ["T1w", "T2w"]
    assert [nib.load(path).shape[2] for path in scans["path"]] == [20, 20]


def test_left_out_with_the_reason(tmp_path):
    folder = tmp_path / "lab/P1"
    adc = ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]
    write_series(folder / "1", slices=3, **T1 | {"SeriesDescription": "3-plane loc"})
    write_series(folder / "2", **T2 | {"SeriesNumber": 2, "ImageType": adc})
    write_series(folder / "3", slices=9, **T2 | {"SeriesNumber": 3})
    write_series(folder / "4", SeriesNumber=4, SeriesDescription="AX/odd")
    (folder / "4/notes").write_text("not a header")
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert scans.empty
    assert set(rejects["stage"]) == {"dicom"}
    told = rejects["reason"].tolist()
    assert [sum(words in reason for reason in told) for words in (
        "localizer",
        "diffusion, by its image type",
        "short stack: 9 slices, 15 are needed",
        "no rule tells its contrast (description 'AX/odd', TR nan, TE nan, TI nan)",
        "files that are no readable DICOM: 1 (first: 4/notes)",
    )] == [1] * 5  # fmt: skip
    assert "lab/P1/20200131/AX-odd" in set(rejects["volume_id"])


def cut_short(paths):
    paths[4].write_bytes(paths[4].read_bytes()[:-10])


def lose_a_slice(paths):
    paths[7].unlink()


def compress(paths):
    """Claim High-Throughput JPEG 2000, which dcm2niix cannot read."""
    for path in paths:
        dataset = dcmread(path)
        dataset.file_meta.TransferSyntaxUID = HTJ2K
        dataset.PixelData = encapsulate([b"\xff\x4f" + bytes(100)])
        dataset["PixelData"].VR = "OB"
        dataset.save_as(path)


def cut_header(paths):
    paths[7].write_bytes(paths[7].read_bytes()[:300])


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (
            cut_short,
            "(Warning: File not large enough to store image data)",
        ),
        (lose_a_slice, "slices are missing or uneven: they lie 3 to 6 mm apart"),
        (cut_header, "slices are missing or uneven: they lie 3 to 6 mm apart"),
        (compress, "its pixels are High-Throughput JPEG 2000 Image Compression"),
    ],
)
def test_damaged_series_is_a_reject(tmp_path, damage, reason):
    damage(write_series(tmp_path / "lab/P1", **T1))
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert scans.empty
    assert rejects["reason"].str.contains(reason, regex=False).sum() == 1
    assert not list((tmp_path / "out").rglob("*.nii.gz"))


def test_agent_tells_t1c_from_t1w(tmp_path):
    write_series(tmp_path / "lab/P1/1", **T1, ContrastBolusAgent="NONE")
    write_series(tmp_path / "lab/P1/2", **T1 | {"SeriesNumber": 2}, ContrastBolusAgent="Gadavist")
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert rejects.empty
    assert scans["modality"].tolist() == ["T1c", "T1w"]


def test_dual_echo_series_makes_two_volumes(tmp_path):
    dual = T2 | {"SeriesDescription": "AX PD/T2"}
    write_series(tmp_path / "lab/P1", name="a", **dual | {"EchoTime": 15})
    write_series(tmp_path / "lab/P1", name="b", **dual)
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert rejects.empty
    assert scans["modality"].tolist() == ["PDw", "T2w"]
    assert all(nib.load(path).shape[2] == 20 for path in scans["path"])


def merge_frames(paths):
    """Put a series into one enhanced file, its geometry and timing in functional groups."""
    frames = [dcmread(path) for path in paths]
    merged = frames[0]
    merged.SOPClassUID = merged.file_meta.MediaStorageSOPClassUID = EnhancedMRImageStorage
    merged.NumberOfFrames = len(frames)
    per_frame = [
        {
            "PlanePositionSequence": {"ImagePositionPatient": frame.ImagePositionPatient},
            "MREchoSequence": {"EffectiveEchoTime": frame.EchoTime},
            "FrameContentSequence": {"InStackPositionNumber": index + 1},
        }
        for index, frame in enumerate(frames)
    ]
    shared = {
        "PixelMeasuresSequence": {"PixelSpacing": merged.PixelSpacing, "SliceThickness": 3.0},
        "PlaneOrientationSequence": {"ImageOrientationPatient": PLANES["axial"]},
        "MRTimingAndRelatedParametersSequence": {"RepetitionTime": merged.RepetitionTime},
    }
    merged.SharedFunctionalGroupsSequence = [groups(shared)]
    merged.PerFrameFunctionalGroupsSequence = [groups(frame) for frame in per_frame]
    merged.PixelData = b"".join(dcmread(path).PixelData for path in paths)
    for keyword in ("EchoTime", "RepetitionTime", "PixelSpacing", "SliceThickness"):
        delattr(merged, keyword)
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient"):
        delattr(merged, keyword)
    for path in paths:
        path.unlink()
    merged.save_as(paths[0])


def groups(contents):
    filled = Dataset()
    for sequence, elements in contents.items():
        item = Dataset()
        for keyword, value in elements.items():
            setattr(item, keyword, value)
        setattr(filled, sequence, [item])
    return filled


def test_multi_frame_file_is_told_by_its_groups(tmp_path):
    merge_frames(write_series(tmp_path / "lab/P1", **T2 | {"SeriesDescription": "scan"}))
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert rejects.empty
    assert scans[["modality", "slice_thickness"]].to_numpy().tolist() == [["T2w", 3.0]]
    assert nib.load(scans["path"][0]).shape[2] == 20


def test_copies_of_files_count_once(tmp_path):
    for folder in ("1", "again"):
        write_series(tmp_path / "lab/P1" / folder, **T1)
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert rejects.empty
    assert nib.load(scans["path"].item()).shape[2] == 20


def test_repeated_volumes_are_a_time_series(tmp_path):
    for run in (1, 2, 3):
        write_series(tmp_path / "lab/P1", name=f"r{run}-", **T1 | {"StudyDate": f"2020010{run}"})
    uid = generate_uid(entropy_srcs=["one"])
    write_series(tmp_path / "lab/P2", name="a", **T1, SeriesInstanceUID=uid)
    later = {"SeriesInstanceUID": uid, "StudyDate": "20200201"}
    write_series(tmp_path / "lab/P2", name="b", **T1 | later)
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert len(scans) == 3
    assert rejects["reason"].tolist() == ["several volumes over time"]


def test_thinnest_series_of_a_visit_is_used(tmp_path):
    folder = tmp_path / "lab/P1"
    write_series(folder / "1", thickness=5.0, **T1)
    write_series(folder / "2", thickness=1.0, slices=40, **T1 | {"SeriesNumber": 2})
    write_series(folder / "3", thickness=1.0, slices=30, **T1 | {"SeriesNumber": 3})
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert scans["slice_thickness"].tolist() == [1.0]
    assert nib.load(scans["path"][0]).shape[2] == 40
    expected = "another T1w series of the visit is used (AX T1, series 2)"
    assert rejects["reason"].tolist() == [expected] * 2


def test_next_series_steps_in_where_the_best_cannot_be_converted(tmp_path):
    folder = tmp_path / "lab/P1"
    write_series(folder / "1", thickness=5.0, **T1)
    compress(write_series(folder / "2", thickness=1.0, **T1 | {"SeriesNumber": 2}))
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert scans["slice_thickness"].tolist() == [5.0]
    assert len(rejects) == 1


def test_chunks_part_the_patients(tmp_path):
    names = [f"P{index}" for index in range(7)]
    for name in names:
        write_series(tmp_path / "lab" / name, slices=15, **T1, PatientID=name)
    (tmp_path / "lab/labels.csv").write_text("a,b")
    parts = [convert(tmp_path / "lab", tmp_path / "out", chunk, 3)[0] for chunk in range(3)]
    subjects = [part["subject"].tolist() for part in parts]
    assert sorted(itertools.chain(*subjects)) == names
    assert all(chunk_of(s, 3) == chunk for chunk in range(3) for s in subjects[chunk])


def test_empty_folder(tmp_path):
    (tmp_path / "lab/P1").mkdir(parents=True)
    scans, rejects = convert(tmp_path / "lab", tmp_path / "out")
    assert scans.empty
    assert rejects.empty
    assert {"subject", "session", "modality", "path", "vendor", "age"} <= set(scans)


def test_same_call_gives_the_same_bytes(tmp_path):
    write_series(tmp_path / "lab/P1", **T1)
    write_series(tmp_path / "lab/P2", **T2, PatientID="P2")
    frames, digests = [], []
    for _ in range(2):
        scans, _ = convert(tmp_path / "lab", tmp_path / "out")
        frames.append(scans)
        files = sorted((tmp_path / "out").rglob("*.*"))
        digests.append([hashlib.sha256(p.read_bytes()).hexdigest() for p in files])
    assert frames[0].equals(frames[1])
    assert len(digests[0]) == 4
    assert digests[0] == digests[1]


@pytest.mark.parametrize(
    ("keyword", "value", "column", "expected"),
    [
        ("PatientAge", "006M", "age", 0.5),
        ("PatientAge", "010W", "age", 70 / 365.25),
        ("PatientAge", "n/a", "age", None),
        ("PatientAge", None, "age", None),
        ("PatientSex", "O", "sex", None),
        ("Manufacturer", "GE MEDICAL SYSTEMS", "vendor", "GE"),
        ("Manufacturer", "Acme", "vendor", "Acme"),
        ("Manufacturer", None, "vendor", None),
        ("MagneticFieldStrength", 15000, "field_strength", 1.5),
        ("SliceThickness", None, "slice_thickness", 3.0),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_facts(tmp_path, keyword, value, column, expected):
    write_series(tmp_path, slices=2, **T1 | {keyword: value})
    (stack,), _ = read_stacks(tmp_path)
    found = facts(stack)[column]
    assert (
        found == pytest.approx(expected)
        if expected is not None
        else found in (None, "") or found != found
    )
