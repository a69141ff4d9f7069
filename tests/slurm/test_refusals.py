"""What SLURM could not run is said in one sentence, and nothing is submitted."""

import os

import pytest

TINY = {"slurm_partition": "cpu", "runtime": "5", "mem_mb": "500"}


def resources(**changes):
    return ("--default-resources", *(f"{k}={v}" for k, v in (TINY | changes).items()))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (resources(slurm_partition="cpus"), "this cluster has no partition 'cpus' (did you mean"),
        (resources(slurm_account="brian"), "you have no account 'brian' on this cluster (did you"),
        (
            ("--set-resources", "phantom:gpu=8", "phantom:slurm_partition=gpu"),
            "it asks for 8 GPUs on a node, and no node of partition 'gpu' has more than 4",
        ),
        (resources(mem_mb="900000"), "SLURM would refuse its jobs"),
        (
            ("--slurm-array-jobs", "all"),
            "every job of an array waits for the output",
        ),
    ],
)
def test_one_sentence_before_anything_is_submitted(arguments, sentence, workflow, cluster):
    status, output = workflow("refused").run("shards", *arguments)
    assert status != 0
    assert sentence in output
    assert "Traceback" not in output
    assert not cluster.jobs()


def test_no_slurm_on_this_machine(workflow, cluster, tmp_path):
    run = workflow("nowhere")
    for name in ("bash", "env", "git", "sh", "which", "cat"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    run.environment |= {"PATH": str(tmp_path), "SLURM_CONF": os.devnull}
    status, output = run.run("shards")
    assert status != 0
    assert "sbatch: this machine has no SLURM" in output
    assert "Traceback" not in output
