"""The whole pipeline, end to end, on a reduced demo; run twice, in folders of their own."""

import re
import shutil

import numpy as np
import pandas as pd
import pytest

from braindino.statistics.baselines import training_mean_mae

pytestmark = pytest.mark.slow

IMAGED = ("phantoms", "corpus", "brains")
BROKEN = "phantoms/Pixar/sub-pixar003/anat/sub-pixar003_T1w.nii.gz"


@pytest.fixture(scope="session")
def run_demo(snakemake, copy_workflow, pytestconfig, tmp_path_factory):
    """Return a function that runs the reduced demo in a fresh folder and returns its results.

    Given results, it goes on from their brains: that those are equal byte for byte is test_shards'.
    """

    def run(name, imaged=None):
        folder = copy_workflow(tmp_path_factory.mktemp(name))
        for part in IMAGED if imaged else ():
            shutil.copytree(imaged / part, folder / "results" / "demo" / part)
        small = pytestconfig.rootpath / "tests" / "workflow" / "small.yaml"
        arguments = ("--profile", "profiles/demo", "--configfile", "config/demo.yaml", small)
        assert_success(snakemake("corpus", *arguments, folder=folder))
        scan = folder / "results" / "demo" / BROKEN
        if not imaged:
            scan.write_bytes(scan.read_bytes()[:20_000])
        assert_success(snakemake("all", *arguments, folder=folder))
        status, output = snakemake("all", *arguments, folder=folder)
        assert status == 0
        assert "Nothing to be done" in output
        return folder / "results" / "demo"

    return run


def assert_success(result):
    status, output = result
    assert status == 0, output[-5000:]


@pytest.fixture(scope="session")
def demo(run_demo):
    return run_demo("first")


@pytest.fixture(scope="session")
def metrics(demo):
    frame = pd.read_parquet(demo / "statistics" / "metrics.parquet")
    whole = frame[frame["stratum"] == "all"]
    return whole.set_index(["task", "encoder", "metric", "ratio"]).sort_index()


def test_sequence_is_told_from_the_features(metrics):
    assert metrics.loc[("sequence", "braindino", "macro_auc", 1.0), "value"] >= 0.95


def test_brain_age_beats_the_training_mean(demo, metrics):
    baseline = training_mean_mae(pd.read_parquet(demo / "corpus" / "splits" / "age.parquet"))
    assert metrics.loc[("age", "braindino", "mae_years", 1.0), "value"] < baseline


def test_a_coin_cannot_be_foretold(metrics):
    row = metrics.loc[("coin", "braindino", "macro_auc", 1.0)]
    assert row["ci_low"] < 0.5 < row["ci_high"]


def test_more_labels_do_not_hurt(metrics):
    for task, metric, sign in (("age", "mae_years", 1), ("sequence", "macro_auc", -1)):
        few, all_ = (metrics.loc[(task, "braindino", metric, r)] for r in (0.1, 1.0))
        slack = (few["ci_high"] - few["ci_low"]) / 2
        assert sign * (all_["value"] - few["value"]) <= slack


def test_every_scan_is_accounted_for(demo):
    coverage = pd.read_csv(demo / "corpus" / "audit" / "coverage.csv").set_index("dataset")
    assert (coverage["found"] == coverage[["used", "unused", "rejected"]].sum(axis=1)).all()
    for name, row in coverage.iterrows():
        folder = demo / "brains" / name
        stripped = sum(len(pd.read_parquet(p)) for p in folder.glob("*.parquet"))
        rejected = sum(len(pd.read_csv(p)) for p in folder.glob("*.rejects.csv"))
        assert stripped + rejected == row["used"]


