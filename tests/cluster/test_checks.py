"""One sentence for each thing that would make all jobs fail, before the first is submitted."""

import pytest

from braindino.cluster.checks import Watching, check_cluster, probe_command, request
from braindino.errors import BadInput

WATCHING = Watching("squeue", first_look=40, arrays=False)
RESOURCES = {"slurm_partition": "gpu", "slurm_account": "lab", "gpu": 4, "mem_mb": 9, "runtime": 60}


def check(tmp_path, watching=WATCHING, **changes):
    asked = request("train", 8, RESOURCES | changes)
    return check_cluster([asked], watching, tmp_path)


def test_a_cluster_that_has_all_says_nothing(slurm, tmp_path):
    slurm()
    assert check(tmp_path) == []


def test_no_sbatch(slurm, tmp_path):
    slurm(sbatch=None)
    with pytest.raises(BadInput, match=r"sbatch: .* no SLURM; start on a login node"):
        check(tmp_path)


@pytest.mark.parametrize(
    ("changes", "pattern"),
    [
        ({"slurm_partition": "gpus"}, r"no partition 'gpus' \(did you mean 'gpu'\?\); it has: cpu"),
        (
            {"slurm_account": "labs"},
            r"no account 'labs' .*\(did you mean 'lab'\?\); you have: lab,",
        ),
        ({"gpu": 5}, r"asks for 5 GPUs on a node, and no node of partition 'gpu' has more than 4"),
        ({"gpu": 0, "gres": "gpu:a100:6"}, r"asks for 6 GPUs on a node"),
        ({"slurm_partition": "cpu", "gpu": 1}, r"no node of partition 'cpu' has more than 0"),
        ({"gpu": 10, "nodes": 2}, r"asks for 5 GPUs on a node"),
    ],
)
def test_what_no_job_could_get(changes, pattern, slurm, tmp_path):
    slurm()
    with pytest.raises(BadInput, match=f"rule train: .*{pattern}"):
        check(tmp_path, **changes)


def test_gpus_spread_over_nodes_are_counted_a_node(slurm, tmp_path):
    slurm()
    assert check(tmp_path, gpu=8, nodes=2) == []


def test_slurms_own_refusal_is_passed_on(slurm, tmp_path):
    slurm(sbatch="error:\nallocation failure: Requested time limit is invalid")
    with pytest.raises(BadInput, match=r"refuse its jobs \(Requested time limit is invalid\)"):
        check(tmp_path)


def test_slurm_is_asked_for_what_the_job_asks():
    asked = request("train", 8, RESOURCES | {"nodes": 2, "constraint": "a100"})
    command = probe_command(asked)
    assert command[:3] == ["sbatch", "--test-only", "--cpus-per-task=8"]
    for option in ("--partition=gpu", "--account=lab", "--gpus=4", "--nodes=2", "--mem=9"):
        assert option in command
    assert {"--time=60", "--constraint=a100", "--wrap=true"} <= set(command)


def test_a_controller_that_is_down(slurm, tmp_path):
    slurm(scontrol="error:\nUnable to contact slurm controller (connect failure)")
    with pytest.raises(BadInput, match=r"does not answer `scontrol show config` \(Unable to"):
        check(tmp_path)


@pytest.mark.parametrize("changes", [{"sacct": None}, {"scontrol": "MinJobAge = 300 sec"}])
def test_accounting_that_is_off(changes, slurm, tmp_path):
    slurm(**changes)
    (note,) = check(tmp_path, slurm_account=None)
    assert note.startswith("sacct: this cluster keeps no accounts of jobs")
    with pytest.raises(BadInput, match="set slurm-status-command: squeue"):
        check(tmp_path, WATCHING._replace(command="sacct"), slurm_account=None)


@pytest.mark.parametrize(
    ("watching", "pattern"),
    [
        ({"arrays": True}, "waits for the output of the first one"),
        ({"first_look": 120}, "squeue must know it for 360 s"),
    ],
)
def test_ways_of_watching_that_this_plugin_gets_wrong(watching, pattern, slurm, tmp_path):
    slurm()
    with pytest.raises(BadInput, match=pattern):
        check(tmp_path, WATCHING._replace(**watching))


def test_a_time_limit_that_the_warning_eats_up(slurm, tmp_path):
    slurm()
    with pytest.raises(BadInput, match=r"of its 12 min SLURM's warning.* set limit above 15"):
        check(tmp_path, runtime=12)


def test_sacct_misreads_a_cancelled_job(slurm, tmp_path):
    slurm()
    (note,) = check(tmp_path, WATCHING._replace(command="sacct"))
    assert "a job that you cancel alone is waited for without end" in note


def test_a_cluster_that_forgets_its_jobs_too_soon(slurm, tmp_path):
    slurm(scontrol="MinJobAge = 60 sec")
    with pytest.raises(BadInput, match="forgets a job 60 s after its end"):
        check(tmp_path)


def test_jobs_of_a_killed_run_are_named(slurm, tmp_path):
    ours = f"31|braindino_1b|{tmp_path}\n7|braindino_1b|{tmp_path}"
    slurm(squeue=f"{ours}\n8|braindino_2c|/elsewhere\n9|mine|{tmp_path}")
    with pytest.raises(BadInput, match=r"^2 jobs .* `scancel 7 31`"):
        check(tmp_path)
