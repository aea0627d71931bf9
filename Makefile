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
# Linters of what CI systems read, which no other command needs.
LINTERS = .linters
# Also where Python is told to keep no compiled code: it would compile the mock at every start, for a fifth of a second.
COMPILE = $(BIN)/python -m compileall -q mockserver

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- use ---

.PHONY: run
run: $(VENV)/run.stamp ## start the mock with example data on 127.0.0.1:8000
	@$(BIN)/attendee-mock serve

# --- prove ---

.PHONY: test
test: check ## run the checks of every change: style, types, import rules, tests, recordings

# Side by side: types take one core for as long as a tenth of the tests.
.PHONY: check
check: $(VENV)/dev.stamp
	@$(MAKE) --no-print-directory -j2 lint types tests

.PHONY: tests
tests: $(VENV)/dev.stamp ## run only the tests
	$(BIN)/python -m pytest -q -n auto --dist worksteal

.PHONY: test-long
test-long: $(VENV)/dev.stamp ## run the long tests, which `make test` leaves out: more seeds, more cases
	$(BIN)/python -m pytest -q -n auto --dist worksteal -m long

.PHONY: test-all
test-all: $(VENV)/dev.stamp ## run the tests on each installed Python from 3.11 to 3.14 (PYTHONS="/path/to/python ..." adds some)
	@$(BIN)/python -m tests.pythons all

.PHONY: test-newest
test-newest: $(VENV)/dev.stamp ## run the tests of connections and deliveries on the newest installed Python
	@$(BIN)/python -m tests.pythons newest $(CONNECTIONS)

.PHONY: test-browser
test-browser: $(VENV)/browser.stamp ## run the tests of the page in a browser; installs Debian's Chromium where it may
	@$(BIN)/python -m tests.browser.chromium
	$(BIN)/python -m pytest -q -rs -m browser tests/browser

.PHONY: screenshots
screenshots: $(VENV)/browser.stamp ## make the screenshots of docs/ again
	SCREENSHOTS=docs/pictures $(BIN)/python -m pytest -q -rs -m browser tests/browser -k axe

.PHONY: cover
cover: $(VENV)/dev.stamp ## run the tests and check their coverage (takes twice as long)
	$(BIN)/python -m pytest -q -n auto --cov --cov-report=term

.PHONY: recorded
recorded: $(VENV)/dev.stamp ## replay the recordings of the real service, over a real socket
	$(BIN)/python -m pytest -q -n auto tests/test_recorded.py

.PHONY: contract
contract: $(VENV)/dev.stamp ## check the mock, in process, against every rule of the judge
	$(BIN)/python -m pytest -q tests/test_contract.py

.PHONY: reading
reading: $(VENV)/dev.stamp ## list each part of openapi.yaml with the recording or the row of evidence.yaml that shows it
	@$(BIN)/python -m tests.contract_reading

.PHONY: generators
generators: $(VENV)/dev.stamp $(GENERATORS)/stamp ## install code generators and test them with the contracts
	$(BIN)/python -m pytest -q tests/test_generators.py

.PHONY: fuzz
fuzz: $(VENV)/dev.stamp ## check a deployment: make fuzz BASE_URL=https://… TOKEN=…
	@ATTENDEE_API_KEY="$(or $(TOKEN),$(ATTENDEE_API_KEY))" $(BIN)/attendee-mock check "$(BASE_URL)" $(ARGS)

.PHONY: mutants
mutants: $(VENV)/dev.stamp ## measure the judge: which seeded defects it finds and shows again (ARGS=--schemathesis to compare)
	$(BIN)/python -m tests.mutants.table --output benchmarks/detection.md $(ARGS)
	$(BIN)/python -m tests.mutants.replayed

.PHONY: lint
lint: $(VENV)/dev.stamp ## check style and import rules
	$(BIN)/ruff check $(TARGETS)
	$(BIN)/ruff format --check $(TARGETS)
	$(BIN)/lint-imports

.PHONY: types
types: $(VENV)/dev.stamp ## check types with mypy
	$(BIN)/mypy

.PHONY: lint-ci
lint-ci: $(LINTERS)/stamp ## check the workflows, the action and the GitLab template with yamllint and their schemas
	$(LINTERS)/bin/yamllint --strict .github action.yml contrib
	$(LINTERS)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(LINTERS)/bin/check-jsonschema --builtin-schema vendor.github-actions action.yml
	$(LINTERS)/bin/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci contrib/gitlab/*.yml

.PHONY: fmt
fmt: $(VENV)/dev.stamp ## format the code
	$(BIN)/ruff check --fix $(TARGETS)
	$(BIN)/ruff format $(TARGETS)

# --- measure ---

.PHONY: bench
bench: $(VENV)/dev.stamp ## compare with bare ASGI and other mocks, and write benchmarks/README.md (15 minutes)
	$(BIN)/python -m benchmarks

.PHONY: bench-self
bench-self: $(VENV)/dev.stamp ## compare the throughput with bare ASGI only (2 minutes)
	$(BIN)/python -m benchmarks.throughput

.PHONY: bench-scale
bench-scale: $(VENV)/dev.stamp ## measure requests with a thousand events and with a million
	$(BIN)/python -m benchmarks.scale

.PHONY: bench-worlds
bench-worlds: $(VENV)/dev.stamp ## measure throw-away projects: one after the other, and a thousand at once
	$(BIN)/python -m benchmarks.worlds

.PHONY: profile
profile: $(VENV)/dev.stamp ## profile a GET, a PATCH and a page
	$(BIN)/python -m benchmarks.profiling

# --- write ---

.PHONY: docs
docs: $(VENV)/docs.stamp ## build the docs as a site, build/docs/index.html; a warning or a dead link is an error
	$(BIN)/python -m sphinx -q -n -W --keep-going -c docs/site -b html . build/docs
	@echo "open build/docs/docs/index.html"

.PHONY: agents
agents: $(VENV)/dev.stamp ## write llms.txt and AGENTS.md again, from the docs
	@$(BIN)/python docs/site/agents.py

# --- set up ---

# Installed once, and again when what is to be installed changes.
$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; choose one with make PYTHON=python3.12 ...")'
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
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

$(VENV)/docs.stamp: $(VENV)/dev.stamp
	@echo "installing Sphinx into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@touch $@

$(LINTERS)/stamp: Makefile
	@echo "installing the linters into $(LINTERS) (once)"
	@$(PYTHON) -m venv $(LINTERS)
	@$(LINTERS)/bin/python -m pip install --quiet --disable-pip-version-check yamllint check-jsonschema
	@touch $@

$(VENV)/browser.stamp: $(VENV)/dev.stamp
	@echo "installing Playwright into $(VENV) (once)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[browser]' && touch $@ \
		|| echo "Playwright cannot be installed here: the tests of the page will be skipped"

$(GENERATORS)/stamp: Makefile
	@echo "installing the code generators into $(GENERATORS) (once)"
	@$(PYTHON) -m venv $(GENERATORS)/python
	@$(GENERATORS)/python/bin/python -m pip install --quiet --disable-pip-version-check $(PYPI_GENERATORS)
	@echo '{"private": true}' > $(GENERATORS)/package.json
	@npm install --prefix $(GENERATORS) --silent --no-audit --no-fund --no-package-lock $(NPM_GENERATORS)
	@touch $@

.PHONY: clean
clean: ## delete everything that make created
	rm -rf $(VENV) $(GENERATORS) $(LINTERS) .venv-3.* build dist .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