def test_an_encoder_passes_once_over_each_volume_under_each_condition(demo):
    logs = [path.read_text() for path in (demo / "logs").glob("embed*/*.log")]
    passes = [int(n) for text in logs for n in re.findall(r"(\d+) encoder passes", text)]
    kept = {
        (path.parts[-3], path.parts[-2], volume)
        for path in (demo / "features").glob("*/clean/*.parquet")
        for volume in pd.read_parquet(path)["volume_id"]
    }
    volumes = pd.concat(map(pd.read_parquet, (demo / "corpus" / "volumes").glob("*.parquet")))
    stripped = pd.concat(map(pd.read_parquet, (demo / "brains").glob("*/*.parquet")))
    probed = set(volumes.loc[volumes["probed"], "volume_id"]) & set(stripped["volume_id"])
    encoders = {"braindino", "dinov3", "intensity"}
    assert kept == {(encoder, "clean", volume) for encoder in encoders for volume in probed}
    assert sum(passes) == len(kept)


def test_every_condition_holds_the_test_volumes_of_the_perturbed_task(demo):
    split = pd.read_parquet(demo / "corpus" / "splits" / "age.parquet")
    tested = set(split.loc[split["split"] == "test", "volume_id"])
    kept = {path.name: set() for path in (demo / "features" / "braindino").iterdir()}
    for path in (demo / "features" / "braindino").glob("*/*.parquet"):
        kept[path.parent.name] |= set(pd.read_parquet(path)["volume_id"])
    conditions = {"contrast-2", "gibbs-0.4", "rician-0.05", "rician-0.3"}
    assert set(kept) == conditions | {"clean"}
    assert all(kept[name] == tested & kept["clean"] for name in conditions)


def test_stronger_noise_moves_the_predictions_farther(demo):
    made = pd.read_parquet(demo / "robustness" / "age" / "braindino.parquet")
    wide = made.pivot_table("prediction", ["seed", "volume_id"], "condition")
    weak, strong = (
        (wide[name] - wide["clean"]).abs().mean() for name in ("rician-0.05", "rician-0.3")
    )
    assert strong > weak > 0
    rows = pd.read_parquet(demo / "statistics" / "robustness.parquet")
    clean = rows[(rows["perturbation"] == "rician") & (rows["severity"] == 0)]
    assert len(clean) and (clean["degradation"] == 0).all()


def test_the_truncated_scan_is_listed_with_its_reason(demo):
    rejects = pd.read_csv(demo / "corpus" / "manifest" / "Pixar.rejects.csv")
    assert list(rejects["volume_id"]) == ["Pixar/pixar003/1/T1w"]
    assert "cannot be read" in rejects["reason"].iloc[0]


def test_no_test_subject_is_in_the_shards(demo):
    splits = pd.concat(map(pd.read_parquet, (demo / "corpus" / "splits").glob("*.parquet")))
    test = set(splits.loc[splits["split"] == "test", "subject"])
    index = pd.concat(map(pd.read_parquet, (demo / "shards").glob("*/*.parquet")))
    assert not test & set(index["dataset"] + "/" + index["subject"])
    for path in (demo / "shards").glob("*/*.npy"):
        shard = np.load(path, mmap_mode="r")
        assert shard.dtype == np.float16
        assert shard.shape[1:] == (256, 256)
        assert len(shard) == len(pd.read_parquet(path.with_suffix(".parquet")))


def test_a_demo_is_never_compared_with_the_paper(demo):
    rows = pd.read_csv(demo / "report" / "reproduction.csv")
    assert rows["reproduced"].isna().all()
    assert not rows["verdict"].str.startswith("reproduced").any()
    for name in ("table_s9.md", "table_s12.md"):
        text = (demo / "tables" / name).read_text()
        assert "demo" in text
        assert "random weights" in text


def test_a_second_run_gives_the_same_bytes(demo, run_demo):
    again = run_demo("second", demo)
    made = sorted(
        path.relative_to(demo)
        for folder in ("tables", "statistics", "predictions", "features", "report", "figures")
        for path in (demo / folder).rglob("*")
        if path.is_file()
    )
    assert len(made) > 20
    for path in made:
        assert (demo / path).read_bytes() == (again / path).read_bytes(), path
