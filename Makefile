# make reproduce    build .venv and regenerate every table and figure (PROFILE=demo)
# make test         build .venv and run the tests
# make browser      run the views and the quickstart in JupyterLab and Voila, in a headless Chromium
# make api          pages of the package's functions from their docstrings, in build/api
# make lint         ruff and mypy
# make clean        remove what was built, and the results of smoke and demo, but not .venv

PYTHON ?= python3
PROFILE ?= demo
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help reproduce test browser api lint clean $(VENV)

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

reproduce: $(STAMP)
	@$(BIN)/repro doctor
	@$(BIN)/repro run --profile $(PROFILE)

test: $(STAMP)
	$(BIN)/python -m pytest

browser: $(STAMP)
	BROWSER_SHOTS=build/browser $(BIN)/python -m pytest tests/browser -rs
	@ls build/browser/*.png

api: $(STAMP)
	@$(BIN)/python -c 'import pdoc' || { \
	  echo "pdoc is missing; run: $(BIN)/python -m pip install pdoc" >&2; exit 1; }
	$(BIN)/python -m pdoc --docformat numpy --math -o build/api repro

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf build dist *.egg-info results/smoke results/demo
	rm -rf .snakemake .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

$(VENV): $(STAMP)

# torch goes first and with its dependencies: some of its builds need further packages, others none.
$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1);" \
	    "run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "No virtual environment could be made; on Debian run: apt-get install -y python3-venv" >&2; \
	  exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)
