from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from braindino.corpus.columns import DUPLICATES, NOTES
from braindino.corpus.coverage import composition, coverage
from braindino.corpus.sizes import split_sizes
from braindino.imaging.quality import MEASURES, find_outliers
from braindino.reporting.labels import labels
from braindino.settings.config import Config
from braindino.settings.load import Run, load_card
from braindino.settings.pretrain import Recipe
from braindino.settings.statistics import Statistics

CONFIG = Path(__file__).parents[2] / "config"
RATIOS = [0.1, 0.2, 0.4, 0.6, 0.8, 1.0]


def make_run(**config):
    values = {"datasets": [], "tasks": ["age", "sequence"], "encoders": ["braindino", "dinov3"]}
    config = Config(**values | config)
    cards = {
        kind: {name: load_card(kind, name, CONFIG) for name in getattr(config, kind)}
        for kind in ("tasks", "encoders")
    }
    recipe = Recipe(name="braindino", title="BrainDINO, stage 1")
    return Run(config, datasets={}, recipe=recipe, **cards)


@pytest.fixture(scope="session")
def demo_run():
    return make_run(
        run="demo",
        phantoms={"IXI": 30, "Pixar": 30},
        random_weights=True,
        statistics=Statistics(bootstrap=200),
    )


@pytest.fixture(scope="session")
def pending_run(demo_run):
    """The demo with a task that is only split."""
    idh = load_card("tasks", "idh", CONFIG, {"evaluation": "pending"})
    return demo_run._replace(tasks=demo_run.tasks | {"idh": idh})


@pytest.fixture(scope="session")
def real_run():
    return make_run()


@pytest.fixture(scope="session")
def root_config():
    return CONFIG


@pytest.fixture(scope="session")
def cards():
    """Every task's card."""
    names = [path.stem for path in sorted((CONFIG / "tasks").glob("*.yaml"))]
    return {name: load_card("tasks", name, CONFIG) for name in names}


@pytest.fixture(scope="session")
def availability():
    rows = [
        ("dataset", "IXI", "phantom", "30 phantom subjects"),
        ("dataset", "UCSF-PDGM", "absent", "no data root is set; ask https://example.org"),
        ("encoder", "braindino", "present", "recipe braindino"),
        ("encoder", "dinov3", "untrained", "random weights, for the demo alone"),
        ("encoder", "brainiac", "absent", "its weights are not there"),
        ("task", "age", "present", "IXI + LONG579 + Pixar"),
        ("task", "sequence", "present", "BraTS2023-MEN + BraTS2023-SSA + BraTS2023-PED"),
        ("task", "idh", "present", "UCSF-PDGM"),
        ("task", "dps", "absent", "needs ATLAS"),
    ]
    return pd.DataFrame(rows, columns=["kind", "name", "status", "reason"])


@pytest.fixture(scope="session")
def demo_labels(demo_run, availability):
    return labels(demo_run, availability)


