# Two commands matter: `make up` to try Penstock, `make test` to check it.
ESTATE ?= examples/estate
STATE ?= .state
CONFIG ?= $(if $(filter examples/estate,$(ESTATE)),examples/penstock.yaml)
PYTHON ?= python3
BIN := .venv/bin

.PHONY: up test quick lint lock eval bench console clean

## up: install, discover the AI in ESTATE, assess it, serve console, API and gateway
up: .venv/.base
	@$(BIN)/penstock up "$(ESTATE)" --state "$(STATE)" $(if $(CONFIG),--config "$(CONFIG)")

## test: install what the tests need, then lint, check types and run every test
test: .venv/.dev
	@sh scripts/install-test-services
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n $${PENSTOCK_TEST_WORKERS:-2} --dist loadfile

## quick: the tests that take seconds
quick: .venv/.dev
	$(BIN)/pytest -n $${PENSTOCK_TEST_WORKERS:-2} --dist loadfile -m "not slow"

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

## lock: write the lock files anew (names, versions, hashes; no addresses)
lock: .venv/.dev
	@sh scripts/lock

## eval: measure accuracy on labelled material, e.g. make eval SET=DIR REPOS=DIR AREAS="inventory scenarios"
eval: .venv/.dev
	@$(BIN)/python -m eval.run $(if $(SET),--set "$(SET)") $(if $(SCORERS),--scorers "$(SCORERS)") \
	  $(if $(REPOS),--repos "$(REPOS)") $(if $(AREAS),--areas "$(AREAS)") $(if $(OUT),--out "$(OUT)")

## console: build the console's source into src/penstock/serve/static
console:
	cd console && npm ci && npm run build

clean:
	rm -rf .venv .state .eval dist build

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "error: Penstock needs Python 3.11 or newer, and $(PYTHON) is older"; \
	    echo "  help: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 2; }
	@$(PYTHON) -m venv .venv || { echo "  help: on Debian and Ubuntu: apt install python3-venv"; exit 2; }

.venv/.base: requirements.lock pyproject.toml | .venv/bin/python
	@echo "Installing Penstock into .venv …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/.dev: requirements-dev.lock .venv/.base
	@echo "Installing what the tests need into .venv …"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@
