"""What jobs took, summed by rule."""

import pytest

from braindino.cluster.efficiency import COLUMNS, efficiency

HEAD = "s\th:m:s\tmax_rss\tcpu_time\tparams\tthreads\tresources"


def write(folder, rule, name, *values):
    path = folder / rule / f"{name}.tsv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(HEAD + "\n" + "\t".join(map(str, values)) + "\n")


def test_jobs_are_summed_by_rule(tmp_path):
    asked = {"mem_mb": 32000, "gpu": 1, "_cores": 8, "slurm_extra": "'--signal'"}
    write(tmp_path, "brains", "a.0", 3600, "1:00:00", 1000, 14400, "{'name': 'a \"b'}", 8, asked)
    write(
        tmp_path, "brains", "a.1", 1800, "0:30:00", 3000, 1800, "{}", 8, asked | {"mem_mb": 64000}
    )
    write(tmp_path, "probe", "x.y", 36, "0:00:36", 500.5, "NA", "{}", 1, {})
    table = efficiency(tmp_path).set_index("rule")
    assert table.loc["brains"].to_dict() == pytest.approx(
        {
            "jobs": 2,
            "hours": 1.5,
            "cpu_hours_asked": 12,
            "cpu_hours_used": 4.5,
            "mem_mb_asked": 64000,
            "mem_mb_used": 3000,
            "gpu_hours": 1.5,
        }
    )
    assert table.loc["probe", ["hours", "cpu_hours_used", "gpu_hours"]].tolist() == [0.01, 0, 0]


def test_gpus_asked_for_by_gres_count_on_every_node(tmp_path):
    asked = {"gres": "gpu:a100:4", "nodes": 2}
    write(tmp_path, "train", "x", 3600, "1:00:00", 1, 1, "{}", 8, asked)
    write(tmp_path, "embed", "x", 3600, "1:00:00", 1, 1, "{}", 8, {"gres": "gpu:1"})
    table = efficiency(tmp_path).set_index("rule")
    assert table["gpu_hours"].to_dict() == {"train": 8, "embed": 1}


def test_no_benchmark_is_an_empty_table(tmp_path):
    assert list(efficiency(tmp_path).columns) == COLUMNS
