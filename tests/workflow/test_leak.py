"""One test subject, renamed, re-saved and planted into a pretraining cohort, stops the run."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

CONFIG = """
run: leak
datasets: [ICBM, OASIS, TCGA-GBM, BraTS2023-SSA]
tasks: [cls_oasis]
phantoms: {ICBM: 4, OASIS: 12, TCGA-GBM: 2, BraTS2023-SSA: 2}
phantom_spacing: 4.0
"""


@pytest.fixture(scope="module")
def run_corpus(snakemake, copy_workflow, tmp_path_factory):
    folder = copy_workflow(tmp_path_factory.mktemp("leak"))
    (folder / "leak.yaml").write_text(CONFIG)

    def run():
        return snakemake("corpus", "--configfile", "leak.yaml", folder=folder)

    return run, folder / "results" / "leak"


def plant(results):
    """Save a test scan as another person's: other name, orientation, type and scale."""
    split = pd.read_parquet(results / "corpus" / "splits" / "cls_oasis.parquet")
    scans = pd.read_parquet(results / "corpus" / "manifest" / "OASIS.parquet")
    test = split.loc[split["split"] == "test", "volume_id"].iloc[0]
    scan = nib.load(results.parents[1] / scans.set_index("volume_id").loc[test, "path"])
    voxels = np.squeeze(np.asanyarray(scan.dataobj))[:, ::-1].astype(np.float32) / 7
    icbm = results / "phantoms" / "ICBM"
    like = sorted(icbm.rglob("*.nii*"))[0]
    copy = icbm / "MNI_9999" / like.relative_to(icbm / like.relative_to(icbm).parts[0])
    copy.parent.mkdir(parents=True)
    nib.save(nib.Nifti1Image(voxels, np.diag([2, 3, 2, 1])), copy)
    return test


def test_a_planted_copy_stops_the_run_and_is_named(run_corpus):
    run, results = run_corpus
    status, output = run()
    assert status == 0, output[-3000:]
    clean = pd.read_csv(results / "corpus" / "audit" / "leakage.csv")
    assert (clean["found"] == 0).all()
    assert len(clean) == 4
    test = plant(results)
    status, output = run()
    assert status != 0
    sentence = next(line for line in output.splitlines() if "leakage: cls_oasis" in line)
    assert f"the test scan {test} holds the same scan as ICBM/MNI_9999" in sentence
    assert "in the pretraining corpus" in sentence
    assert not (results / "corpus" / "audit" / "leakage.csv").exists()
    listed = pd.read_csv(results / "corpus" / "audit" / "duplicates.csv")
    assert len(listed) == 1
