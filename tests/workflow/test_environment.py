import importlib.metadata
import re
import runpy

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def requirements(path):
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def test_the_lock_pins_every_direct_requirement(root):
    pins = {}
    for pin in requirements(root / "envs" / "requirements.txt"):
        assert re.fullmatch(r"==[^,*]+", str(pin.specifier)), pin
        if pin.marker is None or pin.marker.evaluate():
            pins[canonicalize_name(pin.name)] = str(pin.specifier).removeprefix("==")
    for wanted in requirements(root / "envs" / "requirements.in"):
        assert wanted.specifier.contains(pins[canonicalize_name(wanted.name)]), wanted


def test_what_runs_here_is_what_the_lock_says(root):
    for pin in requirements(root / "envs" / "requirements.txt"):
        if pin.marker is None or pin.marker.evaluate():
            installed = importlib.metadata.version(pin.name)
            assert pin.specifier.contains(installed.partition("+")[0], prereleases=True), pin


def test_generated_environments_are_in_sync_with_the_lock(root):
    generate = runpy.run_path(str(root / "envs" / "generate.py"))["generate"]
    for name, text in generate().items():
        assert (root / "envs" / name).read_text() == text, "stale: python envs/generate.py"
        assert "requirements.txt" in text


def test_every_environment_has_the_python_that_the_lock_was_made_for(root):
    asked = re.search(r"--python-version (\S+)", (root / "Makefile").read_text())[1]
    container = (root / "envs" / "Dockerfile").read_text()
    assert f"python={asked}\n" in (root / "envs" / "environment.yaml").read_text()
    assert f"FROM python:{asked}-" in container
    assert f"From: python:{asked}-" in (root / "envs" / "braindino.def").read_text()


def test_containers_find_the_package_in_the_checkout(root):
    assert "PYTHONPATH=/opt/braindino/workflow" in (root / "envs" / "Dockerfile").read_text()
    apptainer = (root / "envs" / "braindino.def").read_text()
    assert '%environment\n    export PYTHONPATH="$PWD/workflow"\n' in apptainer


def test_conda_environment_installs_the_same_lock(root):
    environment = yaml.safe_load((root / "envs" / "environment.yaml").read_text())
    assert {"pip": ["-r requirements.txt"]} in environment["dependencies"]
