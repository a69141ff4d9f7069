"""Unpack a downloaded archive, and nothing outside its folder."""

import gzip
import lzma
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from braindino.errors import BadInput

DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile),
    *(gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError),
)


def unpack(archive, folder):
    """Unpack a tar (compressed or not) or zip archive.

    Parameters
    ----------
    archive : path
    folder : path
        Where its members go.

    Raises
    ------
    BadInput
        When the archive is damaged, or a member would land outside `folder`; the archive is
        removed.
    """
    try:
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(folder, filter="data")
    except DAMAGED as error:
        Path(archive).unlink()
        reason = " ".join(str(error).split())
        raise BadInput(
            f"{archive}: cannot be unpacked ({reason}) and was removed; run fetch again, and ask "
            f"the archive if it stays so."
        ) from error


def is_below(name):
    """Return whether a relative path stays below the folder that it is joined to."""
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _unzip(archive, folder):
    with zipfile.ZipFile(archive) as members:
        # zipfile mends an unsafe name in silence; we refuse it, as tarfile's filter does.
        for name in members.namelist():
            if not is_below(name):
                raise zipfile.BadZipFile(f"'{name}' would land outside the folder")
        members.extractall(folder)
