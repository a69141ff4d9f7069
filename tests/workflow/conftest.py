import os
import shutil
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def snakemake(pytestconfig):
    """Return a function that runs Snakemake in the repository and returns status and output."""

    def run(*arguments, environment=None, folder=pytestconfig.rootpath):
        clean = {k: v for k, v in os.environ.items() if not k.startswith("BRAINDINO_")}
        done = subprocess.run(
            [sys.executable, "-m", "snakemake", *map(str, arguments), "--cores", "2"],
            cwd=folder,
            env=clean | (environment or {}),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def copy_workflow(pytestconfig):
    """Return a function that copies the workflow into a folder, as a clone of its own."""

    def copy(folder):
        shutil.copy(pytestconfig.rootpath / "Snakefile", folder)
        for part in ("workflow", "config", "profiles", "envs"):
            shutil.copytree(pytestconfig.rootpath / part, folder / part)
        return folder

    return copy
