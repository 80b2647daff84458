# The commands of the workbook; `make` alone lists them. Each sets up what is missing first.
PYTHON ?= python3
ARGS ?=
WORKERS ?= 3
# A test that fails while others compete for the machine has to pass when it runs alone. (1: some failed.)
# By one worker, if it was by workers before: they give tests other names than pytest by itself does.
SHARED = --dist loadgroup --no-loadscope-reorder
ONE = $(if $(filter 0,$(WORKERS)),0,1)
ALONE = { test $$? -eq 1 && \
  python -m pytest tests -n $(ONE) $(SHARED) --last-failed --last-failed-no-failures none $(ARGS); }
SET_UP = $(PYTHON) lib/drydock/setup/bootstrap.py
UV = build/lock/bin/uv
COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-header --quiet

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run lab test fuzz chaos bench refresh lock clean checks measures

help:  ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run:  ## run the pipeline end to end on the local cloud and print its report (ARGS="--json")
	@$(SET_UP) -- drydock run $(ARGS)

lab:  ## open the lessons in JupyterLab
	@$(SET_UP) --spark -- drydock lab $(ARGS)

test:  ## prove it all: lint, tests, browser, and every stored output of every lesson
	@$(SET_UP) --test -- $(MAKE) --no-print-directory checks

checks:
	ruff check .
	ruff format --check .
	python -m pytest tests -n $(WORKERS) $(SHARED) $(ARGS) || $(ALONE)
	python -m drydock.notebooks test

fuzz:  ## send the AWS doors ten thousand generated requests (FUZZ_SEED=1 FUZZ_REQUESTS=10000)
	@$(SET_UP) --test -- env FUZZ_SEED=$(or $(FUZZ_SEED),$(shell date +%s)) \
	  FUZZ_REQUESTS=$(or $(FUZZ_REQUESTS),10000) python -m pytest tests/faults/test_fuzz.py $(ARGS)

chaos:  ## kill what runs a hundred tasks, at random, 20 times (ARGS="--runs 1 --seed 7")
	@$(SET_UP) --test -- python tests/faults/chaos.py $(ARGS)

bench:  ## measure our ETL, reads and API beside pandas, DuckDB, Spark and others, into book/benchmarks.md
	@$(SET_UP) --bench -- $(MAKE) --no-print-directory measures

measures:
	@mkdir -p build/bench
	python tests/benchmarks/etl.py --json $(ARGS) > build/bench/etl.json
	python tests/benchmarks/reads.py --json > build/bench/reads.json
	python tests/benchmarks/api.py --seconds 10 --json > build/bench/api.json
	python tests/benchmarks/page.py build/bench > build/bench/page.md
	@mkdir -p book && mv build/bench/page.md book/benchmarks.md && cat book/benchmarks.md

refresh:  ## run the lessons again and store their new outputs (ARGS=notebooks/01_pipeline.ipynb)
	@$(SET_UP) --spark -- python -m drydock.notebooks refresh $(ARGS)

lock:  ## resolve pyproject.toml into the lock files (ARGS=--upgrade takes newer versions)
	@test -x $(UV) || ($(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet uv)
	$(COMPILE) pyproject.toml --extra test -o requirements.lock $(ARGS)
	$(COMPILE) --group spark --constraints requirements.lock -o requirements-spark.lock $(ARGS)
	$(COMPILE) --group bench --constraints requirements.lock -o requirements-bench.lock $(ARGS)

clean:  ## remove what was built here; what the local cloud keeps stays (drydock reset --all)
	rm -rf .venv build .pytest_cache .ruff_cache .hypothesis lib/*.egg-info
	find lib tests notebooks -name __pycache__ -prune -exec rm -rf {} +
