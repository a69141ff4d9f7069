"""A week in minutes: pretraining among time limits, preemptions and a crash ends as ever."""

import json
import os
import re
import signal
import subprocess

import torch

TIMED = ("slices_per_second", "data_wait", "memory_mib")
REQUEUES, PREEMPTIONS = 10, 2


def outcome(results):
    """Return what a pretraining leaves behind, without what a clock says."""
    folder = results / "pretrain" / "tiny"
    (final,) = folder.glob("checkpoints/*/final.pt")
    state = torch.load(final, weights_only=True)
    lines = [{k: v for k, v in line.items() if k not in TIMED} for line in state.pop("metrics")]
    files = [(folder / name).read_bytes() for name in ("encoder.safetensors", "encoder.json")]
    return lines, files, state


def iteration(results):
    """Return how far the pretraining is."""
    path = results / "pretrain" / "tiny" / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    return json.loads(whole[-1])["iteration"] if whole else 0


def process_of(folder):
    """Return the id of the process that trains."""
    listed = subprocess.run(["ps", "-ewwo", "pid,args"], capture_output=True, text=True, check=True)
    found = re.search(
        rf"^ *(\d+) \S*python\S* {folder}/\S+\.train\.py", listed.stdout, re.MULTILINE
    )
    return found and int(found[1])


def test_interruptions_change_nothing(workflow, local, prepared, cluster, wait_until):
    whole = prepared(local("whole"))
    whole.finish("pretrain")
    run = prepared(workflow("parts"))
    job = run.start("pretrain")
    reached = [0]

    def further():
        """Wait until the pretraining has gone on by a few steps; return its job."""

        def moved():
            assert job.poll() is None, run.log.read_text()[-6000:]
            return iteration(run.results) > reached[-1] + 2 and cluster.running("train")

        found = wait_until(moved, f"iteration {reached[-1] + 3}")
        reached.append(iteration(run.results))
        return found

    ids = set()
    for _ in range(REQUEUES):  # what SLURM sends before a time limit
        ids.add(further())
        cluster("scancel", "--signal=USR1", next(iter(ids)))
        wait_until(lambda: not cluster.running("train"), "the requeue")
    for _ in range(PREEMPTIONS):
        ids.add(further())
        cluster("sbatch", "-p", "urgent", "-N2", "--gpus=8", "-o/dev/null", "--wrap=true")
        wait_until(lambda: not cluster.running("train"), "the preemption")
    assert len(ids) == 1  # for Snakemake it has been one job all the time
    assert "Error in rule" not in run.log.read_text()

    further()
    os.kill(process_of(run.folder), signal.SIGKILL)
    assert job.wait(600) == 0, run.log.read_text()[-6000:]
    assert run.log.read_text().count("Trying to restart job") == 1

    ours, theirs = outcome(run.results), outcome(whole.results)
    assert ours[:2] == theirs[:2]
    torch.testing.assert_close(ours[2], theirs[2], rtol=0, atol=0)


JOB = """
import time
from pathlib import Path
from braindino.log import job_log
from braindino.pretrain.preemption import Interrupted, Preemption
from braindino.pretrain.requeue import requeued

with job_log("job.log", Interrupted), requeued(), Preemption() as preemption:
    with Path("starts").open("a") as stream:
        stream.write("started\\n")
    while len(Path("starts").read_text().splitlines()) < 2:
        time.sleep(0.2)
        if preemption.signal:
            raise Interrupted("asked", preemption.signal)
"""


def test_slurms_own_warning_before_a_time_limit_requeues_the_job(
    cluster, copy, wait_until, pytestconfig
):
    folder = copy("warned")
    (folder / "job.py").write_text(JOB)
    python = pytestconfig.rootpath / ".venv" / "bin" / "python"
    inside = f"env PYTHONPATH={folder}/workflow {python} job.py"
    asked = ("--parsable", "--requeue", "-t1", "--signal=USR1@55", "-D", folder, "-o", "out.log")
    job = cluster("sbatch", *asked, "--wrap", f"srun {inside}").strip()

    def ended():
        return cluster("squeue", "-h", "--states=all", "-j", job, "-o", "%T").strip() == "COMPLETED"

    wait_until(ended, "the end of the second start", seconds=150)
    assert (folder / "starts").read_text() == "started\nstarted\n"
