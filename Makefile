# The one door. Every target sets up what it needs; `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
TESTS ?= tests
# Random kills of `make faults`, and where its dice start (printed by every run).
KILLS ?= 200
SEED ?=
# Power cuts of `make faults HOSTS=3`, of so many Docker hosts at once (root, Docker Engine).
TRIES ?= 20
HOSTS ?=
# Not empty: through a mosquitto into a PostgreSQL, both among the victims.
PARTS ?=
# States that the protocol model explores in `make model`, for each configuration.
STATES ?= 300000
# Folder of sensor data for the drills.
DATA ?=
# Minutes of `make bench` in which memory is watched under load (its slope needs 30), and which benchmarks, if not all.
MINUTES ?= 5
ONLY ?=

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml Makefile
	@$(PYTHON) -c 'import sys, platform; \
	  sys.version_info >= (3, 11) or sys.exit("Fogline needs Python 3.11 or newer: make PYTHON=/path/to/python3"); \
	  sys.maxsize > 2**32 or sys.exit("Fogline needs a 64-bit Python."); \
	  platform.system() == "Linux" or print("Note: the tiers run on Linux; elsewhere only the SDK does.")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Setting up $(VENV) (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]' --group dev
	@touch $@

setup: $(READY) ## make the virtual environment

demo: $(READY) ## run the three tiers with this machine's own sensors, and open the page
	$(BIN)/fogline up $(ARGS)

test: $(READY) ## run the tests; what needs a program that is missing says so
	$(BIN)/python -m pytest $(TESTS)

lint: $(READY) ## ruff, import rules, buf
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/buf lint
	@since=$$(git describe --tags --abbrev=0 2>/dev/null || git rev-parse --verify --quiet origin/main || true); \
	if [ -z "$$since" ]; then echo "buf breaking: no tag and no origin/main here to compare with"; \
	else echo "buf breaking against $$since"; \
	  git archive --format=tar "$$since" proto buf.yaml | (rm -rf build/proto-before && mkdir -p build/proto-before && tar -x -C build/proto-before) && \
	  $(BIN)/buf breaking --against build/proto-before; fi

types: $(READY) ## mypy --strict
	$(BIN)/mypy fogline fog_node aggregator cloud tests bench

proto: $(READY) ## generate fogline/v1 from proto/
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m grpc_tools.protoc -I proto --python_out=. --pyi_out=. --grpc_python_out=. \
	  --mypy_grpc_out=quiet:. $$(find proto -name '*.proto' | sort)
	rm -f fogline/v1/types_pb2_grpc.py* fogline/v1/plan_pb2_grpc.py*

drift: proto ## fail if the generated code is not what proto/ says
	git diff --exit-code -- fogline/v1
	@test -z "$$(git status --porcelain -- fogline/v1)" || { git status --porcelain -- fogline/v1; exit 1; }

check: lint types drift test ## all that must be green

faults: $(READY) ## random kills under load: make faults KILLS=1000 SEED=7; PARTS=1: with mosquitto and PostgreSQL; HOSTS=3: power cuts
	$(if $(HOSTS),$(BIN)/python -m tests.faults.power_drill --hosts $(HOSTS) --tries $(TRIES) $(if $(SEED),--seed $(SEED)), \
	  $(BIN)/python -m tests.faults.drill --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(if $(PARTS),--parts))

drill-ulb: $(READY) ## replay real radio data and compare with independent sums: make drill-ulb DATA=DIR; PARTS=1 as above
	$(BIN)/python -m bench.drill_ulb --data $(DATA) $(if $(PARTS),--parts)

model: $(READY) ## explore the protocol model further: make model STATES=1000000
	$(BIN)/python -m pytest tests/model --model-states=$(STATES)

fuzz: $(READY) ## coverage-guided fuzzing with atheris, a minute each
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	for name in broker listener decode journal spec intake answers enrolment; do \
	  $(BIN)/python -m tests.fuzz.fuzz_$$name -max_total_time=60 || exit 1; done

bench: $(READY) ## all benchmarks, 20 minutes; make bench MINUTES=30: a long memory run; ONLY="merge latency"
	$(BIN)/python -m bench.all --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY))

build: $(READY) ## the wheel, in dist/
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .

.PHONY: help setup demo test lint types proto drift check faults drill-ulb model fuzz bench build
