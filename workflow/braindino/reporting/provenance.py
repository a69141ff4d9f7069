"""What made a run: the code and the packages, with their versions."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

PACKAGES = ["braindino", "torch", "timm", "numpy", "scipy", "pandas", "nibabel", "snakemake"]


def provenance(commit):
    """List what made the run: [(name, version)]."""
    versions = [(name, importlib.metadata.version(name)) for name in PACKAGES]
    return [("code", commit), ("python", platform.python_version()), *versions]


def code_version(fingerprint):
    """Return the git commit of this code, or its fingerprint where there is no repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return f"no git commit; fingerprint {fingerprint}"
    return f"git commit {done.stdout.strip()}"
