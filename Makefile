# Everything installs into .venv from the pinned lock, with pip alone.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SNAKEMAKE := $(BIN)/snakemake

.PHONY: setup demo real test test-slurm bench lint clean lock

setup: $(STAMP)

$(STAMP): envs/requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "braindino needs Python 3.11 or newer: make setup PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --requirement envs/requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

demo: setup
	$(SNAKEMAKE) --profile profiles/demo

real: setup
	$(SNAKEMAKE) --profile profiles/local --configfile config/real.yaml $(if $(data),--config data_root=$(data))

test: setup
	$(BIN)/pytest

# On a SLURM of two virtual nodes, on Debian as root; says why it skips elsewhere.
test-slurm: setup
	$(BIN)/pytest tests/slurm -m slurm -rs

bench: setup
	$(BIN)/pip install --quiet --constraint envs/requirements.txt --requirement envs/bench.txt
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python tests/bench.py $(name)

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(SNAKEMAKE) --lint

clean:
	rm -rf results .snakemake

# Compile the lock anew; needs uv (`pip install uv`).
lock:
	uv pip compile --universal --python-version 3.11 --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links envs/requirements.in -o envs/requirements.txt
	$(PYTHON) envs/generate.py