@pytest.fixture(scope="session")
def metrics():
    """Results of two tasks and encoders that improve with labels."""
    rows = []
    for task, metric, start, end in [
        ("age", "mae_years", 14, 6),
        ("age", "r2", 0.2, 0.8),
        ("sequence", "macro_auc", 0.8, 0.99),
        ("sequence", "accuracy", 0.6, 0.95),
    ]:
        for encoder, worse in (("braindino", 0.0), ("dinov3", -0.15)):
            for ratio in RATIOS:
                value = start + (end - start) * (np.sqrt(ratio) + worse)
                half = 0.1 * abs(end - start)
                rows.append(
                    {
                        "task": task, "encoder": encoder, "ratio": ratio, "stratum": "all",
                        "metric": metric, "value": value, "sd": half / 2,
                        "ci_low": value - half, "ci_high": value + half, "n": 60,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.fixture(scope="session")
def comparisons(metrics):
    rows = metrics[metrics["encoder"] == "dinov3"]
    columns = ["task", "ratio", "stratum", "metric", "encoder"]
    return rows[columns].assign(
        reference="braindino", difference=1.0, test="any", p=0.0004, p_holm=0.002, n=60,
        detectable=0.5,
    )  # fmt: skip


@pytest.fixture(scope="session")
def subsets():
    rows = [
        (task, ratio, seed, f"{task}/{i}")
        for task, total in (("age", 120), ("sequence", 80))
        for ratio in RATIOS
        for seed in range(2)
        for i in range(round(ratio * total))
    ]
    return pd.DataFrame(rows, columns=["task", "ratio", "seed", "subject"])


MANIFEST = pd.DataFrame(
    [
        (f"{dataset}/{dataset}{i:03d}/1/{modality}", dataset, f"{dataset}{i:03d}", modality, maker)
        for dataset, subjects, modalities, maker in [
            ("IXI", 12, ["T1w", "T2w"], "Philips"),
            ("BraTS2023-MEN", 5, ["T1w", "T1c", "FLAIR"], None),
            ("fastMRI-Brain", 3, ["T2w"], "Siemens"),
        ]
        for i in range(subjects)
        for modality in modalities
    ],
    columns=["volume_id", "dataset", "subject", "modality", "vendor"],
).assign(
    age=lambda rows: 20.0 + 7 * rows["subject"].str[-3:].astype(int), sex="F",
    field_strength=1.5, slice_thickness=1.2, orientation="RAS", skull_stripped=False,
)  # fmt: skip
GROUPS = {
    "IXI": "normative", "BraTS2023-MEN": "brain_tumor", "fastMRI-Brain": "clinical_acquisition",
}  # fmt: skip


@pytest.fixture(scope="session")
def manifest():
    return MANIFEST


@pytest.fixture(scope="session")
def groups():
    return GROUPS


@pytest.fixture(scope="session")
def audits(pending_run):
    """The corpus stage's own tables, of three cohorts; IXI is short of 8 volumes."""
    volumes = MANIFEST[["volume_id"]].assign(
        pretraining=MANIFEST["subject"] != "IXI000", evaluation=MANIFEST["dataset"] == "IXI"
    )
    rejects = pd.DataFrame({"volume_id": ["IXI/IXI999/1/T1w"]})
    expected = dict.fromkeys(GROUPS) | {"IXI": {"subjects": 12, "volumes": 33}}
    tasks = {name: pending_run.tasks[name] for name in ("age", "idh")}
    checks = [f"test {what} in the pretraining corpus" for what in ("subjects", "scans")]
    notes = [("IXI", "IXI.xls: rows whose subject has no scan", 2, "IXI998")]
    copies = [("IXI/IXI001/1/T1w", "IXI/IXI002/1/T1w", 0.99, "same cohort")]
    return {
        "coverage": coverage(MANIFEST, rejects, volumes, expected, slices=128),
        "composition": composition(MANIFEST, volumes),
        "splits": split_sizes(pd.concat([make_split("age", 1), make_split("idh", 5)]), tasks),
        "leakage": pd.DataFrame(
            [(task, check, 0) for task in tasks for check in checks],
            columns=["task", "check", "found"],
        ),
        "duplicates": pd.DataFrame(copies, columns=DUPLICATES),
        "notes": pd.DataFrame(notes, columns=NOTES),
    }


def make_split(task, folds):
    """Twenty subjects of two scans, five of them in test; of each part the first is of class 0."""
    rows = [
        (task, f"IXI/IXI{i:03d}", f"IXI/IXI{i:03d}/{visit}/T1w", "test" if i < 5 else "train", fold)
        for fold in range(folds)
        for i in range(20)
        for visit in (1, 2)
    ]
    split = pd.DataFrame(rows, columns=["task", "subject", "volume_id", "split", "fold"])
    return split.assign(target=(~split["subject"].isin(["IXI/IXI000", "IXI/IXI005"])).astype(float))


@pytest.fixture(scope="session")
def published():
    return pd.read_csv(CONFIG / "paper" / "results.csv")


@pytest.fixture(scope="session")
def thumbnails():
    """Ellipsoid brains with texture, some more than a mosaic shows."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:160j, -1:1:160j]
    count = 19
    texture = ndimage.gaussian_filter(rng.random((count, 3, 160, 160)), (0, 0, 3, 3))
    mask = np.broadcast_to((x / 0.6) ** 2 + (y / 0.75) ** 2 < 1, (count, 3, 160, 160))
    raw = np.where((x / 0.75) ** 2 + (y / 0.9) ** 2 < 1, (texture - 0.3) * 600, 0)
    return {
        "raw": raw.clip(0, 255).astype(np.uint8),
        "mask": mask.copy(),
        "slices": (raw * mask).clip(0, 255).astype(np.uint8),
        "before": rng.integers(0, 900, (count, 64), np.uint32),
        "after": rng.integers(0, 900, (count, 64), np.uint32),
    }


@pytest.fixture(scope="session")
def brains():
    """The index of the thumbnails' volumes: the twelfth is small, every other one was stripped."""
    rng = np.random.default_rng(0)
    count = 19
    columns = {name: rng.normal(100, 3, count) for name in MEASURES}
    columns["brain_ml"] = np.where(np.arange(count) == 11, 640.0, 1320 + rng.normal(0, 40, count))
    columns["border_share"] = 0.0
    index = pd.DataFrame(columns).assign(
        intensity_low=10.0, modality="T1w", dataset="IXI", stripped_before=np.arange(count) % 2 == 0
    )
    return index.assign(volume_id=[f"IXI/IXI{i:03}/1/T1w" for i in range(count)])


@pytest.fixture(scope="session")
def outliers(brains):
    return find_outliers(brains)


@pytest.fixture(scope="session")
def training_log():
    rng = np.random.default_rng(0)
    return [
        {
            "iteration": i, "loss": 8 + 3 * np.exp(-i / 100) + 0.1 * rng.random(),
            "dino_global": 7.5 + rng.random() / 5, "dino_local": 7.2 + rng.random() / 5,
            "ibot": 7 - i / 500, "koleo": 1 - i / 1000, "lr": min(i, 50) / 5e4,
            "teacher_entropy": 5.0, "student_entropy": 5.5, "rankme": 20 + i / 20,
            "koleo_distance": 0.4 + i / 4000,
        }
        | ({"knn_modality": 0.5 + i / 1000, "knn_modality_chance": 0.4} if i % 100 == 0 else {})
        for i in range(0, 400, 10)
    ]  # fmt: skip
