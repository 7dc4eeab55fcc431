# `make` alone lists the targets. `run` and `test` set up what they need.

STUDY ?= first_look
OVERRIDES ?=
NAME ?= pool
FUZZ ?=

empty :=
comma := ,
studies = $(subst $(empty) $(empty),$(comma),$(strip $(STUDY)))

# The report has them in this order: first what decides.
first := headline backends
every := $(notdir $(basename $(wildcard config/studies/*.yaml)))

# These need the given data, whose folder ANISWEEP_DATA names.
given := $(if $(ANISWEEP_DATA),,$(notdir $(basename $(shell grep -l '[$$]{*ANISWEEP_DATA' config/studies/*.yaml))))

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONWARNINGS := ignore::FutureWarning

# Some container images say that Python keeps no bytecode. Each of a thousand commands then compiles NumPy, pandas and
# this package again, which takes longer than most of them.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help env submit-env run study claims check test faults fuzz conformance bench bench-pool lock dist release generated readme docs pictures pool pool-stop demo-pool clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

env: ## make the environment in .venv from its lock (TORCH_INDEX=URL takes torch from there)
	@python3 envs/setup.py

submit-env: ## make .venv-submit for an access point: no torch, no compiler, no root
	@python3 envs/setup.py submit

run: env ## run a study and write results/report.html (STUDY=first_look, or several)
	@snakemake --profile local --config "study=[$(studies)]" $(OVERRIDES)

study: env ## every study, at the size of two cores (full: OVERRIDES="size=full", or on a cluster)
	@$(if $(given),echo "Left out: $(given). ANISWEEP_DATA is not set: set it to the folder of the given data.")
	@$(MAKE) --no-print-directory run STUDY="$(first) $(filter-out tiny $(first) $(given),$(every))"

claims: env ## every claim of earlier work: our figure, the claimed range, the verdict
	@anisweep claims

check: env ## format, types, lint, imports, unit tests: three minutes
	@ruff format --quiet --check src tests benchmarks condor containers docs envs scripts setup.py || (ruff format --diff src tests benchmarks condor containers docs envs scripts setup.py; exit 1)
	@ruff check --quiet src tests benchmarks condor containers docs envs scripts setup.py
	@snakefmt --check Snakefile workflow 2>/dev/null || (snakefmt --diff Snakefile workflow; exit 1)
	@mypy
	@lint-imports --no-cache >/dev/null || lint-imports
	@python -m docs.generators.generated --check
	@pytest -q -n 2 tests/unit tests/executor

test: check ## check, then conformance, the tiny study end to end, and the report in a browser
	@tests/browser_packages
	@pytest -q -n 2 tests/conformance
	@pytest -q -n 2 tests/workflow
	@pytest -q -n 4 --dist loadfile tests/pool -m "not fault"

faults: conformance ## conformance, kills, full disks, wrong input: everything that may go wrong
	@pytest -q -n 2 tests/faults
	@pytest -q -n 4 --dist loadfile --no-loadscope-reorder --maxfail 3 tests/pool -m fault

fuzz: env ## made-up inputs for every reader, for 20 minutes (FUZZ="--seconds 60 --seed 7")
	@PYTHONPATH=tests:condor/executor python -m fuzz $(FUZZ)

conformance: env ## the published package's own tests and first example, with our projection in place of its own
	@python tests/conformance/upstream.py

bench: env ## benchmarks: figures, never red
	@python -m benchmarks

bench-pool: env ## what HTCondor and the executor cost, on a pool of its own: an hour (root on Debian)
	@python -m benchmarks.pool

lock: env ## write the locks of envs/ from pyproject.toml
	@envs/lock

dist: env ## build sources and wheels of the library and the executor into dist/ (Linux on x86-64)
	@python scripts/dist.py

release: env ## build a release into dist/, from a clean tree, current locks and a green check; upload nothing
	@python scripts/release.py

generated: env ## write what is made from code: configuration, schema, reference pages
	@python -m docs.generators.generated

readme: env ## write the README's figures and picture from results/first_look
	@python -m docs.generators.generated --take

docs: env ## build the documentation into build/docs/index.html; its examples run (a minute)
	@python -m sphinx -q -n -W --keep-going docs build/docs
	@echo "build/docs/index.html"

pictures: env ## take the pictures of the documentation: a run in the terminal, its report (STUDY=first_look), the liquid
	@python -m docs.generators.pictures snakemake --profile local --config "study=[$(studies)]" $(OVERRIDES)

pool: env ## start a real HTCondor pool on this machine (root on Debian; NAME=pool)
	@python -m condor.pool --name $(NAME) start

pool-stop: env ## stop it, and remove all that it left
	@python -m condor.pool --name $(NAME) stop

demo-pool: env ## five minutes on a real pool: run, kill the controller, run again, report (root on Debian)
	@python -m condor.demo

clean: ## remove what can be made again: tables, figures, report. Never an artifact, nor what jobs need
	@python3 scripts/clean.py
