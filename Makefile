# The two commands: `make demo` and `make test`. Both make .venv first, if need be.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.8.24
UV := $(VENV)/.uv-$(UV_VERSION)

# Both make Python slower: one compiles every module at every start, the other writes line by line.
unexport PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED

INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --compile-bytecode \
	--constraint constraints.txt --build-constraint constraints.txt

.PHONY: help demo test quick lint bench image venv lock clean

help:
	@echo "make demo    install, run the connector against a local sandbox twice, and show what arrived"
	@echo "make test    install, then every check and test"
	@echo "make quick   the checks, and the tests that are not slow"
	@echo "make lint    the checks alone: ruff, mypy, import-linter"
	@echo "make bench   the benchmarks"
	@echo "make image   build the Docker image airbyte/source-kissmetrics:dev"
	@echo "make venv    only install"
	@echo "make lock    write constraints.txt anew; with ARGS=--upgrade take the newest versions"
	@echo "make clean   delete what the other commands have made"
	@echo "Another Python for a new .venv: make PYTHON=python3.12 …"

demo: $(VENV)/.demo
	@$(BIN)/python -m examples.demo

test: $(VENV)/.dev lint
	$(BIN)/python -m pytest -q -n auto -m "not image_tests"

quick: $(VENV)/.dev lint
	$(BIN)/python -m pytest -q -n auto -m "not image_tests and not slow"

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

image:
	docker build --tag airbyte/source-kissmetrics:dev .

venv: $(VENV)/.dev

lock: $(UV)
	$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --custom-compile-command "make lock" $(ARGS) \
		--extra dev setup.py --output-file constraints.txt

clean:
	rm -rf $(VENV) .demo .bench .tmp build dist *.egg-info integration_tests/.generated \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A .venv that there is stays as it is, whatever PYTHON says; `make clean` deletes it.
$(UV):
	@test -x $(BIN)/python || command -v $(PYTHON) >/dev/null || { \
		echo "There is no $(PYTHON) here. Install Python 3.10 to 3.14, or name one: make PYTHON=python3.12 …"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.exit(None if (3, 10) <= sys.version_info[:2] < (3, 15) else \
		"$(PYTHON) is Python %d.%d; 3.10 to 3.14 are needed. Name one: make PYTHON=python3.12 …" % sys.version_info[:2])'
	@test -x $(BIN)/python || echo "Making $(VENV) with $$($(PYTHON) --version) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

$(VENV)/.demo: $(UV) setup.py constraints.txt
	@echo "Installing the connector and what the demo needs into $(VENV) …"
	@$(INSTALL) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: $(UV) setup.py constraints.txt
	@echo "Installing the connector and everything to test it into $(VENV) …"
	@$(INSTALL) --editable '.[dev]'
	@touch $@
