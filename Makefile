# The usual verbs. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.setup-done
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
PIP := $(BIN)/python -m pip --disable-pip-version-check
PYTEST_ARGS ?=
DEMO_ARGS ?=
ENVS ?= 64 256 1024

# Threads of torch that spin while they wait take the cores from the physics.
export OMP_WAIT_POLICY ?= passive

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## make .venv with everything in it; instant when nothing has changed

$(STAMP): pyproject.toml constraints.txt $(PLUGINS:=/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else f"mjsdk needs Python 3.11 or newer, and $(PYTHON) is {sys.version.split()[0]}. Say which one to use: make setup PYTHON=python3.12")'
	@bash tools/system_packages.sh
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "no virtual environment could be made; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@echo 'Setting up $(VENV); the first time takes a few minutes.'
	$(PIP) install --quiet -c constraints.txt torch
	$(PIP) install --quiet -c constraints.txt -e '.[dev]' $(PLUGINS:%=-e ./%)
	@echo 'Compiling the loops of a step for this machine.'
	@$(BIN)/mjsdk bench --robot g1 --task velocity --num-envs 2 --blocks 1 --steps 1 > /dev/null
	@touch $@

demo: setup ## train a humanoid for three minutes, evaluate and film it; DEMO_ARGS="--minutes 10 --robot go1" changes that
	$(BIN)/python tools/demo.py $(DEMO_ARGS)

test: setup check ## check, then run all tests
	$(BIN)/python -m pytest --durations=10 $(PYTEST_ARGS)

check: setup ## lint, formatting, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: setup ## put imports and formatting in order
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: setup ## measure speed and start-up times; ENVS="64 256 1024" chooses the numbers of worlds
	$(BIN)/python tools/bench.py $(ENVS)

clean: ## remove caches, builds and the demo's output; .venv, compiled kernels and logs stay
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist demo MUJOCO_LOG.TXT
	find core plugins tests tools -name '*.pyc' -delete
