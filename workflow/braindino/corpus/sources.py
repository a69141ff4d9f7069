"""The files behind a card's download sources: addresses and sizes, not a byte of them."""

import fnmatch
from pathlib import PurePosixPath
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

import requests

from braindino.corpus.download import TIMEOUT, Remote, check_status, is_page
from braindino.corpus.unpack import is_below
from braindino.errors import BadInput
from braindino.settings.cards import Bucket


def list_remote(session, card):
    """List all files that a cohort's card offers for download.

    Returns
    -------
    list of Remote

    Raises
    ------
    BadInput
        When a file or bucket is not there, or a file would land outside the cohort's folder.
    """
    files = []
    for source in card.download:
        if isinstance(source, Bucket):
            files += list_bucket(session, source)
        else:
            files.append(_file(session, source))
    for file in files:
        if not is_below(file.path):
            raise BadInput(f"{file.url}: '{file.path}' would land outside {card.folder}.")
    return files


def remote_size(session, url):
    """Ask for a file's size, without the file.

    Returns
    -------
    int or None
        Bytes; None where the server does not tell.

    Raises
    ------
    BadInput
        When the file is not there, or the server cannot be reached.
    """
    try:
        answer = session.head(url, allow_redirects=True, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise BadInput(f"{url}: cannot be reached ({error}); check the connection.") from error
    # Some servers answer GET alone, or have a page for everything else.
    if answer.status_code in (403, 405, 501) or (answer.ok and is_page(answer)):
        return None
    check_status(answer)
    size = answer.headers.get("Content-Length")
    return size and int(size)


def list_bucket(session, source):
    """List a folder of a public bucket by S3's ListObjectsV2, page after page.

    Parameters
    ----------
    session : requests.Session
    source : braindino.settings.cards.Bucket

    Returns
    -------
    list of Remote
        The files that a glob of `source.include` matches; paths are below the prefix.

    Raises
    ------
    BadInput
        When the bucket cannot be listed, or no file matches.
    """
    address, token, files = source.bucket.rstrip("/"), None, []
    while True:
        page = _page(session, address, source.prefix, token)
        files += [_object(address, source.prefix, entry) for entry in page.iterfind("{*}Contents")]
        token = page.findtext("{*}NextContinuationToken")
        if not token:
            break
    wanted = [file for file in files if _matches(file.path, source.include)]
    if not wanted:
        raise BadInput(
            f"{address}: none of the {len(files)} files below '{source.prefix}' matches "
            f"{', '.join(source.include)}; check the card's 'download'."
        )
    return wanted


def _matches(path, globs):
    folder = not path or path.endswith("/")  # some tools keep an empty object for a folder
    return not folder and any(fnmatch.fnmatchcase(path, glob) for glob in globs)


def _file(session, source):
    size = remote_size(session, source.url) or source.bytes
    if source.bytes not in (None, size):
        raise BadInput(
            f"{source.url}: has {size} bytes, and the card says {source.bytes}: it may be another "
            f"release; check the card's 'download' against its homepage."
        )
    name = PurePosixPath(urlsplit(source.url).path).name
    path = str(PurePosixPath(source.to, name)) if source.unpack else source.to
    return Remote(source.url, path, size, source.md5, source.unpack)


def _page(session, address, prefix, token):
    query = {"list-type": "2", "prefix": prefix} | ({"continuation-token": token} if token else {})
    try:
        answer = session.get(address, params=query, timeout=TIMEOUT)
        check_status(answer)
        return ElementTree.fromstring(answer.content)
    except (requests.RequestException, ElementTree.ParseError) as error:
        raise BadInput(f"{address}: cannot be listed ({error}); check the connection.") from error


def _object(address, prefix, entry):
    key, etag = entry.findtext("{*}Key"), entry.findtext("{*}ETag", "").strip('"')
    return Remote(
        url=f"{address}/{quote(key)}",
        path=key.removeprefix(prefix),
        bytes=int(entry.findtext("{*}Size")),
        # The ETag of an object that was uploaded in parts is no md5: it has a '-'.
        md5=None if "-" in etag else etag or None,
    )
