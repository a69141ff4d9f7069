"""Name the code: the git commit of all of it, and a fingerprint of what is behind a rule.

A change in the science re-runs what uses it by its fingerprint: Snakemake watches a rule's script,
not the package that the script imports.
"""

import functools
import hashlib
import re
import subprocess
from pathlib import Path

PACKAGE = Path(__file__).parent
# Parsing would take longer than most jobs that ask.
IMPORT = re.compile(
    rf"^\s*(?:from|import)\s+({PACKAGE.name}[\w.]*)(?:\s+import\s+(\([^)]*\)|[^\n]*))?",
    re.MULTILINE,
)
# How a job talks cannot change what it makes.
IGNORED = {PACKAGE / "log.py"}


def git_commit():
    """Return the git commit of this code, or None where there is no repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def fingerprint(script):
    """Hash a script with every module of this package that it imports, directly or not.

    A file of C that a module compiles lies beside it, under its name.

    Parameters
    ----------
    script : path

    Returns
    -------
    str
        Twelve hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path in sorted(_closure(Path(script))):
        digest.update(_text(path).encode())
    return digest.hexdigest()[:12]


def class_fingerprint(path, root):
    """Hash the module of a class that an encoder's card names, where it is not an installed one.

    Parameters
    ----------
    path : str or None
        package.module.Class
    root : path
        Folder that holds config/encoders.

    Returns
    -------
    str or None
        As `fingerprint` returns it; None of an installed class, which the environment pins.
    """
    module = (path or "").rpartition(".")[0]
    beside = Path(root, "config", "encoders", f"{module.replace('.', '/')}.py")
    file = _file(module) or (beside if beside.is_file() else None)
    return fingerprint(file) if file else None


def _closure(script):
    seen, waiting = set(), [script]
    while waiting:
        path = waiting.pop()
        if path not in seen | IGNORED:
            seen.add(path)
            waiting += _imports(path)
    return seen


@functools.cache
def _imports(path):
    """Return the files of this package that a file imports."""
    found = []
    for module, names in IMPORT.findall(_text(path)):
        found += [module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))]
    beside = path.with_suffix(".c")
    return [file for name in found if (file := _file(name))] + [beside] * beside.is_file()


def _file(name):
    package, *parts = name.split(".")
    if package != PACKAGE.name:
        return None
    path = PACKAGE.joinpath(*parts)
    candidates = [path.with_suffix(".py"), path / "__init__.py"]
    return next((file for file in candidates if file.is_file()), None)


@functools.cache
def _text(path):
    return path.read_text()
