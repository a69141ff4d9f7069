"""Shards survive what happens to jobs: killed in mid-chunk and run again, they are the same."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow

CONFIG = """
datasets: [BraTS2023-MEN, BraTS2023-SSA]
tasks: [sequence]
phantoms: { BraTS2023-MEN: 3, BraTS2023-SSA: 2 }
phantom_spacing: 4.0
overrides:
  tasks:
    sequence: { datasets: [BraTS2023-MEN, BraTS2023-SSA], table: null, panel: null }
"""
ARGUMENTS = ("--profile", "profiles/demo", "--configfile", "config/demo.yaml", "tiny.yaml")
# What appears while a chunk is made, before its last output.
MARKS = {"brains": "brains/*/*/*.nii.gz", "shard": "shards/*/.part-*.npy"}


@pytest.fixture
def folder(copy_workflow, tmp_path):
    """A copy of the workflow with two cohorts of phantoms to run."""
    (tmp_path / "tiny.yaml").write_text(CONFIG)
    return copy_workflow(tmp_path)


@pytest.fixture
def run(snakemake, folder):
    """Return a function that runs a target to its end and returns the output."""

    def run(*arguments):
        status, output = snakemake(*arguments, *ARGUMENTS, folder=folder)
        assert status == 0, output[-5000:]
        return output

    return run


def kill_when(pattern, folder):
    """Start the target and kill it, with all its jobs, once a file of the pattern is there."""
    command = [sys.executable, "-m", "snakemake", "shards", *ARGUMENTS, "--cores", "2"]
    with (folder / "killed.log").open("w") as log:
        job = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    while not any((folder / "results" / "demo").glob(pattern)):
        assert job.poll() is None, (folder / "killed.log").read_text()
        time.sleep(0.005)
    os.killpg(job.pid, signal.SIGKILL)
    assert job.wait() == -signal.SIGKILL


def made(folder):
    """Return the bytes of every file of both stages, hidden ones as well."""
    results = folder / "results" / "demo"
    files = [path for part in ("brains", "shards") for path in (results / part).rglob("*")]
    return {str(p.relative_to(results)): p.read_bytes() for p in files if p.is_file()}


def test_killed_in_mid_chunk_and_run_again_gives_the_same_bytes(run, folder):
    run("shards")
    undisturbed = made(folder)
    assert sum(name.endswith(".npy") for name in undisturbed) == 2
    for name in undisturbed:
        (folder / "results" / "demo" / name).unlink()
    for rule, pattern in MARKS.items():
        kill_when(pattern, folder)
        assert f"rule {rule}:" in (folder / "killed.log").read_text()
        assert made(folder).keys() != undisturbed.keys()
        run("--unlock")  # as Snakemake asks, where it was killed itself
    run("shards")
    again = made(folder)
    assert again.keys() == undisturbed.keys()
    assert [name for name in again if again[name] != undisturbed[name]] == []
    assert "Nothing to be done" in run("shards")
