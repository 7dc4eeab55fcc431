# `make` alone lists the targets. `run` and `test` set up what they need.

STUDY ?= first_look
OVERRIDES ?=

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONWARNINGS := ignore::FutureWarning

.DEFAULT_GOAL := help
.PHONY: help env run check test faults conformance bench lock generated clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

env: ## make the environment in .venv from its lock (TORCH_INDEX=URL takes torch from there)
	@python3 envs/setup.py

run: env ## run a study and write results/report.html (STUDY=first_look)
	@snakemake --profile local --config study=$(STUDY) $(OVERRIDES)

check: env ## format, types, lint, imports, unit tests: a minute
	@ruff format --quiet --check src tests benchmarks scripts envs || (ruff format --diff src tests benchmarks scripts envs; exit 1)
	@ruff check --quiet src tests benchmarks scripts envs
	@snakefmt --quiet --check Snakefile workflow
	@mypy
	@lint-imports --no-cache >/dev/null || lint-imports
	@pytest -q -n 2 tests/unit

test: check ## check, then conformance, the tiny study end to end, and the report in a browser
	@tests/browser_packages
	@pytest -q -n 2 tests/conformance
	@pytest -q tests/workflow

faults: env ## kills, full disks, wrong input: everything that may go wrong
	@pytest -q tests/faults

conformance: env ## the published package's own tests and first example, with our projection in place of its own
	@python tests/conformance/upstream.py

bench: env ## benchmarks: figures, never red
	@python -m benchmarks

lock: env ## write the locks of envs/ from pyproject.toml
	@envs/lock

generated: env ## write what is generated from code: configuration, schema, reference pages, README's figures
	@python -m anisweep.generated

clean: ## remove what can be made again: tables, figures, report. Never an artifact
	@rm -rf results/*/tables results/*/figures results/report.html results/packs .snakemake build
	@find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@echo "Artifacts and data stay. anisweep prune lists artifacts that no study asks for."
