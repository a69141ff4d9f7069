"""The doctor: on a machine that has nothing, and on one with cohorts, weights, a GPU and SLURM."""

from types import SimpleNamespace

import pytest
import torch

from braindino.corpus import check as check_module
from braindino.corpus.check import Row, check, show_table
from braindino.corpus.disk import free_bytes
from braindino.corpus.subjects import count_subjects
from braindino.settings.load import load_run, read_yaml

BRATS = "{subject:BraTS-MEN-[0-9]{5}}-{session:[0-9]+}/{subject}-{session}-t1n.nii.gz"


@pytest.fixture
def make_run(root):
    def make(**changes):
        values = read_yaml(root / "config" / "config.yaml") | changes
        return load_run(values, [], root / "config", environment={})

    return make


@pytest.fixture
def nothing(monkeypatch):
    """Take the GPU and SLURM of the machine, if it has them."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    monkeypatch.setattr(check_module.shutil, "which", lambda _: None)


@pytest.fixture
def touch(tmp_path):
    """Return a function that makes empty files below the temporary folder."""

    def touch(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    return touch


def states(rows):
    return {row.name: row.state for row in rows}


def test_machine_that_has_nothing(make_run, nothing, tmp_path):
    run = make_run()
    rows = check(run, tmp_path / "not" / "yet")
    assert {*run.datasets, *run.encoders} <= set(states(rows))
    found = states(rows)
    # Random weights need nothing, nor do the controls.
    assert found.pop(run.recipe.name) == "present"
    assert (found.pop("random"), found.pop("intensity")) == ("untrained", "present")
    assert set(found.values()) == {"absent", "not set", ""}
    text = show_table(rows)
    assert max(map(len, text.splitlines())) <= 118
    unwrapped = "".join(text.split())
    for name, card in run.datasets.items():
        assert name in unwrapped
        assert card.homepage in unwrapped
    assert "BRAINDINO_DATA" in unwrapped
    assert "BRAINDINO_WEIGHTS" in unwrapped


def test_machine_that_has_something(make_run, touch, monkeypatch):
    data = touch(
        *(f"IXI/IXI-T1/IXI{n:03d}-Guys-0001-T1.nii.gz" for n in (2, 12, 13)),
        *(f"IXI/IXI-T2/IXI{n:03d}-Guys-0001-T2.nii.gz" for n in (2, 14)),
        "IXI/IXI-T1/notes.txt",
        "ds000228/sub-pixar001/anat/sub-pixar001_T1w.nii.gz",
        "ds000228/participants.tsv",
        "ds003604/readme.txt",
        "dinov3/model.safetensors",
    )
    gpu = SimpleNamespace(name="NVIDIA H100", total_memory=80 * 2**30)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: gpu)
    monkeypatch.setattr(check_module.shutil, "which", lambda _: "/usr/bin/sbatch")
    answer = SimpleNamespace(stdout="slurm 25.05.1\n")
    monkeypatch.setattr(check_module.subprocess, "run", lambda *_, **__: answer)
    run = make_run(
        data_root=str(data), weights_root=str(data), phantoms={"BraTS2023-MEN": 5}, recipe="tiny"
    )
    rows = {row.name: row for row in check(run, data)}
    assert (rows["IXI"].state, rows["IXI"].note) == ("present", f"{data}/IXI")
    found = {name: row.subjects.split("/")[0] for name, row in rows.items()}
    assert (found["IXI"], found["Pixar"], found["LONG579"]) == ("4", "1", "0")
    assert rows["Pixar"].subjects == f"1/{run.datasets['Pixar'].expected.subjects}"
    assert "nothing fits the card's layout" in rows["LONG579"].note
    assert rows["BraTS2023-MEN"][2:4] == ("phantom", "5")
    assert rows["BraTS2023-PED"].state == "absent"
    assert rows["dinov3"].note == f"{data}/dinov3/model.safetensors"
    assert rows["GPU 0"].note == "NVIDIA H100, 80.0 GiB"
    assert rows["SLURM"].note == "slurm 25.05.1"
    assert rows["data_root"].note.startswith(f"{data}: ")


def test_a_cohort_that_can_be_fetched_says_so(make_run, nothing):
    source = {"url": "https://example.org/a.zip", "to": "a", "unpack": True}
    run = make_run()
    run.datasets["IXI"] = run.datasets["IXI"].model_copy(update={"download": [source]})
    run.datasets["Pixar"] = run.datasets["Pixar"].model_copy(update={"download": []})
    rows = {row.name: row.note for row in check(run)}
    assert "snakemake fetch" in rows["IXI"]
    assert "snakemake fetch" not in rows["Pixar"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reader": "bids"}, 2),
        ({"reader": "pattern", "scans": {"T1w": BRATS}}, 2),
        ({"reader": "pattern", "scans": {"T1w": ["raw/{site}/{subject}/t1.nii", BRATS]}}, 5),
        ({"reader": "dicom", "series": "raw/A/{subject:[xy]}/{date}/{image}"}, 1),
        ({"reader": "dicom", "series": "raw/A/{subject}/{date}"}, 2),
        ({"reader": "dicom", "series": "raw/{image}"}, None),
    ],
)
def test_subjects_are_counted_by_name_alone(changes, expected, dataset_card, touch):
    folder = touch(
        *("sub-1/anat/a", "sub-2/ses-1/anat/a", "derivatives/sub-3/a", "sub-9", "sub.txt"),
        *("BraTS-MEN-00001-000/a", "BraTS-MEN-00001-001/a", "BraTS-MEN-00002-000/a"),
        *("BraTS-MEN-3-000/a", "raw/A/x/a", "raw/A/q/a", "raw/A/table.csv", "raw/B/z/a"),
    )
    assert count_subjects(dataset_card(**changes), folder) == expected


def test_notes_are_wrapped_below_their_own_column():
    rows = [Row("cohort", "a", "absent", "0/2", "one two three"), Row("b", "", "", "", "")]
    text = show_table(rows, width=44)
    assert [line.rstrip() for line in text.splitlines()] == [
        "        name  state   subjects  where it is,",
        "                                or how to",
        "                                get it",
        "cohort  a     absent  0/2       one two",
        "                                three",
        "b",
    ]


def test_free_space_of_a_folder_to_come_is_its_disks(tmp_path):
    assert free_bytes(tmp_path / "a" / "b") == pytest.approx(free_bytes(tmp_path), rel=0.01)
