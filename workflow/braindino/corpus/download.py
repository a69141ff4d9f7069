"""Download a file over HTTP: resumed, retried, checked."""

import hashlib
import logging
from pathlib import Path
from typing import NamedTuple

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from braindino.errors import BadInput

log = logging.getLogger(__name__)

ATTEMPTS = 5
TIMEOUT = (20, 60)  # seconds to connect, and between two bytes
BLOCK = 1 << 20
TRANSIENT = (requests.RequestException, urllib3.exceptions.HTTPError)


class Remote(NamedTuple):
    """A file to download: its address, its place below the cohort's folder, what is known of it."""

    url: str
    path: str
    bytes: int | None = None
    md5: str | None = None
    unpack: bool = False


def open_session():
    """Return a session that tries again when a server is busy or a connection fails."""
    session = requests.Session()
    retry = Retry(
        3, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False
    )
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    # Sizes and ranges are those of the file as it is stored.
    session.headers["Accept-Encoding"] = "identity"
    return session


def download(session, remote, path, progress):
    """Download a file, going on from what `<path>.part` holds; a complete file is left alone.

    Parameters
    ----------
    session : requests.Session
    remote : Remote
    path : Path
    progress : callable
        Called with the number of bytes of each block.

    Raises
    ------
    BadInput
        When the server refuses, breaks off again and again, or what came is not the file.
    """
    if path.is_file() and not _fault(path, remote):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = part_of(path)
    for _ in range(ATTEMPTS):
        try:
            _append(session, remote, part, progress)
            break
        except TRANSIENT as error:
            log.warning("%s: broke off (%s); trying again", remote.url, error)
    else:
        raise BadInput(f"{remote.url}: broke off {ATTEMPTS} times; run fetch again, it goes on.")
    if fault := _fault(part, remote):
        part.unlink()
        raise BadInput(f"{remote.url}: {fault}, so the download was removed; run fetch again.")
    part.replace(path)


def check_status(answer):
    """Raise BadInput where a server refuses, or sends a page in the place of a file."""
    if answer.status_code >= requests.codes.bad_request:
        raise BadInput(
            f"{answer.url}: the server answers {answer.status_code} {answer.reason}; check the "
            f"card's 'download' against its homepage."
        )
    if is_page(answer):
        raise BadInput(
            f"{answer.url}: a web page came instead of the file; it may ask for a login: open it "
            f"in a browser."
        )


def is_page(answer):
    """Return whether a server's answer is a web page, which no cohort's file is."""
    return answer.headers.get("Content-Type", "").startswith("text/html")


def part_of(path):
    """Return the place where a file or folder grows until it is complete."""
    return path.with_name(path.name + ".part")


def _append(session, remote, part, progress):
    start = part.stat().st_size if part.exists() else 0
    if start and start == remote.bytes:
        return
    headers = {"Range": f"bytes={start}-"} if start else {}
    with session.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is left to ask for: the check that follows decides
        check_status(answer)
        resumed = answer.status_code == requests.codes.partial_content
        with part.open("ab" if resumed else "wb") as stream:
            for block in answer.raw.stream(BLOCK, decode_content=False):
                stream.write(block)
                progress(len(block))


def _fault(path, remote):
    size = path.stat().st_size
    if remote.bytes is not None and size != remote.bytes:
        return f"{size} bytes came instead of {remote.bytes}"
    if remote.md5 and (md5 := _md5(path)) != remote.md5.lower():
        return f"its md5 is {md5} instead of {remote.md5}"
    return None


def _md5(path):
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
