"""The plan: dry runs of every configuration, and one sentence for every mistake in it."""

import re

import pytest

from braindino.settings.load import read_yaml

EMBEDDING = ("embed", "embed_untrained")


def jobs(output):
    return int(re.search(r"^total\s+(\d+)", output, re.MULTILINE).group(1))


def sentence(output, pattern):
    """Return the line of the output that matches, having checked that no traceback is there."""
    assert "Traceback" not in output
    found = [line for line in output.splitlines() if re.search(pattern, line)]
    assert found, output
    return found[0]


def test_paper_scale_without_data_says_what_is_absent(snakemake):
    status, output = snakemake("-n")
    assert status == 0
    assert "absent: dataset IXI: no data root is set" in output
    assert "absent: task sequence: needs BraTS2023-MEN" in output
    assert "absent: encoder dinov3" in output
    assert "Traceback" not in output


def test_demo_plans_every_stage_in_few_jobs(snakemake, root):
    status, output = snakemake("--profile", root / "profiles" / "demo", "-n", "--forceall")
    assert status == 0
    assert jobs(output) <= 400  # DESIGN section 7
    for rule in ("phantom", "brains", "shard", "train", "embed", "probe", "figure_3", "report"):
        assert re.search(rf"^{rule}\s+\d+", output, re.MULTILINE)
    # One job a cohort holds all encoders whose weights are random, and another one the trained one.
    counts = [int(re.search(rf"^{r}\s+(\d+)", output, re.MULTILINE)[1]) for r in EMBEDDING]
    assert counts[0] == counts[1]


def test_groups_of_the_slurm_profile_hold_together(snakemake, root):
    demo = ("--configfile", root / "config" / "demo.yaml")
    status, output = snakemake("--profile", root / "profiles" / "slurm", *demo, "-n", "--forceall")
    assert status == 0, output[-2000:]
    assert jobs(output) > 300


def test_one_table_needs_only_its_task(snakemake, root):
    profile = root / "profiles" / "demo"
    status, output = snakemake("--profile", profile, "-n", "--forceall", "table_s9")
    assert status == 0
    encoders = read_yaml(root / "config" / "demo.yaml")["encoders"]
    assert re.search(rf"^probe\s+{len(encoders)}$", output, re.MULTILINE)
    assert "predictions/sequence" not in output
    assert "report.html" not in output


def test_empty_files_are_enough_for_a_plan(snakemake, tmp_path):
    """Availability is decided by folders; a dry run reads no scan."""
    for folder in ("IXI", "ds003604", "ds000228"):
        (tmp_path / folder).mkdir()
    environment = {"SLURM_TMPDIR": str(tmp_path)}
    status, output = snakemake("-n", "--config", f"data_root={tmp_path}", environment=environment)
    assert status == 0
    assert f"tmpdir={tmp_path}" in output
    assert "absent: dataset BraTS2023-MEN" in output
    assert re.search(r"^train\s+2$", output, re.MULTILINE)  # both stages
    # IXI expects 1,737 volumes: 28 chunks of at most 64.
    assert len(set(re.findall(r"brains/IXI/(\d+)\.parquet", output))) == 28


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("imging: {}", r"mine\.yaml: unknown key 'imging'; did you mean 'imaging'\?"),
        ("imaging: {clip_domain: brain}", r"mine\.yaml: key 'imaging.clip_domain': .*'brain'"),
        ("datasets: [IXY]", r"there is no card .*IXY\.yaml; did you mean 'IXI'\?"),
        ("recipe: tony", r"there is no card .*tony\.yaml; did you mean 'tiny'\?"),
        ("corpus: {test_fractions: {ihd: 0.5}}", r"names 'ihd', .*did you mean 'idh'\?"),
        ("data_root: /nowhere", r"data_root: there is no folder '/nowhere'; set data_root"),
    ],
)
def test_mistake_in_the_configuration(text, pattern, snakemake, tmp_path):
    (tmp_path / "mine.yaml").write_text(text + "\n")
    status, output = snakemake("-n", "--configfile", tmp_path / "mine.yaml")
    assert status != 0
    sentence(output, pattern)


def test_data_root_of_the_environment_that_is_not_there(snakemake):
    status, output = snakemake("-n", environment={"BRAINDINO_DATA": "/nowhere"})
    assert status != 0
    sentence(output, "BRAINDINO_DATA variable")


def test_strict_run_refuses_an_absence(snakemake):
    status, output = snakemake("-n", "--config", "strict=true")
    assert status != 0
    sentence(output, "strict: dataset ICBM is absent")
