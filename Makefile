# Everything a developer types. Needs make and Python 3.11 or newer; all else goes into .venv.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto
PYTEST_ARGS ?=
BENCH_ARGS ?=
CHAOS_ARGS ?=
WORLDS ?= 20000
CASES ?= 10000
WORLDS_ARGS ?=
PACKAGES ?=
FILES ?= leadgate.yaml
BASE ?=
IMAGE_ARGS ?=

# Prefect and its server report to nobody from here.
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# A company may have a certificate authority of its own.
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help demo test test-oldest check format bench bench-peers chaos worlds mutants fuzz deploy wheel image lock clean

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## the whole way on a practice LeadByte, with a Prefect UI to look at
	$(BIN)/leadgate demo

test: $(READY) ## every test, on SQLite and a real PostgreSQL (PYTEST_ARGS="-k name" for some)
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 $(PYTEST_ARGS)

# The lock holds the newest Prefect; the oldest that pyproject.toml allows is put in its place.
OLDEST := $(VENV)/oldest
test-oldest: $(READY) ## the flow tests with the oldest Prefect that is allowed
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(OLDEST)
	VIRTUAL_ENV=$(OLDEST) $(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt
	VIRTUAL_ENV=$(OLDEST) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable . \
	    "$$(sed -n 's/^ *"prefect>=\([0-9.]*\),.*/prefect==\1/p' pyproject.toml)"
	$(OLDEST)/bin/python -m pytest -n $(WORKERS) --maxprocesses 4 $(PYTEST_ARGS) tests/flows

check: $(READY) ## lint, format, types and the import arrows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put imports and lines in order
	$(BIN)/ruff check --fix-only --select I .
	$(BIN)/ruff format .

bench: $(READY) ## the benchmarks
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-peers: $(READY) ## leadgate beside other tools, each in an environment of its own
	$(BIN)/python -m benchmarks.peers $(BENCH_ARGS)

chaos: $(READY) ## kill workers at random, count doubles (CHAOS_ARGS="--kills 50"; docs/proof.md)
	$(BIN)/python -m tests.crash.chaos $(CHAOS_ARGS)

worlds: $(READY) ## every LeadByte that its documentation allows (WORLDS=20000; SEED=7 plays one again, with its story)
	$(BIN)/python -m tests.worlds.run $(if $(SEED),--seed $(SEED),--worlds $(WORLDS)) $(WORLDS_ARGS)

mutants: $(READY) ## change the core a little, thousands of times: do tests notice? (PACKAGES="policy ledger.claims"; hours)
	$(BIN)/python -m tests.mutants.run $(PACKAGES)

fuzz: $(READY) ## 10,000 odd files, answers, errors and people (CASES=10000)
	CASES=$(CASES) $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --timeout 3600 tests/fuzz tests/config/test_odd_files.py

deploy: $(READY) ## put deployments, limits and alarms onto the Prefect server (FILES="acme.yaml beta.yaml")
	$(BIN)/python -m deployments.apply $(FILES)

# Installed as pip does for a user, from what the wheel itself asks for; the lock only keeps versions the same.
TRIED := $(abspath $(VENV))/wheel
wheel: $(READY) ## build the wheel into dist/, and run the demo with it in an empty environment
	rm -rf dist $(TRIED)
	$(BIN)/hatchling build --target wheel --directory dist
	$(BIN)/uv venv --quiet --python $(BIN)/python $(TRIED)
	VIRTUAL_ENV=$(TRIED) $(BIN)/uv pip install --quiet --constraint requirements-dev.txt "$$(echo dist/*.whl)[report,sandbox]"
	cd $(TRIED) && bin/python -I -m leadgate demo --seconds 5

# Docker where it runs, so that compose finds the image; podman and buildah need nothing that runs, buildah no runtime.
image: ## build the container image `leadgate` with docker, podman or buildah (BASE=... for another base)
	@if docker info >/dev/null 2>&1; then build='docker build'; \
	elif command -v podman >/dev/null; then build='podman build'; \
	elif command -v buildah >/dev/null; then build="buildah build --isolation $${BUILDAH_ISOLATION:-chroot}"; \
	else echo 'make image needs docker (running), podman or buildah: install one and run it again.' >&2; exit 1; fi; \
	set -x; $$build --tag leadgate $(if $(BASE),--build-arg BASE=$(BASE)) $(IMAGE_ARGS) .

LOCK := $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-emit-index-url --no-emit-find-links --no-header --quiet

lock: $(READY) ## lock the newest versions that pyproject.toml allows
	$(LOCK) --extra report --output-file requirements.txt
	$(LOCK) --all-extras --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## remove .venv and what the tools keep
	rm -rf $(VENV) .coverage* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build htmlcov

# uv is itself installed from the lock, and installs the rest in seconds; where it cannot run, pip does the same.
# The lock is complete: with --no-deps pip has nothing to resolve, which pip before 23.3 gets wrong for extras.
$(READY): requirements-dev.txt pyproject.toml
	@for python in python3.13 python3.12 python3.11 python3.14 python3 python; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo 'leadgate needs Python 3.11 or newer, and there is none on the PATH: install it and run make again.' >&2; \
	    exit 1; \
	fi; \
	[ -x $(BIN)/python ] || $$found -m venv $(VENV)
	@awk '/^[^ ]/ { uv = /^uv==/ } uv' requirements-dev.txt > $(VENV)/uv.txt
	@awk '/^[^ ]/ { uv = /^uv==/ } !uv' requirements-dev.txt > $(VENV)/others.txt
	@if $(BIN)/python -m pip install --quiet --require-hashes --requirement $(VENV)/uv.txt \
	    && VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt; \
	then :; else \
	    echo 'uv could not install the locked packages; pip does, which takes a few minutes.' >&2; \
	    $(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement $(VENV)/others.txt; \
	fi
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
