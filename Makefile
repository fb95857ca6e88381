.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed

.PHONY: help up down test test-deep test-browser check peers bench bench-full bench-reports bench-growth sweep load clients stubs screenshots load-autoscale train clean hooks format

help: ## say what each target does
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

up: $(READY) ## start everything on this machine and stay until Ctrl-C
	@exec $(BIN)/farebox up

down: $(READY) ## end a product started with `make up`
	@$(BIN)/farebox down

test: $(READY) ## the whole test suite: embedded PostgreSQL and a real Ray Serve cluster included
	$(BIN)/pytest

test-deep: $(READY) ## try money in thousands of orders against a model of it (about half an hour)
	FAREBOX_TEST_DEEP=1 $(BIN)/pytest tests/integration/billing/test_money_machine.py

test-browser: $(READY) ## the web console in Chromium, fifty users at once included (some minutes)
	FAREBOX_TEST_DEEP=1 $(BIN)/pytest tests/browser

check: $(READY) ## format, lint, types, import rules, deployment files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/python -m ops.validate

peers: ## install the other servers that `make bench` measures, each into .venv-peers (1.2 GB)
	@$(PYTHON) -m loadtest.peers.installation

bench: $(READY) ## measure the running product (or one started for it) beside its peers, 5 minutes
	$(BIN)/python -m loadtest.with_product loadtest.bench $(BENCH)

bench-full: $(READY) ## the same with longer rounds and more of them, and with a grown ledger
	$(if $(wildcard ops/growth_bench),$(BIN)/python -m ops.growth_bench)
	$(BIN)/python -m loadtest.with_product loadtest.bench --full $(BENCH)

bench-reports: $(READY) ## time the reports over 10,000,000 generated predictions (10 GB, some minutes)
	$(BIN)/python -m ops.report_bench

bench-growth: $(READY) ## the rate on 20,000,000 charges of 1,000,000 accounts beside an empty ledger (15 GB)
	$(BIN)/python -m ops.growth_bench

sweep: $(READY) ## turn each knob of batching and measure, on the running product (or one started for it)
	$(BIN)/python -m loadtest.with_product ops.sweep

load: $(READY) ## Locust against the product and its targets; SHAPE=ramp, spike or soak for others
	$(BIN)/python -m loadtest.with_product loadtest.load $(if $(SHAPE),--shape $(SHAPE)) $(LOAD)

load-autoscale: $(READY) ## pools grow, are redeployed and shrink under load; nothing may fail
	$(BIN)/python -m loadtest.with_product loadtest.autoscale $(LOAD)

clients: $(READY) ## install the protocol's clients that the tests drive, each into .venv-clients (640 MB)
	@$(BIN)/python -m tests.clients.installation

stubs: $(READY) ## write the gRPC stubs of the Open Inference Protocol anew from its .proto
	$(BIN)/python -m grpc_tools.protoc -I. --python_out=. --pyi_out=. --grpc_python_out=. serve/v2/inference.proto

screenshots: $(READY) ## picture the running console (or one started for it) into docs/screenshots
	FAREBOX_CONSOLE_PORT=$${FAREBOX_CONSOLE_PORT:-7860} $(BIN)/python -m loadtest.with_product tests.browser.screenshots

train: $(READY) ## train the published models anew from the data set and write their artifacts
	$(BIN)/farebox train $(TRAIN)

format: $(READY) ## format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

hooks: $(READY) ## install the pre-commit hooks
	$(BIN)/pre-commit install

clean: ## remove the environment, caches, and .farebox with the accounts in it (asks first)
	@if [ -d .farebox ]; then \
	  printf 'This deletes .farebox: all local accounts, credits and history. Type yes: '; \
	  read -r answer; [ "$$answer" = yes ] || { echo 'kept everything'; exit 1; }; \
	  [ ! -x $(BIN)/farebox ] || $(BIN)/farebox down; \
	fi
	rm -rf .farebox $(VENV) .venv-peers .venv-clients .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || \
	  { echo "Farebox needs Python 3.11 to 3.14 and $(PYTHON) is another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "installing the pinned packages into $(VENV) (one to three minutes, 1.1 GB, the first time)"
	@$(PYTHON) -m venv $(VENV) || { echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
