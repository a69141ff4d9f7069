"""One table of what this machine holds for a run: cohorts, weights, folders, GPUs, SLURM."""

import shutil
import subprocess
import textwrap
from typing import NamedTuple

import torch

from braindino.corpus.availability import availability
from braindino.corpus.disk import free_bytes, show_bytes
from braindino.corpus.subjects import count_subjects
from braindino.device import choose_device


class Row(NamedTuple):
    """A line of the table; `subjects` are those found / those that the card expects."""

    kind: str
    name: str
    state: str
    subjects: str
    note: str


HEAD = Row("", "name", "state", "subjects", "where it is, or how to get it")


def check(run, results="results"):
    """Look at all that a run could use; of cohorts, only at the names of folders and files.

    Parameters
    ----------
    run : braindino.settings.load.Run
    results : path
        Folder of the results; it need not exist.

    Returns
    -------
    list of Row
    """
    config, found = run.config, availability(run)
    return [
        *(_cohort(config, card, found["dataset", name]) for name, card in run.datasets.items()),
        _weights(found["recipe", run.recipe.name]),
        *(_weights(found["encoder", name]) for name in run.encoders),
        _root("data_root", "BRAINDINO_DATA", config.data_root),
        _root("weights_root", "BRAINDINO_WEIGHTS", config.weights_root),
        Row("folder", "results", "", "", f"{results}: {_free(results)}"),
        *_devices(config.device),
        _slurm(),
    ]


def show_table(rows, width=118):
    """Print rows below a heading, aligned, their notes wrapped, in lines of at most `width`."""
    rows = [HEAD, *rows]
    sizes = [max(len(row[column]) for row in rows) for column in range(4)]
    indent = " " * (sum(sizes) + 2 * len(sizes))
    lines = []
    for row in rows:
        cells = [cell.ljust(size) for cell, size in zip(row[:4], sizes, strict=True)]
        note = textwrap.wrap(row.note, width - len(indent), break_on_hyphens=False) or [""]
        lines += ["  ".join([*cells, note[0]]), *(indent + line for line in note[1:])]
    return "\n".join(lines)


def _cohort(config, card, found):
    if found.status == "phantom":
        subjects, note = str(config.phantoms[card.name]), "made by this run"
    elif found.status == "present":
        count = count_subjects(card, found.reason)
        subjects = f"{'?' if count is None else count}/{card.expected.subjects or '?'}"
        note = found.reason if count != 0 else f"{found.reason}: nothing fits the card's layout"
    else:
        subjects, note = f"0/{card.expected.subjects or '?'}", _how_to_get(card)
    return Row("cohort", card.name, found.status, subjects, note)


def _how_to_get(card):
    fetch = "snakemake fetch, or: " if card.download else ""
    how = f"{card.access}: {fetch}{card.how_to_get.rstrip('.')}."
    return f"{how} {card.homepage}; its folder below data_root: {card.folder}"


def _weights(found):
    return Row(found.kind, found.name, found.status, "", found.reason)


def _root(key, variable, root):
    if root:
        return Row("folder", key, "set", "", f"{root}: {_free(root)}")
    return Row("folder", key, "not set", "", f"set {key} in the configuration, or {variable}")


def _free(path):
    return f"{show_bytes(free_bytes(path))} free"


def _devices(asked):
    gpus = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    rows = [
        Row("device", f"GPU {number}", "present", "", f"{gpu.name}, {show_bytes(gpu.total_memory)}")
        for number, gpu in enumerate(gpus)
    ]
    note = f"torch {torch.__version__} sees none here; this run's device: {choose_device(asked)}"
    return rows or [Row("device", "GPU", "absent", "", note)]


def _slurm():
    if not shutil.which("sbatch"):
        note = "sbatch is not on the PATH; only profiles/slurm needs it"
        return Row("cluster", "SLURM", "absent", "", note)
    done = subprocess.run(["sbatch", "--version"], capture_output=True, text=True, check=False)
    return Row("cluster", "SLURM", "present", "", (done.stdout or done.stderr).strip() or "sbatch")
