"""Scans that are broken in every way that we know: a reason each, and nothing half written."""

import builtins
import errno
import gzip
import io
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from braindino.corpus.headers import describe_scan
from braindino.imaging import brains
from braindino.imaging.brains import strip_chunk
from braindino.imaging.shards import write_shard
from braindino.log import job_log
from braindino.settings.imaging import Imaging, SkullStrip

PROTOCOL = Imaging(shape=(32, 32, 32), slices=8, slice_mean=16, slice_sd=6)
CPU = torch.device("cpu")
# Places in a NIfTI-1 header (nifti1.h): the first side, qform_code to sform_code, the sform's rows.
FIRST_SIDE, CODES, SFORM = slice(42, 44), slice(252, 256), slice(280, 328)


@pytest.fixture
def scan(save_volume, rng):
    """Return a function that saves a stripped brain under a name and returns its path."""

    def save(name, change=lambda brain: brain):
        brain = np.zeros((20, 22, 24), np.float32)
        brain[3:17, 3:19, 3:21] = rng.integers(50, 200, (14, 16, 18))
        return save_volume(change(brain), name)

    return save


@pytest.fixture
def run(tmp_path):
    """Return a function that strips a chunk and shards it, and returns what came of it."""

    def run(paths, stripped=True):
        rows = [(f"lab/{n}/1/T1w", str(n), "T1w", str(p), stripped) for n, p in enumerate(paths)]
        columns = ["volume_id", "subject", "modality", "path", "skull_stripped"]
        folder = tmp_path / "brains"
        index, rejects, _ = strip_chunk(pd.DataFrame(rows, columns=columns), folder, PROTOCOL, CPU)
        slices, lost = write_shard(index, folder, tmp_path / "0.npy", PROTOCOL, seed=0)
        assert lost.empty
        assert len(index) + len(rejects) == len(rows)
        assert len(np.load(tmp_path / "0.npy")) == len(slices) == len(index) * PROTOCOL.slices
        assert set(slices["volume_id"]) == set(index["volume_id"])
        return index, rejects

    return run


def in_header(place, value):
    """Return a change of a file: these bytes of its header."""

    def change(path):
        data = bytearray(gzip.decompress(path.read_bytes()))
        data[place] = value
        path.write_bytes(gzip.compress(bytes(data)))

    return change


def in_voxels(value):
    """Return a change of a volume: one voxel of the brain."""

    def change(brain):
        brain[9, 9, 9] = value
        return brain

    return change


def to_folder(path):
    path.unlink()
    path.mkdir()


def to_colours(brain):
    colours = np.zeros(brain.shape, [(channel, "u1") for channel in "RGB"])
    colours["R"] = brain
    return colours


FILES = {
    "truncated gzip": (lambda path: path.write_bytes(path.read_bytes()[:3000]), "cannot be read"),
    "zero bytes": (lambda path: path.write_bytes(b""), "cannot be read"),
    "no image": (lambda path: path.write_bytes(gzip.compress(b"x" * 999)), "cannot be read"),
    "a folder": (to_folder, "cannot be read"),
    "gone": (lambda path: path.unlink(), "cannot be read"),
    "more voxels than data": (in_header(FIRST_SIDE, b"\x28\0"), "cannot be read .*damaged"),
    "more voxels than memory": (in_header(slice(42, 48), b"\x30\x75" * 3), "cannot be read"),
    "no affine": (in_header(CODES, bytes(4)), "neither sform nor qform.* set one"),
    "zero affine": (in_header(SFORM, bytes(48)), "singular affine"),
    "NaN affine": (
        in_header(SFORM, np.full(12, np.nan, "<f4").tobytes()),
        "cannot be read .*affine",
    ),
}
VOLUMES = {
    "NaN": (in_voxels(np.nan), "NaN or infinite"),
    "infinity": (in_voxels(-np.inf), "NaN or infinite"),
    "all zero": (np.zeros_like, r"is constant \(0"),
    "constant": (np.ones_like, r"is constant \(1"),
    "30 frames": (
        lambda brain: np.stack([brain] * 30, 3),
        r"24, 30\), not one 3-D volume",
    ),
    "one slice": (lambda brain: brain[:, :, 9:10], "fewer than 8 voxels"),
    "localizer": (lambda brain: brain[:, :, 9:12], "fewer than 8 voxels"),
    "colours": (to_colours, "voxels, not one intensity each"),
    "complex": (
        lambda brain: brain.astype(np.complex64),
        "complex64 voxels, not one",
    ),
    "a speck": (lambda brain: np.pad(brain[9:12, 9:12, 9:12], 9), "box is"),
}


@pytest.mark.parametrize("fault", [*FILES, *VOLUMES])
def test_broken_scan_is_a_row_in_rejects_between_two_good_ones(fault, scan, run):
    damage, reason = FILES.get(fault) or VOLUMES[fault]
    paths = [scan(f"{n}.nii.gz") for n in range(3)]
    if fault in FILES:
        damage(paths[1])
    else:
        paths[1] = scan("1.nii.gz", damage)
    index, rejects = run(paths)
    assert list(index["subject"]) == ["0", "2"]
    assert list(rejects["volume_id"]) == ["lab/1/1/T1w"]
    assert rejects["stage"].iloc[0] == "imaging"
    sentence = rejects["reason"].iloc[0]
    assert sentence.startswith(f"{paths[1]}: ")
    assert re.search(reason, sentence)
    assert "\n" not in sentence


