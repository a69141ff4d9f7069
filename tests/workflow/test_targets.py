"""The targets that look at the machine: they work where there is nothing, and plan nothing else."""

import re


def test_check_names_every_cohort_where_there_is_nothing(snakemake, copy_workflow, tmp_path):
    status, output = snakemake("check", folder=copy_workflow(tmp_path))
    assert status == 0, output
    assert re.search(r"^total\s+1$", output, re.MULTILINE)
    for cohort in ("IXI", "LONG579", "Pixar", "BraTS2023-MEN"):
        assert re.search(rf"^cohort +{cohort} +absent", output, re.MULTILINE)


def test_fetch_refuses_a_registered_cohort_without_failing(snakemake, copy_workflow, tmp_path):
    folder = copy_workflow(tmp_path)
    (folder / "mine.yaml").write_text(
        "datasets: [BraTS2023-MEN, BraTS2023-SSA, BraTS2023-PED]\ntasks: [sequence]\n"
    )
    status, output = snakemake("fetch", "--configfile", folder / "mine.yaml", folder=folder)
    assert status == 0, output
    assert re.search(r"BraTS2023-MEN needs a registration: .*https://www\.synapse\.org", output)
    assert re.search(r"^total\s+1$", output, re.MULTILINE)


def test_plan_prints_the_papers_cost(snakemake, copy_workflow, tmp_path):
    status, output = snakemake("plan", folder=copy_workflow(tmp_path))
    assert status == 0, output
    assert re.search(r"^total\s+1$", output, re.MULTILINE)
    assert re.search(r"^time +667 A100-hours", output, re.MULTILINE)


def test_demo_fetches_nothing(snakemake, copy_workflow, tmp_path):
    folder = copy_workflow(tmp_path)
    status, output = snakemake("--profile", folder / "profiles" / "demo", "fetch", folder=folder)
    assert status == 0, output
    assert "nothing to download" in output


def test_a_machine_without_data_gets_a_report_of_what_is_absent(snakemake, copy_workflow, tmp_path):
    status, output = snakemake("all", folder=copy_workflow(tmp_path))
    assert status == 0, output[-3000:]
    report = (tmp_path / "results" / "paper" / "report.html").read_text()
    assert "IXI-T1.tar" in report
    assert "No task had its cohorts and an encoder" in report
