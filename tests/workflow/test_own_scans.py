"""A lab's own BIDS folder, through a card of its own: what works, and what is said if it fails."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

CONFIG = """
run: lab
datasets: [lab]
tasks: [age]
encoders: [braindino]
recipe: tiny
overrides:
  tasks:
    age:
      { datasets: [lab], table: null, panel: null, strata_table: null, strata_panel: null }
"""


@pytest.fixture
def lab(tmp_path, copy_workflow, rng):
    """A copy of the workflow beside a BIDS folder of six small stripped brains."""
    folder = copy_workflow(tmp_path)
    card = yaml.safe_load((folder / "config" / "datasets" / "bids.yaml").read_text())
    card |= {"name": "lab", "folder": "lab"}
    (folder / "config" / "datasets" / "lab.yaml").write_text(yaml.safe_dump(card))
    (folder / "lab.yaml").write_text(CONFIG)
    cohort = folder / "scans" / "lab"
    rows = ["participant_id\tage\tsex"]
    x, y, z = np.indices((24, 24, 24)) - 11.5
    ball = x**2 + y**2 + z**2 < 8**2
    for n in range(6):
        brain = np.where(ball, rng.integers(50, 200, ball.shape), 0).astype(np.int16)
        anat = cohort / f"sub-{n:02d}" / "anat"
        anat.mkdir(parents=True)
        nib.save(nib.Nifti1Image(brain, np.eye(4)), anat / f"sub-{n:02d}_T1w.nii.gz")
        rows.append(f"sub-{n:02d}\t{20 + 5 * n}\tF")
    (cohort / "participants.tsv").write_text("\n".join(rows) + "\n")
    (cohort / "dataset_description.json").write_text('{"Name": "lab", "BIDSVersion": "1.9.0"}')
    return folder


@pytest.fixture
def build_corpus(snakemake, lab):
    def build():
        arguments = ("corpus", "--configfile", "lab.yaml", "--config", "data_root=scans")
        return snakemake(*arguments, "--show-failed-logs", "--retries", "2", folder=lab)

    return build


def test_an_unreadable_scan_is_a_row_in_rejects_and_the_run_goes_on(lab, build_corpus):
    scan = lab / "scans" / "lab" / "sub-03" / "anat" / "sub-03_T1w.nii.gz"
    scan.write_bytes(scan.read_bytes()[:500])
    status, output = build_corpus()
    assert status == 0, output
    results = lab / "results" / "lab" / "corpus"
    rejects = pd.read_csv(results / "rejects.csv")
    assert list(rejects["volume_id"]) == ["lab/03/1/T1w"]
    manifest = pd.read_parquet(results / "manifest" / "lab.parquet")
    assert len(manifest) == 5
    assert manifest["skull_stripped"].all()
    assert list(manifest["age"]) == [20, 25, 30, 40, 45]


def test_label_table_without_the_column(lab, build_corpus):
    table = lab / "scans" / "lab" / "participants.tsv"
    table.write_text(table.read_text().replace("age", "years"))
    status, output = build_corpus()
    assert status != 0
    assert "participants.tsv: there is no column 'age'" in output
    assert "mend 'labels' in config/datasets/lab.yaml" in output
    assert "Traceback" not in output
    assert "Trying to restart" not in output  # it would only fail again


def test_card_whose_pattern_matches_nothing(lab, build_corpus):
    path = lab / "config" / "datasets" / "lab.yaml"
    card = yaml.safe_load(path.read_text())
    card |= {"reader": "pattern", "scans": {"T1w": "T1/{subject}.nii.gz"}}
    path.write_text(yaml.safe_dump(card))
    status, output = build_corpus()
    assert status != 0
    assert "config/datasets/lab.yaml: nothing below scans/lab matches the card" in output
    assert "Traceback" not in output
