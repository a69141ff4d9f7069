"""What made a run: the code and the packages, with their versions."""

import importlib.metadata
import platform

from braindino.code import git_commit

PACKAGES = ["braindino", "torch", "timm", "numpy", "scipy", "pandas", "nibabel", "snakemake"]


def provenance(commit):
    """List what made the run: [(name, version)]."""
    versions = [(name, importlib.metadata.version(name)) for name in PACKAGES]
    return [("code", commit), ("python", platform.python_version()), *versions]


def code_version(fingerprint):
    """Return the git commit of this code, or its fingerprint where there is no repository."""
    commit = git_commit()
    return f"git commit {commit}" if commit else f"no git commit; fingerprint {fingerprint}"
