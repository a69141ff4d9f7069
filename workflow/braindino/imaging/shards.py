"""Write the sampled slices of a chunk as one memory-mappable shard with its index."""

import logging
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from numpy.lib import format as npy
from tqdm import tqdm

from braindino.files import written_whole
from braindino.imaging.normalise import axial_slices, draw_slices

log = logging.getLogger(__name__)

COLUMNS = ["volume_id", "dataset", "subject", "modality", "slice_index", "row"]


def write_shard(brains, folder, path, protocol, seed):
    """Write float16 slices [n, coronal, sagittal] of a chunk's brains.

    Parameters
    ----------
    brains : DataFrame
        The chunk's index, as `strip_chunk` returns it, limited to pretraining volumes.
    folder : path
        Where the brains lie.
    path : path
        The shard, an .npy file in C order.
    protocol : braindino.settings.imaging.Imaging
    seed : int

    Returns
    -------
    DataFrame
        One row a slice: volume_id, dataset, subject, modality, slice_index, row.
    """
    rows = []
    shape = (len(brains) * protocol.slices, *protocol.shape[1:])
    with written_whole(path) as part, part.open("wb") as stream:
        _write_header(stream, shape)
        for place, brain in enumerate(tqdm(brains.itertuples(), total=len(brains), disable=None)):
            index = draw_slices(brain.volume_id, protocol, seed)
            stream.write(_slices(Path(folder, brain.file), index, protocol).tobytes())
            identity = (brain.volume_id, brain.dataset, brain.subject, brain.modality)
            first = place * protocol.slices
            rows += [(*identity, int(i), first + n) for n, i in enumerate(index)]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"slice_index": "int32", "row": "int64"})


def _slices(path, index, protocol):
    brain = np.asanyarray(nib.load(path).dataobj)
    return axial_slices(brain, protocol.shape, protocol)[index].half().numpy()


def _write_header(stream, shape):
    descr = npy.dtype_to_descr(np.dtype(np.float16))
    npy.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
