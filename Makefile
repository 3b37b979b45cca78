# `make run` and `make test` need only Python 3.11 and make.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
HOST ?= 127.0.0.1
PORT ?= 8000
ORGANIZATION := Demo Exams
WORKERS ?= auto
# Each process reads the bytecode that the first one wrote.
export PYTHONDONTWRITEBYTECODE =

.PHONY: run test clients faults check compare format schema bench clean

run: .venv/runtime
	@$(BIN)/booking-gateway migrate
	@$(BIN)/booking-gateway demo
	@token=$$($(BIN)/booking-gateway token --role admin --organization "$(ORGANIZATION)") && \
	echo "Token, valid for 12 hours: $$token" && \
	GATEWAY_GRAPHIQL_TOKEN="$$token" $(BIN)/booking-gateway serve --host $(HOST) --port $(PORT)

# WORKERS=3 runs three processes.
test: .venv/development
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal --durations=10 $(TESTS)

# Test subscriptions with the clients that npm has, in a folder that is removed at the end.
clients: .venv/development
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cp tests/end_to_end/npm/* "$$folder" && \
	npm install --prefix "$$folder" --no-audit --no-fund --silent && \
	GATEWAY_TEST_NPM="$$folder" $(BIN)/python -m pytest -n 0 tests/end_to_end/test_reference_clients.py

# Inject faults under load and print what each did; FAULTS="network SIGKILL" chooses some by their names.
faults: .venv/development
	$(BIN)/python -m tests.faults $(FAULTS)

check: .venv/development
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/booking-gateway schema | diff schema/schema.graphql -

# Compare plans with graphql-core on generated documents; DOCUMENTS and SEED are optional.
compare: .venv/development
	$(BIN)/python -m tests.plan.many --documents $(or $(DOCUMENTS),20000) $(if $(SEED),--seed $(SEED))

format: .venv/development
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

schema: .venv/development
	$(BIN)/booking-gateway schema > schema/schema.graphql

# BENCH="reads --quick", "profile roster", "books", "events", …: see `python -m benchmarks --help`.
bench: .venv/development
	$(BIN)/python -m benchmarks $(or $(BENCH),reads)
ifndef BENCH
	$(BIN)/python -m benchmarks events
	$(BIN)/python -m benchmarks registrations
	$(BIN)/python -m benchmarks agents
endif

clean:
	rm -rf .venv data

# Installed again only when what is asked for has changed, so that a second `make run` starts in seconds.

.venv/runtime: pyproject.toml constraints.txt
	$(call install,.)
	@touch $@

.venv/development: pyproject.toml constraints.txt
	$(call install,'.[dev]')
	@touch .venv/runtime $@

# Python compiles what it imports; compiling every module of every package first takes longer.
define install
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv
$(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check -c constraints.txt -e $(1)
endef
