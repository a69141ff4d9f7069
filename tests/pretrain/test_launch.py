"""Several processes as Snakemake's job starts them, on the CPU."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from braindino.errors import BadInput
from braindino.pretrain.launch import launch
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.train import pretrain


def test_two_processes_leave_one_encoder_and_a_log_each(recipe, shards, tmp_path):
    launch(2, tmp_path / "job.log", pretrain, recipe, shards, tmp_path / "out", 1, "cpu")
    card = json.loads((tmp_path / "out" / "encoder.json").read_text())
    assert card["iterations"] == recipe.optimisation.iterations
    assert "done, 6 iterations" in (tmp_path / "job.0.log").read_text()
    assert (tmp_path / "job.1.log").read_text() == ""


def test_a_process_that_fails_is_named_with_its_log(recipe, shards, tmp_path):
    with pytest.raises(BadInput, match=r"process \d of the training failed; .*job\.\d\.log"):
        launch(2, tmp_path / "job.log", pretrain, recipe, shards[1:2], tmp_path / "out", 1, "cpu")
    assert "fewer than one batch" in (tmp_path / "job.0.log").read_text()


def test_a_script_without_a_guard_is_not_run_again_in_each_process(tmp_path):
    script = "import os\nfrom braindino.pretrain.launch import launch\nprint('once')\n"
    (tmp_path / "job.py").write_text(script + "launch(2, 'job.log', os.getpid)\n")
    done = subprocess.run([sys.executable, "job.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "once\n"


JOB = """
import sys
from braindino.log import job_log
from braindino.pretrain.launch import launch
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.train import pretrain
from braindino.settings.pretrain import Recipe

if __name__ == "__main__":
    recipe, out, *shards = sys.argv[1:]
    with job_log(out + ".log", Interrupted):
        launch(2, out + ".log", pretrain, Recipe.model_validate_json(recipe), shards, out, 1, "cpu")
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_a_signal_to_the_job_ends_all_processes_with_a_checkpoint(name, recipe, shards, tmp_path):
    long = recipe.optimisation.model_copy(update={"iterations": 5000})
    recipe, out = recipe.model_copy(update={"optimisation": long}), tmp_path / "out"
    (tmp_path / "job.py").write_text(JOB)
    command = [sys.executable, tmp_path / "job.py", recipe.model_dump_json(), out, *shards]
    job = subprocess.Popen(command, env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not list(out.glob("checkpoints/*/iteration_*.pt")):
        assert job.poll() is None
        time.sleep(0.05)
    job.send_signal(getattr(signal, name))
    assert job.wait(timeout=60) == Interrupted.status
    newest = max(out.glob("checkpoints/*/iteration_*.pt"))
    said = (tmp_path / "out.0.log").read_text()
    assert f"{name} at iteration {int(newest.stem.split('_')[1])} of 5000" in said