@pytest.mark.parametrize("fault", [*FILES, *VOLUMES])
def test_no_broken_scan_stops_the_manifest(fault, scan, dataset_card):
    """The stage before sees the same files: it describes them or says in one line why not."""
    damage, _ = FILES.get(fault) or VOLUMES[fault]
    path = scan("0.nii.gz", damage) if fault in VOLUMES else scan("0.nii.gz")
    if fault in FILES:
        damage(path)
    found = describe_scan(str(path), dataset_card(skull_stripped="auto"), SkullStrip())
    assert isinstance(found, dict) or ("cannot be read" in found and "\n" not in found)


def test_unreadable_by_permission(scan, run, monkeypatch):
    """Permissions do not bind root, so that the refusal is simulated."""
    paths = [scan("0.nii.gz"), scan("secret.nii.gz")]
    opened = io.open

    def refuse(file, *args, **kwargs):
        if "secret" in str(file):
            raise PermissionError(errno.EACCES, "Permission denied", str(file))
        return opened(file, *args, **kwargs)

    # Path.open calls io.open, and all else the builtin.
    monkeypatch.setattr(io, "open", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    _, rejects = run(paths)
    assert list(rejects["volume_id"]) == ["lab/1/1/T1w"]
    assert "Permission denied" in rejects["reason"].iloc[0]


class NoBrain:
    """A backend that finds no brain in any head."""

    def brain_mask(self, volume, spacing):
        return np.zeros(volume.shape, bool)


def test_empty_mask(scan, run, monkeypatch, tmp_path):
    monkeypatch.setattr(brains, "load_backend", lambda *_: NoBrain())
    index, rejects = run([scan("0.nii.gz")], stripped=False)
    assert index.empty
    assert rejects["reason"].iloc[0].endswith("HD-BET found no brain")
    assert not list((tmp_path / "brains").iterdir())


def test_a_chunk_of_broken_scans_alone_is_an_empty_shard(scan, run):
    index, rejects = run([scan("0.nii.gz", np.zeros_like), scan("1.nii.gz", np.ones_like)])
    assert index.empty
    assert len(rejects) == 2


@pytest.mark.parametrize("axes", ["RAS", "LPI", "PSR"])
def test_missing_sform_is_no_fault_where_the_qform_is_there(axes, scan, run, tmp_path):
    path = scan("0.nii.gz")
    good = nib.load(path)
    _, rejects = run([path])
    expected = (tmp_path / "brains" / "lab_0_1_T1w.nii.gz").read_bytes()
    target = nib.orientations.axcodes2ornt(axes)
    turned = good.as_reoriented(nib.orientations.ornt_transform([[0, 1], [1, 1], [2, 1]], target))
    turned.set_qform(turned.affine, 1)
    turned.set_sform(None, 0)
    nib.save(turned, path)
    assert nib.load(path).header["sform_code"] == 0
    _, rejects = run([path])
    assert rejects.empty
    assert (tmp_path / "brains" / "lab_0_1_T1w.nii.gz").read_bytes() == expected


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function after which the disk is full; NIfTI is refused after some bytes."""

    def fill():
        def save(image, path):
            path.write_bytes(b"the beginning")
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

        monkeypatch.setattr(brains.nib, "save", save)

    return fill


def test_full_disk_is_no_fault_of_the_scan(scan, run, full_disk, tmp_path, capsys):
    """The job fails in one sentence; it must not list sound scans as rejects and go on."""
    paths = [scan("0.nii.gz"), scan("1.nii.gz")]
    full_disk()
    with pytest.raises(SystemExit, match="1"), job_log(tmp_path / "job.log"):
        run(paths)
    log = (tmp_path / "job.log").read_text()
    assert "The disk is full" in log
    assert "make room" in log
    assert "Traceback" not in log
    assert "rejected" not in log
    assert not list((tmp_path / "brains").iterdir())


def test_full_disk_leaves_no_partial_shard(scan, run, monkeypatch, tmp_path):
    """A device that is always full takes the shard's place, so that the write itself fails."""
    run([scan("0.nii.gz")])
    shard = tmp_path / "0.npy"
    before = shard.read_bytes()
    paths = [scan("1.nii.gz")]
    opened = Path.open

    def open_full(path, mode="r", *args, **kwargs):
        part = path.name.startswith(".part-") and path.suffix == ".npy"
        return opened(Path("/dev/full") if part else path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(SystemExit, match="1"), job_log(tmp_path / "job.log"):
        run(paths)
    assert "The disk is full ([Errno 28] No space left" in (tmp_path / "job.log").read_text()
    # The old shard is still whole, and nothing lies beside it.
    assert shard.read_bytes() == before
    assert not list(tmp_path.glob(".part-*"))
