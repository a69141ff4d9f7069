"""Profiles name rules that exist, and rules name no site."""

import re

import pytest
import yte

from braindino.cluster.profile import read_profile
from braindino.cluster.slurm import PREFIX


@pytest.fixture
def profile(root):
    return read_profile(root / "profiles" / "slurm")


@pytest.fixture
def at_site(root):
    """Return a function that reads the profile with a site's own names."""
    text = (root / "profiles" / "slurm" / "config.yaml").read_text()

    def read(**names):
        changed = text
        for name, value in names.items():
            changed = re.sub(rf"^  {name}: \S+", f"  {name}: {value}", changed, flags=re.MULTILINE)
        return yte.process_yaml(changed, require_use_yte=True)

    return read


@pytest.fixture
def rules(root):
    files = [root / "Snakefile", *(root / "workflow" / "rules").glob("*.smk")]
    return {path.name: path.read_text() for path in files}


def named(profile):
    for key in ("set-resources", "set-threads", "groups"):
        yield from profile.get(key, {})


@pytest.mark.parametrize("name", ["slurm", "local"])
def test_every_rule_that_a_profile_names_exists(name, root, rules):
    text, head = "\n".join(rules.values()), r"^ *(?:rule|use rule \w+ as) (\w+)\b"
    known = set(re.findall(head, text, re.MULTILINE))
    assert set(named(read_profile(root / "profiles" / name))) <= known


def test_no_rule_names_a_site_or_retries_by_itself(rules):
    # A rule's own retries are obeyed inside the job as well: twice nested.
    for name, text in rules.items():
        for word in ("slurm_", "partition", "gres=", "retries:"):
            assert word not in text, f"{name}: {word}"


def test_traps_of_the_executor_are_set_against(profile):
    assert profile["slurm-status-command"] == "squeue"
    assert "slurm-array-jobs" not in profile  # each waits for the first one's output
    assert profile["slurm-requeue"] is True
    assert profile["rerun-incomplete"] is True
    assert profile["slurm-jobname-prefix"] + "_" == PREFIX
    # A partial file kept would count as whole the next time.
    assert "keep-incomplete" not in profile


def test_pretraining_is_warned_before_its_limit(profile):
    train = profile["set-resources"]["train"]
    assert train["slurm_extra"] == "'--signal=USR1@600'"
    assert train["gpu"] == 4
    assert "mpi" not in train


def test_a_sites_names_reach_the_jobs(at_site):
    names = {"account": "lab", "partition": "short", "gpu_partition": "a100", "gres": "gpu:a100"}
    profile = at_site(**names, nodes=2, constraint="nvlink")
    assert profile["default-resources"]["slurm_account"] == "lab"
    assert profile["default-resources"]["slurm_partition"] == "short"
    brains, train = (profile["set-resources"][rule] for rule in ("brains", "train"))
    assert brains["slurm_partition"] == train["slurm_partition"] == "a100"
    assert brains["gres"] == "gpu:a100:1"
    assert "gpu" not in brains
    assert brains["constraint"] == "nvlink"
    assert (train["nodes"], train["gres"], train["mpi"]) == (2, "gpu:a100:4", "srun")


@pytest.mark.parametrize("gpus", [1, 4])
def test_several_nodes_are_asked_for_the_cpus_that_they_have(gpus, at_site):
    profile = at_site(nodes=2, node_gpus=gpus)
    train = profile["set-resources"]["train"]
    assert train["tasks_per_node"] > 1  # or the plugin refuses the job
    assert train["tasks_per_node"] * train["cpus_per_task"] == 64
    assert (train["gpu"], train["nodes"]) == (2 * gpus, 2)


def test_gpus_come_from_one_node(profile):
    asked = [needs for needs in profile["set-resources"].values() if "gpu" in needs]
    assert len(asked) > 5 and all(needs["nodes"] == 1 for needs in asked)


def test_memory_and_time_grow_with_each_attempt_up_to_the_limit(profile):
    asked = profile["set-resources"]["brains"]
    grown = [eval(asked["runtime"], {"attempt": attempt}) for attempt in (1, 2, 9)]
    assert grown == [240, 480, 1440]
    assert eval(asked["mem_mb"], {"attempt": 3}) == 96000
