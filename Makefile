# `make demo` and `make test` work on a fresh machine with Python 3.11+, make and a C compiler: they make their own environment.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test bench bench-gpu lint format clean

demo: $(STAMP)
	$(BIN)/python examples/black_scholes_tasks.py

test: $(STAMP) lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

# For example: make bench BENCH="--quick --threads 1 --json bench.json --plots plots" (docs/benchmarks.md).
BENCH ?=
bench: $(STAMP)
	$(BIN)/python -m benchmarks.suite $(BENCH)

# On a machine with an NVIDIA GPU, with CuPy, JAX and PyTorch where they are to take part (docs/benchmarks.md).
bench-gpu: $(STAMP)
	$(BIN)/python -m benchmarks.gpu --write benchmarks/results $(BENCH)

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The lock file fixes every version, so that what passes today passes tomorrow.
$(STAMP): pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v < (3, 14) else f"FuseIR needs Python 3.11 to 3.13, not {v[0]}.{v[1]}: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
