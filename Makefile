# Everything a contributor runs. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8501

export OPENBLAS_NUM_THREADS = 1
export OMP_NUM_THREADS = 1
export MKL_NUM_THREADS = 1

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | \
	  awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
	  { echo "The venv module is missing; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/.run: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.PHONY: run
run: $(VENV)/.run ## make the environment if needed, start the app, print its address
	@echo "Panelscope: http://127.0.0.1:$(PORT)"
	@$(BIN)/python -m streamlit run asgi.py --server.port $(PORT)

.PHONY: setup
setup: $(VENV)/.dev ## make the environment with the development tools

.PHONY: browser
browser: $(VENV)/.dev ## find a Chromium for the browser tests, or install one
	@sh tests/browser/find_chromium.sh $(BIN)/python

.PHONY: test
test: $(VENV)/.dev browser ## set up from nothing, then run every test
	$(BIN)/python -m pytest -n auto --dist loadfile

.PHONY: quick
quick: $(VENV)/.dev ## the tests without the browser
	$(BIN)/python -m pytest -m "not browser" -x

.PHONY: check
check: $(VENV)/.dev ## static checks: style, types, imports between rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: format
format: $(VENV)/.dev ## put all files into the common format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

.PHONY: samples
samples: $(VENV)/.dev ## make the simulated sample panels anew
	$(BIN)/python sample_data/make_simulated.py

.PHONY: power
power: $(VENV)/.dev ## simulate the power figure again (docs/power.md), 20 s
	$(BIN)/python docs/make_power.py

.PHONY: coverage
coverage: $(VENV)/.dev ## simulate the coverage of every interval again (docs/coverage.md), 25 min
	$(BIN)/python docs/make_coverage.py

.PHONY: track-record
track-record: $(VENV)/.dev ## simulate how often each warning flags (docs/track_record.md), 10 min
	$(BIN)/python docs/make_track_record.py

.PHONY: tables
tables: $(VENV)/.dev ## replicate the published tables (docs/replication.md); goes on where it stopped, 20 min
	$(BIN)/python docs/make_tables.py

.PHONY: bench
bench: $(VENV)/.dev ## measure against peers, each in its own environment (benchmarks/RESULTS.md)
	$(BIN)/python benchmarks/run.py --scaling

.PHONY: clean
clean: ## take the environment and all caches away
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
