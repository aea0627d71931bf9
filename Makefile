# Every developer command. `make` alone lists them.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TARGETS = mockserver tests benchmarks examples
# What a new Python breaks first: sockets, event loops, tasks.
CONNECTIONS = tests/http tests/test_server.py tests/test_fast_path.py tests/test_fairness.py tests/delivery
# Code generators for users' clients, which no other command needs; tests/test_generators.py looks for them here.
GENERATORS = .generators
PYPI_GENERATORS = 'openapi-python-client>=0.29,<0.30' 'datamodel-code-generator>=0.89,<0.90'
NPM_GENERATORS = openapi-typescript@7 orval@7 typescript@5 @types/node@20
# Also where Python is told to keep no compiled code: it would compile the mock at every start, for a fifth of a second.
COMPILE = $(BIN)/python -m compileall -q mockserver

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- use ---

.PHONY: run
run: $(VENV)/run.stamp ## start the mock, seeded, on 127.0.0.1:8000
	@$(BIN)/attendee-mock serve

# --- prove ---

.PHONY: test
test: check ## everything that CI runs: style, types, rooms, tests, recordings

# Side by side: types take one core for as long as a tenth of the tests.
.PHONY: check
check: $(VENV)/dev.stamp
	@$(MAKE) --no-print-directory -j2 lint types tests

.PHONY: tests
tests: $(VENV)/dev.stamp ## the tests alone
	$(BIN)/python -m pytest -q -n auto --dist worksteal

.PHONY: test-long
test-long: $(VENV)/dev.stamp ## the tests that are left out of `make test` because they take long: more seeds, more cases
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m long

.PHONY: test-all
test-all: $(VENV)/dev.stamp ## the tests on each of Python 3.11 to 3.14 that is here (PYTHONS="/path/to/python ..." adds some)
	@$(BIN)/python -m tests.pythons all

.PHONY: test-newest
test-newest: $(VENV)/dev.stamp ## the tests of connections and deliveries on the newest Python that is here
	@$(BIN)/python -m tests.pythons newest $(CONNECTIONS)

.PHONY: cover
cover: $(VENV)/dev.stamp ## the tests, with coverage and its floor (twice as long)
	$(BIN)/python -m pytest -q -n auto --cov --cov-report=term

.PHONY: recorded
recorded: $(VENV)/dev.stamp ## replay what the real service answered, over a real socket
	$(BIN)/python -m pytest -q -n auto tests/test_recorded.py

.PHONY: contract
contract: $(VENV)/dev.stamp ## hold the mock, in process, to every rule of its contract
	$(BIN)/python -m pytest -q tests/test_contract.py

.PHONY: generators
generators: $(VENV)/dev.stamp $(GENERATORS)/stamp ## install code generators and try them on the contracts
	$(BIN)/python -m pytest -q tests/test_generators.py

.PHONY: fuzz
fuzz: $(VENV)/dev.stamp ## judge a deployment: make fuzz BASE_URL=https://… TOKEN=…
	@ATTENDEE_API_KEY="$(or $(TOKEN),$(ATTENDEE_API_KEY))" $(BIN)/attendee-mock check "$(BASE_URL)" $(ARGS)

.PHONY: mutants
mutants: $(VENV)/dev.stamp ## measure the judge: which seeded defects it finds and shows again (ARGS=--schemathesis to compare)
	$(BIN)/python -m tests.mutants.table --output benchmarks/detection.md $(ARGS)
	$(BIN)/python -m tests.mutants.replayed

.PHONY: lint
lint: $(VENV)/dev.stamp ## style and the import contracts
	$(BIN)/ruff check $(TARGETS)
	$(BIN)/ruff format --check $(TARGETS)
	$(BIN)/lint-imports

.PHONY: types
types: $(VENV)/dev.stamp ## mypy, strict
	$(BIN)/mypy

.PHONY: fmt
fmt: $(VENV)/dev.stamp ## put the code into shape
	$(BIN)/ruff check --fix $(TARGETS)
	$(BIN)/ruff format $(TARGETS)

# --- measure ---

.PHONY: bench
bench: $(VENV)/dev.stamp ## everything beside bare ASGI and the peers, into benchmarks/README.md (15 minutes)
	$(BIN)/python -m benchmarks

.PHONY: bench-self
bench-self: $(VENV)/dev.stamp ## requests a second beside bare ASGI alone (2 minutes)
	$(BIN)/python -m benchmarks.throughput

.PHONY: bench-scale
bench-scale: $(VENV)/dev.stamp ## what a request costs with a thousand events and with a million
	$(BIN)/python -m benchmarks.scale

.PHONY: bench-worlds
bench-worlds: $(VENV)/dev.stamp ## what a throw-away project costs, and a thousand of them at once
	$(BIN)/python -m benchmarks.worlds

.PHONY: profile
profile: $(VENV)/dev.stamp ## where the time of a GET, a PATCH and a page goes
	$(BIN)/python -m benchmarks.profiling

# --- set up ---

# Installed once, and again when what is to be installed changes.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; say which: make PYTHON=python3.12 ...")'
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/run.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "installing the mock into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@$(COMPILE)
	@touch $@

$(VENV)/dev.stamp: $(VENV)/python.stamp pyproject.toml constraints.txt
	@echo "installing the mock and its tools into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@$(COMPILE)
	@touch $@ $(VENV)/run.stamp

$(GENERATORS)/stamp: Makefile
	@echo "installing the code generators into $(GENERATORS) (once)"
	@$(PYTHON) -m venv $(GENERATORS)/python
	@$(GENERATORS)/python/bin/python -m pip install --quiet --disable-pip-version-check $(PYPI_GENERATORS)
	@echo '{"private": true}' > $(GENERATORS)/package.json
	@npm install --prefix $(GENERATORS) --silent --no-audit --no-fund --no-package-lock $(NPM_GENERATORS)
	@touch $@

.PHONY: clean
clean: ## take away what was made here
	rm -rf $(VENV) $(GENERATORS) .venv-3.* build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
