"""A cohort's folder that changed is noticed."""

import os
import subprocess

import pytest

from braindino.corpus.state import STAMP, folder_state

LONG_AGO = 1_000_000_000


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a" / "anat").mkdir(parents=True)
    (tmp_path / "a" / "anat" / "scan.nii.gz").write_bytes(b"1234")
    (tmp_path / "a" / "slice.dcm").write_bytes(b"1234")
    for path in [*tmp_path.rglob("*"), tmp_path]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return tmp_path


CHANGES = {
    "added": lambda f: (f / "a" / "anat" / "other.nii.gz").write_bytes(b""),
    "replaced": lambda f: (f / "a" / "anat" / "scan.nii.gz").write_bytes(b"12345"),
    "removed": lambda f: (f / "a" / "anat" / "scan.nii.gz").unlink(),
    "renamed": lambda f: (f / "a").rename(f / "b"),
    "DICOM added": lambda f: (f / "a" / "more.dcm").write_bytes(b""),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("made", [True, False], ids=["made by a job", "given"])
def test_a_change_shows(folder, change, made):
    if made:
        (folder / STAMP).touch()
        for path in (folder / STAMP, folder):
            os.utime(path, (LONG_AGO, LONG_AGO))
    before = folder_state(folder)
    assert (before == "") == made
    assert folder_state(folder) == before
    CHANGES[change](folder)
    assert folder_state(folder) not in (before, "")


def test_a_copy_with_its_times_is_the_same(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy")
    subprocess.run(["cp", "-a", f"{folder}/.", copy], check=True)
    assert folder_state(copy) == folder_state(folder)


def test_no_folder():
    assert folder_state("nowhere") == ""
