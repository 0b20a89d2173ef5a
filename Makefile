# Two commands: `make up` starts the whole suite, `make test` runs every check.
# Everything they install lies in this folder (.venv, .venv-triton, .venv-federated, .wherefore); `make clean` removes it.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CATALOGUE ?=
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help up down status test lint types protos-check unit sbom audit models docs locks train-nlu triton federated install install-dev protos fix clean

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

up: install models triton ## Install what is missing, start the suite and import a catalogue (CATALOGUE=FILE for yours).
	@$(BIN)/wherefore up $(if $(CATALOGUE),--catalogue $(CATALOGUE))

down: ## Stop the suite.
	@$(BIN)/wherefore down

status: ## Show what runs.
	@$(BIN)/wherefore status

test: install-dev models triton federated lint types protos-check sbom audit unit ## Run every check and every test.

lint: install-dev ## Check style and formatting.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install-dev federated ## Check types.
	$(BIN)/pyright shared services clients/python/src

protos-check: install-dev ## Lint the contracts and compare them with the previous commit's.
	$(BIN)/buf lint
	$(BIN)/buf format --diff --exit-code
	@sh tools/buf_breaking.sh

# Flower's environment takes the rest from the suite's; its requirements say all that it runs with.
sbom: install-dev ## Write what is installed as CycloneDX bills of materials (build/sbom*.cdx.json).
	@mkdir -p build
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-format JSON \
		--validate --output-file build/sbom.cdx.json $(BIN)/python
	@$(BIN)/cyclonedx-py requirements shared/federated/requirements.txt --output-reproducible --output-format JSON \
		--validate --output-file build/sbom-federated.cdx.json

audit: install-dev federated ## Look for known vulnerabilities of what is installed.
	@$(BIN)/python tools/audit_dependencies.py

unit: install-dev models triton federated
	$(BIN)/python -m pytest

fix: install-dev ## Format the code and mend what can be mended.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/buf format --write

protos: install-dev ## Generate the stubs again after a change in protos/.
	$(BIN)/python hatch_build.py

models: install ## Export the models that Triton serves from their weights.
	@$(BIN)/python -m shared.inference.export
	@$(BIN)/python -m services.nlu.train.export
	@$(BIN)/python -m services.nlu.train.crossmodal.export
	@$(BIN)/python -m services.reason.train graphs

docs: install-dev ## Build the site of the documentation (build/site).
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

locks: install-dev ## Write anew what images install (deploy/images/requirements-*.txt).
	@$(PIP) uv==0.13.9
	@deploy/images/lock.sh

train-nlu: install-dev ## Train the query models anew, from the data sets to what Triton serves (hours).
	@sh tools/train_nlu.sh

triton: install ## Install Triton into an environment of its own.
	@$(BIN)/python -m shared.suite

# Over that of the tests: it takes from there what Flower does not clash with.
federated: install-dev ## Install Flower into an environment of its own.
	@$(BIN)/python -m shared.federated

install: $(STAMPS)/install
install-dev: $(STAMPS)/install-dev

$(STAMPS)/venv:
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv $(VENV) || { echo "Python has no venv: apt-get install python3.11-venv"; exit 1; }
	@mkdir -p $(STAMPS) && touch $@

# torch comes first and alone, pinned: a later package must not pull in another build of it.
$(STAMPS)/install: $(STAMPS)/venv Makefile pyproject.toml constraints.txt hatch_build.py $(shell find protos -name '*.proto')
	@echo "Installing the suite (a few minutes the first time)"
	@$(PIP) torch==2.13.0
	@$(PIP) --editable '.[models,pictures]'
	@touch $@

$(STAMPS)/install-dev: $(STAMPS)/install
	@echo "Installing the test tools"
	@$(PIP) --editable '.[models,train,dev]'
	@touch $@

clean: ## Stop the suite and remove everything that was installed or made.
	@test ! -x $(BIN)/wherefore || $(BIN)/wherefore down || true
	rm -rf $(VENV) .venv-triton .venv-federated .wherefore wherefore backends
