"""Clinical sequences: their timing, what they show, and what a reader has to leave out."""

from typing import NamedTuple

from braindino.corpus.phantoms.dicom import save_series
from braindino.corpus.phantoms.fields import Grid
from braindino.corpus.phantoms.scanner import scan_brain
from braindino.seeds import derive_rng

FIELD_OF_VIEW = (176.0, 224.0, 180.0)  # mm, RAS
THICKNESS = 5.0  # mm; what radiology departments choose for two-dimensional sequences
ACROSS = 1.28  # of a 3-D sequence's slice thickness to its pixels: 1.2 mm to 0.94 mm in ADNI-1
ADC = ("DERIVED", "PRIMARY", "DIFFUSION", "ADC")


class Sequence(NamedTuple):
    """A sequence, with the textbook's timing in ms (assumed).

    Attributes
    ----------
    contrast : str
        Contrast whose signals the phantom shows.
    tr, te, ti : float or None
    flip : float
        degrees.
    kind : tuple of str
        DICOM ScanningSequence.
    volume : bool
        Whether it is 3-D, in sagittal slices; else in axial slices of `THICKNESS`.
    slices : int or None
        Most slices, where they do not cover the brain.
    image_type : tuple of str
        DICOM ImageType.
    modality : str
        DICOM Modality.
    """

    contrast: str
    tr: float
    te: float
    ti: float | None
    flip: float
    kind: tuple
    volume: bool = False
    slices: int | None = None
    image_type: tuple = ("ORIGINAL", "PRIMARY", "M", "ND")
    modality: str = "MR"


SEQUENCES = {
    "T1w": Sequence("T1w", 500, 12, None, 90, ("SE",)),
    "T1c": Sequence("T1c", 500, 12, None, 90, ("SE",)),
    "T2w": Sequence("T2w", 4500, 100, None, 90, ("SE",)),
    "FLAIR": Sequence("FLAIR", 9000, 120, 2500, 90, ("SE", "IR")),
    "T1w 3-D": Sequence("T1w", 2300, 3, 900, 9, ("GR", "IR"), True),
    "T1c 3-D": Sequence("T1c", 2300, 3, 900, 9, ("GR", "IR"), True),
    "T2w 3-D": Sequence("T2w", 3200, 400, None, 120, ("SE",), True),
    # What a reader has to leave out; the pixels of the last three do not matter.
    "localizer": Sequence("T1w", 8, 4, None, 20, ("GR",), slices=3),
    "short": Sequence("T2w", 4500, 100, None, 90, ("SE",), slices=8),
    "ADC": Sequence("T2w", 5000, 90, None, 90, ("EP",), image_type=ADC),
    "perfusion": Sequence("T2w", 1500, 30, None, 60, ("EP",)),
    "CT": Sequence("T1w", None, None, None, None, (), modality="CT"),
    "PT": Sequence("T1w", None, None, None, None, (), modality="PT"),
}
OTHERS = {
    **{"localizer": "LOCALIZER", "short": "AX T2 THIN", "ADC": "ADC", "perfusion": "DSC PERFUSION"},
    **{"CT": "CT HEAD PLANNING", "PT": "FMISO PET AC"},
}


def scan_series(anatomy_at, name, machine, header, spacing, seed, place):
    """Scan a person, skull-stripped, by a sequence and save the series.

    Parameters
    ----------
    anatomy_at : callable
        Voxel size in mm along the RAS axes → `braindino.corpus.phantoms.anatomy.Anatomy`.
    name : str
        A key of `SEQUENCES`.
    machine : braindino.corpus.phantoms.machines.Machine
    header : dict
        DICOM fields of the patient, the study and the series' number.
    spacing : float
        In-plane voxel size in mm.
    seed : int
    place : callable
        Full header → the series' folder and the format of its files' names, as of
        `braindino.corpus.phantoms.dicom.save_series`.
    """
    sequence = SEQUENCES[name]
    voxel = (
        (ACROSS * spacing, spacing, spacing) if sequence.volume else (spacing, spacing, THICKNESS)
    )
    field = Grid.covering(FIELD_OF_VIEW, voxel)
    if sequence.slices:
        field = Grid((*field.shape[:2], sequence.slices), voxel)
    header = header | series_header(name, machine)
    rng = derive_rng(
        "DICOM", seed, header["PatientID"], header["StudyDate"], header["SeriesNumber"]
    )
    scanner = machine.scanner._replace(blur=(0.0, 0.0, 0.0 if sequence.volume else THICKNESS))
    scan = scan_brain(anatomy_at(voxel), sequence.contrast, scanner, field, rng)
    folder, files = place(header)
    save_series(scan, field, folder, header, "sagittal" if sequence.volume else "axial", files)


def series_header(name, machine):
    """Return the DICOM fields of a sequence on a machine; what it leaves empty is not there."""
    sequence = SEQUENCES[name]
    fields = {
        "Manufacturer": machine.vendor,
        "MagneticFieldStrength": machine.tesla,
        "SeriesDescription": OTHERS.get(name) or machine.names.get(name),
        "RepetitionTime": sequence.tr,
        "EchoTime": sequence.te,
        "InversionTime": sequence.ti,
        "FlipAngle": sequence.flip,
        "ScanningSequence": list(sequence.kind) or None,
        "MRAcquisitionType": "3D" if sequence.volume else "2D",
        "ContrastBolusAgent": machine.agents.get(name),
        "ImageType": list(sequence.image_type),
        "Modality": sequence.modality,
    }
    return {key: value for key, value in fields.items() if value is not None}
