"""A SLURM made of shell scripts, each of which prints what the real one does."""

import pytest

CONFIG = "MinJobAge               = 300 sec\nAccountingStorageType   = accounting_storage/slurmdbd"
ANSWERS = {
    "sinfo": "cpu|(null)\ngpu|gpu:a100:4(S:0-1)\ngpu|gpu:a100:2",
    "scontrol": CONFIG,
    "squeue": "",
    "sacct": "",
    "sacctmgr": "lab\nteaching",
    "sbatch": "",
}


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    """Return a function that makes commands that print something, or are absent, or fail."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def make(**changes):
        for name, text in (ANSWERS | changes).items():
            if text is None:
                continue
            path = folder / name
            status = 1 if text.startswith("error:") else 0
            path.write_text(
                f"#!/bin/sh\n/bin/cat >&{1 + status} <<'END'\n{text}\nEND\nexit {status}\n"
            )
            path.chmod(0o755)

    return make
