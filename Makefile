# Each target does all of its own set-up: Python 3.11 or newer (with venv) and make are enough.
# Another interpreter: make test PYTHON=/path/to/python3

SHELL := /bin/bash
PYTHON ?=
export PYTHON
VENV := .venv
REQUIREMENTS := requirements-dev.txt examples/life_expectancy/requirements.txt
MYPY_PLUGINS := $(wildcard plugins/*/src/*)

.PHONY: help demo test test-fast test-clusters plugin-matrix lint types format docs reports bench clean environment

help:
	@echo "make demo       run the example: 142 fits, a check, a chart, and uploads one at a time"
	@echo "make test       every test that needs no cluster, on every Python found"
	@echo "make test-clusters  the tests on real schedulers of this host: root on Debian (CLUSTERS=tests/clusters/slurm: some)"
	@echo "make plugin-matrix  the plugins of other commits on this jobmon (REFS='released here')"
	@echo "make test-fast  the fast tests, on one Python"
	@echo "make lint       style; make types: types; make format: put into form; make docs: tables made from code"
	@echo "make reports    what the conformance kit finds out about each plugin, kept beside it"
	@echo "make bench      the benchmarks, on an idle machine; to try them: make bench BENCH=--quick"
	@echo "make clean      remove environments and caches"

environment:
	@python=$$(.ci/interpreters | sed -n 1p); \
	if [ -z "$$python" ]; then echo "no Python 3.11 or newer with venv was found; name one: make PYTHON=/path/to/python3" >&2; exit 1; fi; \
	.ci/install "$$python" $(VENV) $(REQUIREMENTS)

demo: environment
	cd examples/life_expectancy && ../../$(VENV)/bin/python life_expectancy.py

test:
	@.ci/test

test-fast:
	@.ci/test fast

test-clusters:
	@.ci/test-clusters $(CLUSTERS)

plugin-matrix:
	@.ci/plugin-matrix $(REFS)

lint: environment
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

types: environment
	$(VENV)/bin/mypy --strict -p jobmon -p benchmarks
	@for plugin in $(MYPY_PLUGINS); do \
	    [ -f $$plugin/__init__.py ] || continue; \
	    echo "mypy $$plugin"; MYPYPATH=$$(dirname $$plugin) $(VENV)/bin/mypy --strict -p $$(basename $$plugin) || exit 1; \
	done

format: environment
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

docs: environment
	$(VENV)/bin/python docs/make_states.py
	$(VENV)/bin/python docs/make_reference.py
	$(VENV)/bin/python docs/make_testing_reference.py

reports: environment
	@for plugin in dask dummy multiprocess sequential slurm uge; do \
	    $(VENV)/bin/jobmon plugin check $$plugin --tests plugins/jobmon_$$plugin/tests/test_$${plugin}_conformance.py \
	        --report plugins/jobmon_$$plugin/conformance.json || exit 1; \
	done

bench: environment
	$(VENV)/bin/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .venv-* .mypy_cache .ruff_cache .pytest_cache .hypothesis examples/life_expectancy/out
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
