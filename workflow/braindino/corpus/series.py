"""Sort the DICOM files of a folder into stacks, one image each, by their headers alone."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from braindino.corpus.contrasts import Header
from braindino.corpus.dicom_files import File, number, read_files, text, values, vector

PLANE_TOLERANCE = 0.1  # of a direction cosine, 6 degrees; assumed: more than rounding
GAP_TOLERANCE = 0.2  # mm between widest and narrowest gap; dcm2niix fails beyond (tried)


@dataclass(frozen=True)
class Stack:
    """The files of a series that share echo time and image type.

    `positions` are the distinct positions along the normal, in mm, ascending (nan where a file
    does not tell); `slices` also counts the frames of a multi-frame file.
    """

    files: list[File]
    header: Header
    positions: np.ndarray
    slices: int

    @property
    def dataset(self):
        """The first file's header."""
        return self.files[0].dataset

    @property
    def thickness(self):
        """Slice thickness in mm, or else the distance between slices; nan without both."""
        stated = number(self.dataset, "SliceThickness")
        gaps = np.diff(self.positions)
        return stated if stated > 0 or not len(gaps) else float(np.median(gaps))


def find_fault(stack):
    """Say in plain words why a stack's files make no whole image, or return None."""
    if stack.slices > len(stack.files):
        return None  # multi-frame: the converter sees to its slices
    if np.isnan(stack.positions).any():
        return "its files do not tell where their slices lie (ImagePositionPatient)"
    if len(stack.files) > stack.slices:
        return f"{len(stack.files) - stack.slices} of {len(stack.files)} slices are there twice"
    gaps = np.diff(stack.positions)
    if len(gaps) and np.ptp(gaps) > GAP_TOLERANCE:
        return (
            f"slices are missing or uneven: they lie {gaps.min():.3g} to {gaps.max():.3g} mm apart"
        )
    return None


def read_stacks(folder):
    """Read all headers below a folder and sort the files into stacks.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    stacks : list of Stack
        By series UID, echo time and image type; copies of a file count once.
    strangers : list of Path
        Files that are neither DICOM nor of a kind that archives add (csv, json, ...).
    """
    files, strangers = read_files(folder)
    unique = {text(file.dataset, "SOPInstanceUID") or file.path: file for file in files}
    groups, echoes = defaultdict(list), defaultdict(set)
    for file in unique.values():
        uid = text(file.dataset, "SeriesInstanceUID")
        echo = f"{number(file.dataset, 'EchoTime'):.1f}"
        groups[uid, echo, text(file.dataset, "ImageType")].append(file)
        echoes[uid].add(echo)
    return [_stack(files, len(echoes[key[0]])) for key, files in sorted(groups.items())], strangers


def _place(file):
    return np.nan_to_num(number(file.dataset, "InstanceNumber")), file.path


def _stack(files, echoes):
    files = sorted(files, key=_place)
    planes = np.array([vector(file.dataset, "ImageOrientationPatient", 6) for file in files])
    corners = np.array([vector(file.dataset, "ImagePositionPatient", 3) for file in files])
    positions = np.unique((corners @ np.cross(planes[0, :3], planes[0, 3:])).round(2))
    frames = number(files[0].dataset, "NumberOfFrames")
    slices = int(frames) * len(files) if frames > 1 else len(positions)
    several_planes = bool((np.abs(planes - planes[0]) > PLANE_TOLERANCE).any())
    unknown = np.isnan(positions).any()
    repeats = 1 if unknown else max(len(files) // len(positions), 1)
    header = _header(files, echoes=echoes, repeats=repeats, several_planes=several_planes)
    return Stack(files, header, positions, slices)


def _header(files, **counted):
    first = files[0].dataset
    return Header(
        modality=text(first, "Modality"),
        description=text(first, "SeriesDescription"),
        protocol=text(first, "ProtocolName"),
        sequence=text(first, "SequenceName"),
        image_type=frozenset(value.upper() for value in values(first, "ImageType")),
        scanning=frozenset(values(first, "ScanningSequence")),
        variant=frozenset(values(first, "SequenceVariant")),
        agent=text(first, "ContrastBolusAgent"),
        tr=number(first, "RepetitionTime"),
        te=number(first, "EchoTime"),
        ti=number(first, "InversionTime"),
        flip=number(first, "FlipAngle"),
        b_value=max((number(file.dataset, "DiffusionBValue") for file in files), key=np.nan_to_num),
        **counted,
    )
