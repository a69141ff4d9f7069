"""Files that appear whole or not at all, and tables that are equal byte for byte."""

import contextlib
import hashlib
from pathlib import Path

import pandas as pd


@contextlib.contextmanager
def written_whole(path):
    """Yield a temporary path beside `path`, renamed to it when the block succeeds.

    Parameters
    ----------
    path : str or Path
        Final path; missing parents are created. The temporary name keeps all suffixes.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The same name every time, so that what a killed job left is overwritten by the next.
    part = path.with_name(f".part-{path.name}")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_table(frame, path):
    """Write a data frame as Parquet or, by its suffix, CSV; the same rows give the same bytes."""
    with written_whole(path) as part:
        if Path(path).suffix == ".csv":
            frame.to_csv(part, index=False, lineterminator="\n")
        else:
            frame.to_parquet(part, index=False)


def write_text(text, path):
    """Write text as UTF-8."""
    with written_whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def read_table(path):
    """Read a Parquet or, by its suffix, CSV table."""
    return pd.read_csv(path) if Path(path).suffix == ".csv" else pd.read_parquet(path)


def concat_tables(paths, columns):
    """Concatenate Parquet or CSV tables; without a row, return an empty one of `columns`."""
    return concat_frames(list(map(read_table, paths)), columns)


def concat_frames(frames, columns):
    """Concatenate data frames; without a row, return an empty one of `columns`."""
    frames = [frame for frame in frames if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)


def sha256(path):
    """Return the SHA-256 checksum of a file as hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
