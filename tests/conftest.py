"""Fixtures that rooms share: small volumes with known geometry, cards, and real scans."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from braindino.settings.cards import DatasetCard, TaskCard

ROOT = Path(__file__).parents[1]


def pytest_addoption(parser):
    parser.addoption(
        "--encoder", metavar="CARD", help="run the encoder contract alone, on this card (or path)"
    )


def pytest_ignore_collect(collection_path, config):
    """With `--encoder`, only the contract is read; other tests would take longer than it does."""
    other = collection_path.suffix == ".py" and collection_path.name != "test_contract.py"
    return True if config.getoption("--encoder") and other else None


@pytest.fixture
def root():
    return ROOT


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def real_data():
    folder = os.environ.get("BRAINDINO_DATA")
    if not (folder and Path(folder, "ds000011").is_dir()):
        pytest.skip("real scans: set BRAINDINO_DATA to the folder that holds ds000011")
    return Path(folder)


@pytest.fixture
def save_volume(tmp_path):
    """Return a function that writes an array as NIfTI and returns its path."""

    def save(volume, name="scan.nii.gz", affine=None):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(volume, np.eye(4) if affine is None else affine), path)
        return path

    return save


@pytest.fixture
def dataset_card():
    """Return a function that makes a dataset card."""

    def make(**changes):
        values = {
            "name": "lab",
            "title": "A lab's own scans",
            "citation": "none",
            "homepage": "none",
            "access": "open",
            "how_to_get": "ask",
            "licence": "CC0",
            "roles": ["pretraining", "evaluation"],
            "folder": "lab",
            "reader": "bids",
            "skull_stripped": True,
            "verified": True,
        }
        return DatasetCard(**values | changes)

    return make


@pytest.fixture
def task_card():
    """Return a function that makes a task card."""

    def make(**changes):
        values = {
            "name": "age",
            "title": "Brain age",
            "source": "§2.3",
            "kind": "regression",
            "datasets": ["lab"],
            "modalities": ["T1w"],
            "target": "age",
            "unit": "years",
            "test_fraction": 0.2,
            "test_fraction_source": "assumed",
        }
        return TaskCard(**values | changes)

    return make
