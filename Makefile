# `make` alone lists the targets. `run` and `test` set up what they need.

STUDY ?= first_look
OVERRIDES ?=
NAME ?= pool

empty :=
comma := ,
studies = $(subst $(empty) $(empty),$(comma),$(strip $(STUDY)))

# The report has them in this order: first what decides.
first := headline backends
every := $(notdir $(basename $(wildcard config/studies/*.yaml)))

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONWARNINGS := ignore::FutureWarning

.DEFAULT_GOAL := help
.PHONY: help env submit-env run study claims check test faults conformance bench bench-pool lock generated readme pool pool-stop demo-pool clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

env: ## make the environment in .venv from its lock (TORCH_INDEX=URL takes torch from there)
	@python3 envs/setup.py

submit-env: ## make .venv-submit for an access point: no torch, no compiler, no root
	@python3 envs/setup.py submit

run: env ## run a study and write results/report.html (STUDY=first_look, or several)
	@snakemake --profile local --config "study=[$(studies)]" $(OVERRIDES)

study: env ## every study, at the size of two cores (full: OVERRIDES="size=full", or on a cluster)
	@$(MAKE) --no-print-directory run STUDY="$(first) $(filter-out tiny $(first),$(every))"

claims: env ## every claim of earlier work: our figure, the claimed range, the verdict
	@anisweep claims

check: env ## format, types, lint, imports, unit tests: a minute
	@ruff format --quiet --check src tests benchmarks condor containers envs scripts setup.py || (ruff format --diff src tests benchmarks condor containers envs scripts setup.py; exit 1)
	@ruff check --quiet src tests benchmarks condor containers envs scripts setup.py
	@snakefmt --check Snakefile workflow 2>/dev/null || (snakefmt --diff Snakefile workflow; exit 1)
	@mypy
	@lint-imports --no-cache >/dev/null || lint-imports
	@python -m anisweep.generated --check
	@pytest -q -n 2 tests/unit tests/executor

test: check ## check, then conformance, the tiny study end to end, and the report in a browser
	@tests/browser_packages
	@pytest -q -n 2 tests/conformance
	@pytest -q -n 2 tests/workflow
	@pytest -q tests/pool -m "not fault"

faults: conformance ## conformance, kills, full disks, wrong input: everything that may go wrong
	@pytest -q -n 2 tests/faults
	@pytest -q --maxfail 3 tests/pool -m fault

conformance: env ## the published package's own tests and first example, with our projection in place of its own
	@python tests/conformance/upstream.py

bench: env ## benchmarks: figures, never red
	@python -m benchmarks

bench-pool: env ## what HTCondor and the executor cost, on a pool of its own: an hour (root on Debian)
	@python -m benchmarks.pool

lock: env ## write the locks of envs/ from pyproject.toml
	@envs/lock

generated: env ## write what is made from code: configuration, schema, reference pages
	@python -m anisweep.generated

readme: env ## write the README's figures and picture from results/first_look
	@python -m anisweep.generated --take

pool: env ## start a real HTCondor pool on this machine (root on Debian; NAME=pool)
	@python -m condor.pool --name $(NAME) start

pool-stop: env ## stop it, and remove all that it left
	@python -m condor.pool --name $(NAME) stop

demo-pool: env ## five minutes on a real pool: run, kill the controller, run again, report (root on Debian)
	@python -m condor.demo

clean: ## remove what can be made again: tables, figures, report. Never an artifact
	@rm -rf results/*/tables results/*/figures results/report.html results/claims.csv results/packs .snakemake build
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Artifacts and data stay. anisweep prune lists artifacts that no study asks for."
