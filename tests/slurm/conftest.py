"""A real SLURM on this machine for the length of the session, and the workflow run on it."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPT = HERE / "cluster.sh"
# The demo's two cores; the profile's threads would be another order of additions.
THREADS = ("--set-threads", "train=2", "brains=1", "shard=1", "embed=1", "probe=1")
QUICK = ("--slurm-init-seconds-before-status-checks", "3", "--latency-wait", "10")


def pytest_collection_modifyitems(config, items):
    """These tests run where they are asked for alone: `-m slurm`."""
    ours = [item for item in items if item.path.parent == HERE]
    for item in ours:
        item.add_marker(pytest.mark.slurm)
    if "slurm" not in config.option.markexpr:
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


class Cluster:
    """A running SLURM, and its commands."""

    def __init__(self, folder, environment):
        self.folder, self.environment = folder, environment

    def __call__(self, *command):
        """Run a command of SLURM and return what it prints."""
        done = subprocess.run(
            [str(part) for part in command],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, (command, done.stderr)
        return done.stdout

    def jobs(self, state="PD,R,CG"):
        """Return the ids and comments of the jobs in some states."""
        lines = self("squeue", "-h", "-r", f"--states={state}", "-o", "%i|%k").splitlines()
        return dict(line.split("|", 1) for line in lines if line)

    def running(self, rule):
        """Return the id of a running job of a rule, or None."""
        name = re.compile(rf"_{rule}(_wildcards|$)")
        return next((job for job, said in self.jobs("R").items() if name.search(said)), None)

    def restart_controller(self):
        """End the controller, and start it again with what it had saved."""
        pid = int((self.folder / "ctld" / "slurmctld.pid").read_text())
        os.kill(pid, 15)
        wait_until(lambda: "Z" in state(pid) or not state(pid), "the controller's end")
        subprocess.run(["slurmctld"], env=self.environment, check=True)


def state(pid):
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def wait_until(condition, what, seconds=600):
    """Wait for something, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.3)
    raise AssertionError(f"{what} did not come within {seconds} s")


@pytest.fixture(name="wait_until")
def waiting():
    return wait_until


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    done = subprocess.run([SCRIPT, "install"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stdout.strip())
    # A short path: that of a socket must not be longer than 107 characters.
    folder = Path(os.environ.get("TMPDIR", "/tmp"), f"braindino-slurm-{os.getpid()}")
    up = subprocess.run([SCRIPT, "up", folder], stdout=subprocess.PIPE, text=True, check=True)
    conf, path = re.match(r"export SLURM_CONF=(\S+) PATH=(\S+):\$PATH", up.stdout).groups()
    sbin = "/usr/sbin:/sbin"
    names = {"SLURM_CONF": conf, "PATH": f"{path}:{os.environ['PATH']}:{sbin}"}
    yield Cluster(folder, clean_environment() | names)
    subprocess.run([SCRIPT, "down", folder], check=True)
    shutil.rmtree(folder, ignore_errors=True)


def clean_environment():
    mine = {k: v for k, v in os.environ.items() if not k.startswith(("BRAINDINO_", "SLURM_"))}
    return mine | {"OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="session")
def copy(pytestconfig, tmp_path_factory):
    """Return a function that copies the workflow into a folder of its own."""

    def make(name):
        folder = tmp_path_factory.mktemp(name)
        shutil.copy(pytestconfig.rootpath / "Snakefile", folder)
        for part in ("workflow", "config", "profiles", "envs"):
            shutil.copytree(pytestconfig.rootpath / part, folder / part)
        shutil.copy(HERE / "tiny.yaml", folder)
        return folder

    return make


ITERATIONS = 120
NEEDED = ("phantoms", "corpus", "brains", "shards")
CONFIG = ("--configfile", "config/demo.yaml", "tiny.yaml")


class Workflow:
    """A copy of the workflow, run on a cluster or, without one, here."""

    def __init__(self, folder, cluster=None):
        self.folder, self.results = folder, folder / "results" / "tiny"
        self.process = None
        profile = ("profiles/slurm", *QUICK) if cluster else ("profiles/demo",)
        self.common = ("--profile", *profile, *CONFIG, *THREADS)
        self.environment = cluster.environment if cluster else clean_environment()
        self.environment = self.environment | {"PYTHONPATH": str(folder / "workflow")}

    def start(self, *arguments):
        """Start a run; its output goes to `run.log`."""
        command = [sys.executable, HERE / "watchful.py", *map(str, arguments), *self.common]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log
            )
        return self.process

    def stop(self):
        """End a run that a failed test left behind."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def run(self, *arguments, seconds=900):
        """Run to the end; return status and output."""
        status = self.start(*arguments).wait(seconds)
        return status, self.log.read_text()

    def finish(self, *arguments):
        """Run to the end, which must be a good one; return the output."""
        status, output = self.run(*arguments)
        assert status == 0, output[-6000:]
        return output

    def set(self, old, new):
        """Change the profile."""
        path = self.folder / "profiles" / "slurm" / "config.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    @property
    def log(self):
        return self.folder / "run.log"


@pytest.fixture
def workflow(copy, cluster):
    """Return a function that gives a fresh workflow on the cluster."""
    made = []

    def make(name):
        made.append(Workflow(copy(name), cluster))
        return made[-1]

    yield make
    for run in made:
        run.stop()


@pytest.fixture(scope="session")
def undisturbed(cluster, copy):
    """The results of the same workflow without SLURM and without a fault."""
    here = Workflow(copy("undisturbed"))
    here.finish("all")
    return here.results


@pytest.fixture
def local(copy):
    """Return a function that gives a fresh workflow on this machine."""
    return lambda name: Workflow(copy(name))


@pytest.fixture
def prepared(undisturbed):
    """Return a function that gives a workflow its shards, and a recipe of many steps."""

    def prepare(run):
        for part in NEEDED:
            shutil.copytree(undisturbed / part, run.results / part)
        path = run.folder / "tiny.yaml"
        longer = f"iterations: {ITERATIONS}, warmup: 4 }}, checkpoint_every: 50, log_every: 2"
        text = re.sub(r"iterations: 24, .*log_every: 6", longer, path.read_text())
        assert longer in text
        path.write_text(text)
        return run

    return prepare
