# Every command of the project; CI calls the same ones. `make help` lists them.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ONCE   ?=
# A Triton of your own instead of the embedded one: make demo TRITON=HOST:HTTP_PORT
TRITON ?=
# The four *-ubyte.gz files that the variants are trained on (here Debian's dataset-fashion-mnist has them)
DATA   ?= /usr/share/datasets/fashion-mnist

.DEFAULT_GOAL := help
.PHONY: help install demo test test-statistics test-endurance test-detection bench-profiler bench-gateway bench-live bench-decision schemas metrics dashboards protocol lint format models constraints clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

install: $(VENV)/.serve ## Install what the demo needs into .venv (no torch)

demo: $(VENV)/.serve ## Profile, compile tiers, serve, load, compare. ONCE=1 exits, 0 if all was kept
	$(BIN)/python -m deploy.demo $(if $(ONCE),--once) $(if $(TRITON),--triton $(TRITON))

test: $(VENV)/.dev ## All tests, those on a real Triton included
	$(BIN)/python -m pytest

test-statistics: $(VENV)/.dev ## Simulations of coverage (minutes); prints their tables
	$(BIN)/python -m pytest -m statistics -s

test-endurance: $(VENV)/.dev ## Two minutes at three times Triton's capacity; prints the figures
	$(BIN)/python -m pytest -m endurance -s

test-detection: $(VENV)/.dev ## How soon faults are seen on a real Triton, and how right what is expected is (25 minutes)
	$(BIN)/python -m pytest -m detection -s

bench-profiler: $(VENV)/.dev ## How fast quality and replay are computed, against plain Python and NumPy
	$(BIN)/python -m benchmarks.profiler

bench-gateway: $(VENV)/.dev ## What the gateway costs: through it against Triton directly and HAProxy, REST and gRPC
	$(BIN)/python -m benchmarks.gateway

bench-live: $(VENV)/.dev ## What live accounting costs: the gateway with it against the gateway without it
	$(BIN)/python -m benchmarks.live

bench-decision: $(VENV)/.dev ## What one decision costs, steady and while latencies move
	$(BIN)/python -m benchmarks.decision

schemas: $(VENV)/.dev ## Write docs/schemas/ again, from the models
	$(BIN)/python -m docs.schemas.generate

metrics: $(VENV)/.dev ## Write docs/metrics.md again, from gateway/live/names.py
	$(BIN)/python -m docs.metrics_reference

dashboards: $(VENV)/.dev ## Write Grafana's dashboards again, from deploy/grafana/*.py
	$(BIN)/python -m deploy.grafana.generate

protocol: $(VENV)/.dev ## Write what is generated from gateway/grpc/protocol/inference.proto again
	$(BIN)/python -m gateway.grpc.protocol.generate

lint: $(VENV)/.dev ## ruff, mypy --strict and the import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

models: $(VENV)/.models ## Train and export every variant again from DATA (hours, 5 GB of packages)
	$(BIN)/python -m model_repository.build all --data $(DATA)

constraints: $(VENV)/.dev ## Pin what is installed now as the reproducible install
	$(BIN)/pip freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt

clean: ## Remove .venv and build/
	rm -rf $(VENV) build

# One stamp a kind of install, so that nothing is installed twice or without need.
$(VENV)/.serve: EXTRAS := gateway,profiler,embedded
$(VENV)/.dev: EXTRAS := dev
$(VENV)/.models: EXTRAS := models
$(VENV)/.serve $(VENV)/.dev $(VENV)/.models: pyproject.toml constraints.txt
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || \
		{ echo "No virtual environment could be made; on Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@
