"""Write the sampled slices of a chunk as one memory-mappable shard with its index."""

import logging
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from tqdm import tqdm

from braindino.errors import BadInput
from braindino.files import written_whole
from braindino.imaging.normalise import axial_slices, draw_slices
from braindino.imaging.pipeline import read_ahead
from braindino.imaging.volume import read_canonical

log = logging.getLogger(__name__)

DTYPES = {
    "volume_id": "object",
    "dataset": "object",
    "subject": "object",
    "modality": "object",
    "slice_index": "int32",
    "row": "int64",
    "crc32": "uint32",
}


def write_shard(brains, folder, path, protocol, seed, workers=1):
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
    workers : int
        Brains that are sampled while the ones before them are written.

    Returns
    -------
    index : DataFrame
        One row a slice: volume_id, dataset, subject, modality, slice_index, row, and the CRC-32
        of the slice's bytes.
    rejects : DataFrame
        Brains that cannot be read any more: volume_id, stage, reason.
    """
    rows, rejects = [], []
    sample = partial(_sample, folder=Path(folder), protocol=protocol, seed=seed)
    samples = read_ahead(brains.itertuples(), sample, workers)
    with written_whole(path) as part, part.open("wb") as stream:
        _write_header(stream, 0, protocol)
        for brain, result in tqdm(samples, total=len(brains), disable=None):
            if isinstance(result, BadInput):
                log.warning("rejected: %s: %s", brain.file, result)
                rejects.append((brain.volume_id, "shards", f"{brain.file}: {result}"))
            else:
                stream.write(result[1])
                rows += _rows(brain, *result, len(rows))
        # How many slices there are is known at the end only; the header's length is the same.
        stream.seek(0)
        _write_header(stream, len(rows), protocol)
    index = pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)
    return index, pd.DataFrame(rejects, columns=["volume_id", "stage", "reason"])


def _sample(brain, folder, protocol, seed):
    """Return the brain, and its drawn slices or why there are none."""
    try:
        volume, _ = read_canonical(folder / brain.file)
    except BadInput as error:
        return brain, error
    index = draw_slices(brain.volume_id, protocol, seed)
    slices = axial_slices(volume, protocol.shape, protocol, index).half()
    return brain, (index, slices.numpy())


def _rows(brain, index, slices, first):
    identity = (brain.volume_id, brain.dataset, brain.subject, brain.modality)
    places = range(first, first + len(index))
    return [(*identity, *row) for row in zip(index, places, map(crc32, slices), strict=True)]


def _write_header(stream, count, protocol):
    descr = npy.dtype_to_descr(np.dtype(np.float16))
    shape = (count, *protocol.shape[1:])
    npy.write_array_header_1_0(stream, {"descr": descr, "fortran_order": False, "shape": shape})
