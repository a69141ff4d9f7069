import importlib.metadata
import re

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


def test_conda_environment_installs_the_same_lock(root):
    environment = yaml.safe_load((root / "envs" / "environment.yaml").read_text())
    assert {"pip": ["-r requirements.txt"]} in environment["dependencies"]
