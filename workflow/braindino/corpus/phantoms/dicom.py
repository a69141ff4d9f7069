"""Write a scan as a DICOM series: one file a slice, the same bytes for the same header."""

import io

import nibabel as nib
import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid
from pydicom.uid import PositronEmissionTomographyImageStorage as PTImageStorage

from braindino.files import written_whole

CLASSES = {"MR": MRImageStorage, "CT": CTImageStorage, "PT": PTImageStorage}
# Where columns, rows and slices lead. The slices follow the normal, as the cross product of the
# first two in DICOM's own axes.
PLANES = {"axial": "LPS", "sagittal": "PIR", "coronal": "LIP"}
TO_LPS = np.diag([-1.0, -1.0, 1.0])  # DICOM's patient axes point left and posterior
START = bytes(128) + b"DICM"
PIXELS = {
    "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2",
    "BitsAllocated": 16,
    "BitsStored": 16,
    "HighBit": 15,
    "PixelRepresentation": 1,
}


def save_series(scan, grid, folder, header, plane="axial", name="1-{:02d}.dcm"):
    """Save a scan as a DICOM series in explicit VR little endian, without rescaling.

    Parameters
    ----------
    scan : ndarray of int16
        In RAS order.
    grid : braindino.corpus.phantoms.fields.Grid
    folder : Path
    header : dict
        DICOM keyword: value. PatientID, StudyDate, StudyDescription and SeriesNumber name the
        series; Modality is MR unless given.
    plane : str
        axial, sagittal or coronal.
    name : str
        Format of a file's name, of the slice's number from 1.
    """
    image = _in_plane(scan, grid, PLANES[plane])
    voxels, axes = np.asanyarray(image.dataobj), TO_LPS @ image.affine[:3]
    shared = _shared(header, axes, voxels.shape)
    for index in range(voxels.shape[2]):
        own = _slice(series_uid(header), voxels[:, :, index], axes @ [0, 0, index, 1], index)
        elements = sorted((shared | _encode(own)).items())
        with written_whole(folder / name.format(index + 1)) as part:
            part.write_bytes(START + b"".join(encoded for _, encoded in elements))


def study_uid(header):
    """Return the UID of a header's study, derived from its patient, date and description."""
    return generate_uid(
        entropy_srcs=[header[k] for k in ("PatientID", "StudyDate", "StudyDescription")]
    )


def series_uid(header):
    """Return the UID of a header's series, derived from its study and number."""
    return generate_uid(entropy_srcs=[study_uid(header), str(header["SeriesNumber"])])


def _in_plane(scan, grid, codes):
    """Turn a RAS scan into columns, rows and slices."""
    affine = np.diag([*grid.spacing, 1.0])
    affine[:3, 3] = [axis[0] for axis in grid.axes()]
    wanted = nib.orientations.axcodes2ornt(codes)
    turn = nib.orientations.ornt_transform(nib.io_orientation(affine), wanted)
    return nib.Nifti1Image(scan, affine).as_reoriented(turn)


def _shared(header, axes, shape):
    """Encode once what all slices of a series share, the file's meta information too."""
    dataset = Dataset()
    fields = {"Modality": "MR"} | PIXELS | _geometry(axes, shape) | _uids(header) | header
    for keyword, value in fields.items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = CLASSES[dataset.Modality]
    dataset.SOPInstanceUID = series_uid(header)  # of a slice's length; each slice has its own
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = io.BytesIO()
    pydicom.dcmwrite(file, dataset, enforce_file_format=True)
    dataset = pydicom.dcmread(io.BytesIO(file.getvalue()))
    return _encode(dataset.file_meta) | _encode(dataset)


def _geometry(axes, shape):
    across, down, between = np.linalg.norm(axes[:, :3], axis=0).round(4).tolist()
    directions = (axes[:, :2] / [across, down]).T.round(6)
    return {
        "Rows": shape[1],
        "Columns": shape[0],
        "PixelSpacing": [down, across],
        "SliceThickness": between,
        "SpacingBetweenSlices": between,
        "ImageOrientationPatient": directions.ravel().tolist(),
    }


def _uids(header):
    study = study_uid(header)
    return {
        "StudyInstanceUID": study,
        "SeriesInstanceUID": series_uid(header),
        "FrameOfReferenceUID": generate_uid(entropy_srcs=[study, "frame"]),
        "AcquisitionNumber": 1,
    }


def _slice(series, pixels, position, index):
    """List what tells a slice from its neighbours; DICOM stores rows, columns fastest."""
    dataset = Dataset()
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=[series, str(index)])
    dataset.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.InstanceNumber = index + 1
    dataset.ImagePositionPatient = position.round(4).tolist()
    dataset.add_new("PixelData", "OW", pixels.T.astype("<i2").tobytes())
    return dataset


def _encode(dataset):
    """Encode each element of a dataset in explicit VR little endian, by its tag."""
    encoded = {}
    for element in dataset:
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_data_element(buffer, element)
        encoded[element.tag] = buffer.getvalue()
    return encoded
