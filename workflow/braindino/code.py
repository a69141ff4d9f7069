"""Fingerprint the code behind a rule, so that a change in the science re-runs what uses it.

Snakemake watches a rule's script, not the package that the script imports.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent
# How a job talks cannot change what it makes.
IGNORED = {PACKAGE / "log.py"}


def fingerprint(script):
    """Hash a script with every module of this package that it imports, directly or not.

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
    for node in ast.walk(ast.parse(_text(path))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        found += [file for name in names if (file := _file(name))]
    return found


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
