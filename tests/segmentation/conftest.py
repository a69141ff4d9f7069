"""A cohort of small cases, and encoders that fit it."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from braindino.settings.cards import Regions
from braindino.settings.load import load_card

FILES = {"T1w": "t1", "T1c": "t1ce", "T2w": "t2", "FLAIR": "flair"}
TINY = {
    "braindino": {
        "source": "timm",
        "untrained": True,
        "architecture": "vit_small_patch16_dinov3",
        "arguments": {"embed_dim": 96, "depth": 2, "num_heads": 2, "init_values": 1.0},
        "segmentation": {"size": [32, 32], "layers": ["blocks.0", "blocks.1"]},
    },
    "brainmvp": {
        "arguments": {"depths": [1, 1, 1, 1], "dims": [4, 8, 16, 32], "head_dim": 16},
        "segmentation": {"size": [32, 32, 32]},
    },
    "bm_mae": {
        "arguments": {"size": 32, "dim": 24, "depth": 4, "heads": 2, "mlp_dim": 48},
        "segmentation": {
            "size": [32, 32, 32],
            "layers": ["blocks.0", "blocks.1", "blocks.2", "norm"],
        },
        "layers": {"early": "blocks.1", "mid": "blocks.2", "late": "blocks.3"},
    },
    "brainiac": {
        "arguments": {
            **{"img_size": [32, 32, 32], "hidden_size": 24, "mlp_dim": 48},
            **{"num_layers": 4, "num_heads": 2},
        },
        "segmentation": {
            "size": [32, 32, 32],
            "layers": ["blocks.0", "blocks.1", "blocks.2", "norm"],
        },
        "layers": {"early": "blocks.1", "mid": "blocks.2", "late": "blocks.3"},
    },
}


@pytest.fixture(scope="session")
def tiny():
    """Return a function that loads an encoder's card at tiny size."""
    return lambda name: load_card("encoders", name, override=TINY[name])


@pytest.fixture(scope="session")
def regions():
    return {"BraTS2021": Regions(wt=[1, 2, 4], tc=[1, 4], et=[4], source="Baid et al. 2021")}


@pytest.fixture(scope="session")
def task():
    return load_card("tasks", "seg_brats2021")


def balls(rng, shape=(36, 36, 20)):
    """Label map of nested balls, and a brain around them."""
    grid = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"))
    centre = rng.uniform([13, 13, 7], [22, 22, 12])[:, None, None, None]
    far = np.sqrt(((grid - centre) ** 2).sum(0))
    label = np.select([far < 2.5, far < 4, far < 6.5], [1, 4, 2], 0).astype(np.uint8)
    middle = np.array(shape).reshape(3, 1, 1, 1) / 2
    return label, (((grid - middle) / (middle * 0.9)) ** 2).sum(0) < 1


@pytest.fixture(scope="session")
def cohort(tmp_path_factory):
    """Six cases on disk in LPS order: the manifest and the split."""
    folder, rng, rows = tmp_path_factory.mktemp("BraTS2021"), np.random.default_rng(0), []
    for number in range(6):
        label, brain = balls(rng)
        subject = f"BraTS2021_{number:05d}"
        seg = folder / f"{subject}_seg.nii.gz"
        affine = np.diag([-2.0, -2.0, 2.0, 1.0])
        nib.save(nib.Nifti1Image(label, affine), seg)
        for modality, suffix in FILES.items():
            image = 100 * brain + 60 * (label > 0) + 60 * (label == 4) * (modality == "T1c")
            image = (image + rng.normal(0, 5, label.shape)) * brain
            path = folder / f"{subject}_{suffix}.nii.gz"
            nib.save(nib.Nifti1Image(image.astype(np.int16), affine), path)
            rows.append(
                {
                    **{"volume_id": f"BraTS2021/{subject}/1/{modality}", "dataset": "BraTS2021"},
                    **{"subject": subject, "session": "1", "modality": modality},
                    **{"path": str(path), "segmentation": str(seg)},
                    "part": "test" if number < 2 else "train",
                }
            )
    manifest = pd.DataFrame(rows)
    split = manifest.assign(
        task="seg_brats2021",
        subject="BraTS2021/" + manifest["subject"],
        split=manifest.pop("part"),
        fold=0,
        target=manifest["segmentation"],
    )
    return manifest, split.drop(columns=["path", "segmentation"])
