"""Convert one stack of DICOM files to NIfTI by dcm2niix (Li et al. 2016)."""

import re
import subprocess
import tempfile
from pathlib import Path

import dcm2niix
import nibabel as nib

# One image whatever the tags say (-m y: the files were sorted before), a sidecar without names,
# the built-in compressor (-z i: pigz, where there is one, writes other bytes), no user's defaults.
OPTIONS = ["-g", "i", "-m", "y", "-b", "y", "-ba", "y", "-z", "i", "-f", "image"]

COMPLAINTS = "Unsupported|not large enough|[Uu]nable|Only able|[Ee]rror|[Ff]ail"


class ConversionError(Exception):
    """Why a stack could not become a volume, in plain words."""


def convert_stack(files, path):
    """Write DICOM files as one NIfTI volume, with its JSON sidecar beside it.

    Parameters
    ----------
    files : list of Path
        The files of one image, and no others.
    path : Path
        Ends in .nii.gz; its folder is created.

    Raises
    ------
    ConversionError
        When no volume, or more than one, comes out.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".part-") as part:
        source, target = Path(part, "dicom"), Path(part, "nifti")
        source.mkdir()
        target.mkdir()
        for index, file in enumerate(files):
            (source / f"{index:05}.dcm").symlink_to(file.resolve())
        command = [dcm2niix.bin, *OPTIONS, "-o", target, source]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        told = done.stdout + done.stderr
        image = _only_volume(sorted(target.glob("*.nii.gz")), told)
        if not (sidecar := target / "image.json").exists():
            raise ConversionError(f"dcm2niix gives up on it ({_complaint(told)})")
        sidecar.replace(path.with_name(path.name.replace(".nii.gz", ".json")))
        image.replace(path)


def _only_volume(images, told):
    if not images:
        raise ConversionError(f"dcm2niix makes no image of it ({_complaint(told)})")
    shapes = [nib.load(image).shape for image in images]
    if len(shapes) > 1 or len(shapes[0]) != 3:
        sizes = ", ".join("x".join(map(str, shape)) for shape in shapes)
        raise ConversionError(f"dcm2niix makes more than one volume of it ({sizes})")
    return images[0]


def _complaint(told):
    """Return the last line in which dcm2niix says what failed, without the path of our link."""
    lines = [line for line in told.splitlines() if re.search(COMPLAINTS, line)]
    return lines[-1].split(" /")[0].strip(" :") if lines else "it does not say why"
