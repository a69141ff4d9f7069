"""Jobs counted from the text of a dry run, and how many submissions they are."""

import pytest

from braindino.cluster.jobs import RuleJobs, count_jobs, sbatch_calls
from braindino.cluster.plan import show_jobs, show_requeues, show_storage
from braindino.cluster.storage import Stored
from braindino.settings.plan import Plan

DRY_RUN = """\
Building DAG of jobs...
[Wed Nov 25 03:11:10 2026]
rule brains:
    input: corpus/volumes/a.parquet
    output: brains/a/0
    wildcards: dataset=a, chunk=0
    threads: 8
    resources: tmpdir=/tmp, mem_mb=32000, mem=32 GB, slurm_partition=gpu, runtime=240, gpu=1
[Wed Nov 25 03:11:10 2026]
rule brains:
    output: brains/a/1
    threads: 8
    resources: tmpdir=/tmp, mem_mb=32000, runtime=240, gres=gpu:a100:1

group job 7 (jobs in lexicogr. order):
    [Wed Nov 25 03:11:10 2026]
    rule table:
        output: tables/1.csv
        resources: tmpdir=/tmp, mem_mb=8000, runtime=60
    [Wed Nov 25 03:11:10 2026]
    rule evaluate:
        output: statistics/1.parquet
        resources: tmpdir=/tmp, mem_mb=8000, runtime=60
[Wed Nov 25 03:11:10 2026]
rule all:
    input: tables/1.csv
    resources: tmpdir=/tmp
"""
ROWS = [
    RuleJobs("brains", 2, 8, 32000, 1, 240),
    RuleJobs("evaluate", 1, 1, 8000, 0, 60),
    RuleJobs("table", 1, 1, 8000, 0, 60),
]


def test_jobs_and_what_they_ask_for_are_read_from_a_dry_run():
    assert count_jobs(DRY_RUN, {"all"}) == ROWS


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"split": 3}, {"split": 3}),
        ({"evaluate": 13, "table": 13}, {"evaluate": 2, "table": 0}),
        ({"evaluate": 1, "table": 9}, {"evaluate": 1, "table": 1}),
    ],
)
def test_groups_save_submissions(counts, expected):
    profile = {
        "groups": {"evaluate": "small", "table": "small"},
        "group-components": {"small": 8},
    }
    rows = [RuleJobs(rule, count, 1, 8000, 0, 60) for rule, count in counts.items()]
    assert sbatch_calls(rows, profile) == expected


def test_gpu_hours_are_what_the_limits_allow_or_what_is_reckoned():
    text = show_jobs([RuleJobs("train", 2, 64, 240000, 4, 1440), *ROWS], {}, {"train": 722})
    assert "≈ 722" in text
    assert "≤ 8" in text  # two jobs of four hours on one GPU
    assert text.splitlines()[-1].split() == ["all", "6", "6", "≤", "730"]


def test_requeues_follow_from_the_time_limit():
    class Cost:
        gpu_hours = 400.0

    assert show_requeues([Cost], Plan(gpus=4), limit=1440).endswith("requeued 4 times")


def test_storage_is_summed():
    lines = show_storage([Stored("brains", 2**30, 3000), Stored("shards", 2**30, 4)]).splitlines()
    assert lines[-1].split() == ["all", "2.0", "GiB", "3,004"]
