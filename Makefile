# farback: everything starts here. `make` alone lists what there is.
PYTHON ?= python3
WORKERS ?= 2
OLDEST_TORCH := 2.10.0

VENV := .venv
OLD := .venv-oldest
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help demo test gradients check oldest bench clean

help:
	@echo 'make demo     train two nets on digits, probe both, write demo/farback.html'
	@echo 'make test     the whole test suite'
	@echo 'make gradients  every exact gradient equals BPTT, and natively too, on every pair'
	@echo 'make check    ruff, pyright, and the house rules: arrows, file length, docs'
	@echo 'make oldest   the test suite on the oldest torch that is supported ($(OLDEST_TORCH))'
	@echo 'make bench    the benchmarks; results go to benchmarks/results'
	@echo 'make clean    remove the environments and what the tools left'
	@echo
	@echo 'The environment (.venv) is made when it is needed. PYTHON=$(PYTHON) chooses the interpreter.'

demo: $(VENV)/made
	@mkdir -p demo
	$(BIN)/farback demo --html demo/farback.html

test: $(VENV)/made
	$(BIN)/python -m pytest -n $(WORKERS)

gradients: $(VENV)/made
	$(BIN)/python -m pytest -n $(WORKERS) -m product tests/learners tests/engine

check: $(VENV)/made
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/python -m pytest -q tests/house

oldest: $(OLD)/made
	$(OLD)/bin/python -m pytest -n $(WORKERS)

bench: $(VENV)/made
	$(BIN)/python benchmarks/probe_cost.py
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/laboratory.py

clean:
	rm -rf $(VENV) $(OLD) demo build dist .pytest_cache .ruff_cache .hypothesis .benchmarks
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made: constraints.txt pyproject.toml
	@echo 'Making $(VENV): torch alone may take some minutes (README.md tells how to ask for the CPU build).'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt torch
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[test,lint,demo]'
	@touch $@

$(OLD)/made: constraints.txt pyproject.toml
	@echo 'Making $(OLD) with torch $(OLDEST_TORCH).'
	$(PYTHON) -m venv $(OLD)
	sed 's/^torch==.*/torch==$(OLDEST_TORCH)/' constraints.txt > $(OLD)/constraints.txt
	$(OLD)/bin/python -m pip install --quiet -c $(OLD)/constraints.txt torch
	$(OLD)/bin/python -m pip install --quiet -c $(OLD)/constraints.txt -e '.[test,demo]'
	@touch $@
