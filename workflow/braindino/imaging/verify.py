"""Check shards against their indices, byte by byte."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.lib import format as npy
from tqdm import tqdm

from braindino.errors import BadInput


def verify_shards(paths, protocol, workers=1):
    """Check every slice of every shard.

    Parameters
    ----------
    paths : sequence of path
        Shards `<chunk>.npy`, each beside its `<chunk>.parquet`.
    protocol : braindino.settings.imaging.Imaging
    workers : int
        Shards that are read at the same time.

    Returns
    -------
    DataFrame
        One row a shard: shard, slices, problem (empty where there is none).
    """
    check = partial(_verify, protocol=protocol)
    with ThreadPoolExecutor(workers) as pool:
        rows = list(tqdm(pool.map(check, map(Path, paths)), total=len(paths), disable=None))
    return pd.DataFrame(rows, columns=["shard", "slices", "problem"])


def check_sound(report):
    """Fail when `verify_shards` reported a damaged shard.

    Raises
    ------
    BadInput
        Naming every damaged shard, its first problem and the mend.
    """
    damaged = report[report["problem"] != ""]
    if len(damaged):
        listing = "; ".join(f"{row.shard}: {row.problem}" for row in damaged.itertuples())
        raise BadInput(
            f"{len(damaged)} of {len(report)} shards are damaged ({listing}); delete each with "
            "its .parquet and run the target shards again"
        )


def _verify(path, protocol):
    try:
        index = pd.read_parquet(path.with_suffix(".parquet"))
        _check_index(index, protocol)
        _check_slices(path, index["crc32"], protocol)
    except BadInput as error:
        return str(path), 0, str(error)
    except Exception as error:
        return str(path), 0, f"cannot be read ({' '.join(str(error).split())[:200]})"
    return str(path), len(index), ""


def _check_index(index, protocol):
    slices = index.groupby("volume_id")["slice_index"]
    _expect((index["row"] == range(len(index))).all(), "the index's rows are out of order")
    in_range = index["slice_index"].between(0, protocol.shape[0] - 1)
    _expect(in_range.all(), f"a slice_index lies outside 0–{protocol.shape[0] - 1}")
    _expect((slices.size() == protocol.slices).all(), f"a volume without {protocol.slices} slices")
    unique = protocol.slice_replacement or (slices.nunique() == protocol.slices).all()
    _expect(unique, "a slice is there twice")


def _check_slices(path, sums, protocol):
    # Read as a stream: a bad sector under a memory map would kill the process.
    with path.open("rb") as stream:
        _check_header(stream, (len(sums), *protocol.shape[1:]))
        size = np.dtype(np.float16).itemsize * protocol.shape[1] * protocol.shape[2]
        for row, expected in enumerate(sums):
            pixels = stream.read(size)
            _expect(len(pixels) == size, f"ends within slice {row}")
            _expect(crc32(pixels) == expected, f"slice {row} does not match its checksum")
            _expect(_is_finite(pixels), f"slice {row} has NaN or infinite pixels")
        _expect(not stream.read(1), "is longer than its header says")


def _check_header(stream, expected):
    npy.read_magic(stream)
    shape, fortran, dtype = npy.read_array_header_1_0(stream)
    _expect(shape == expected, f"has shape {shape}, and its index says {expected}")
    _expect(dtype == np.float16 and not fortran, f"holds {dtype}, not float16 in C order")


def _is_finite(pixels):
    # float16 is finite unless all exponent bits are set; eight times as fast as isfinite.
    return not (np.frombuffer(pixels, np.uint16) & 0x7C00 == 0x7C00).any()


def _expect(sound, problem):
    if not sound:
        raise BadInput(problem)
