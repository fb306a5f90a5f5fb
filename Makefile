# `make` alone lists what there is.
# PYTHON=...           the interpreter the virtual environment is made with (3.11 or later)
# MICROPYTHON_DIR=...  build from a checkout of MicroPython instead of Debian's source packages
# PYTEST_ARGS=...      what pytest is given
# ARGS=...             what `stimbench bench figures` is given: make bench ARGS=--quick

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
# A process more than there are cores: some tests wait for a time-out meanwhile.
PYTEST_ARGS ?= -n $(shell expr $$(nproc) + 1) --dist worksteal
export MICROPYTHON_DIR
# Some machines tell Python to keep no bytecode. Compiling all of it again in each process costs minutes.
unexport PYTHONDONTWRITEBYTECODE

BIN := .venv/bin
LOGS := build/logs
JUNIT := build/junit/test.xml
READY := .venv/ready
CORE_READY := .venv/core-ready
WEB_READY := build/web/ready
WEB := host_tools/stimbench/web
CORE := host_tools/stimbench/emulator/native
PIP := $(BIN)/pip --disable-pip-version-check
BUILDER := PYTHONPATH=host_tools:firmware $(PYTHON) -m stimbench.firmware_build

# $(call step,label,log,command): one line on the terminal, the rest in a log; its end is shown when the step fails.
define step
mkdir -p $(LOGS); printf '%-10s %s\n' setup "$(1)"; \
{ $(3); } >$(LOGS)/$(2) 2>&1 || { tail -n 20 $(LOGS)/$(2) >&2; echo "error: $(1): see $(LOGS)/$(2)" >&2; exit 1; }
endef

.PHONY: help
help: ## list the targets
	@echo "  In brackets: the time on 2 cores, and what stays on the disk. Each target first makes what it needs."
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) $(CORE_READY) $(WEB_READY) ## install the toolchain (apt, if root) and the Python environment .venv [2 min; 2.4 GB of packages, 0.6 GB here]
	@:

$(READY): requirements.lock pyproject.toml host_tools/stimbench/emulator_build.py host_tools/stimbench/firmware_build/toolchain.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "error: $(PYTHON) is not Python 3.11 or later ($$($(PYTHON) --version 2>&1 || true)); name one: make PYTHON=python3.11" >&2; \
	  exit 2; }
	@packages="$$($(BUILDER) --missing-packages)"; \
	if [ -n "$$packages" ]; then \
	  command="apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $$packages"; \
	  if [ "$$(id -u)" != 0 ]; then \
	    printf 'error: packages are missing; as root:\n  %s\n' "$$command" >&2; exit 2; \
	  fi; \
	  $(call step,Debian packages: $$packages,apt.log,eval "$$command"); \
	fi
	@$(call step,virtual environment .venv,venv.log,$(PYTHON) -m venv .venv)
	@# The stubs hold modules such as math and time: for mypy's eyes only, in a folder of their own.
	@$(call step,Python packages of requirements.lock,pip.log,\
	  grep -v '^micropython-.*-stubs' requirements.lock >build/requirements-run.txt && \
	  grep '^micropython-.*-stubs' requirements.lock >build/requirements-typings.txt && \
	  $(PIP) install --no-deps -r build/requirements-run.txt && \
	  $(PIP) install --no-deps --upgrade --target .venv/typings -r build/requirements-typings.txt)
	@$(call step,stimbench itself,install.log,\
	  $(PIP) install --no-deps --no-build-isolation -e . && $(PIP) check)
	@$(call step,the emulator compiled for this Python,emulator.log,$(BIN)/python -m stimbench.emulator_build --installed)
	@touch $@

$(CORE_READY): $(READY) $(wildcard $(CORE)/*.c $(CORE)/*.h $(CORE)/*.pyx)
	@$(call step,the CPU core compiled,core.log,$(BIN)/python -m stimbench.emulator_build --core)
	@touch $@

# The page's JavaScript of others. No script of a package runs, and its licence goes where it goes.
$(WEB_READY): $(READY) $(WEB)/package.json $(WEB)/package-lock.json
	@$(call step,JavaScript packages of package-lock.json,npm.log,\
	  mkdir -p build/web/vendor/uplot && cp $(WEB)/package.json $(WEB)/package-lock.json build/web && \
	  npm --prefix build/web ci --ignore-scripts --no-audit --no-fund --fetch-timeout=60000 && \
	  cp build/web/node_modules/uplot/dist/uPlot.esm.js build/web/node_modules/uplot/dist/uPlot.min.css \
	    build/web/node_modules/uplot/LICENSE build/web/vendor/uplot)
	@touch $@

.PHONY: firmware
firmware: setup ## build build/stimulator.uf2 and build/remote.uf2 [100 s, then seconds; 0.4 GB]
	@$(BIN)/python -m stimbench.firmware_build

.PHONY: demo
demo: setup firmware ## run the demonstration on the emulated bench [10 s; 2 MB]
	@$(BIN)/stimbench demo

.PHONY: wheel
wheel: setup firmware ## build/dist/stimbench-*.whl: the host tools, both images, and the CPU core for this Python [10 s; 2 MB]
	@rm -rf build/dist && mkdir -p $(LOGS)
	@$(BIN)/python -m build --wheel --no-isolation --outdir build/dist >$(LOGS)/wheel.log 2>&1 || { tail -n 20 $(LOGS)/wheel.log >&2; exit 1; }
	@ls build/dist/*.whl

.PHONY: wheel-test
wheel-test: wheel ## install the wheel into a fresh environment and use it there, outside the checkout [60 s]
	@PYTHON=$(PYTHON) .ci/wheel build/dist/*.whl

.PHONY: bench
bench: setup firmware ## measure the figures of the documentation again [hours: watch takes 47 min, impedance-calibrated longer]
	@$(BIN)/stimbench bench figures $(ARGS)

.PHONY: docs
docs: setup ## write the tables of the documentation that come from code, and docs/hazards.md [2 s]
	@$(BIN)/python -m stimbench.docs_tables
	@$(BIN)/stimbench hazards page $(wildcard $(JUNIT))

.PHONY: screenshots
screenshots: setup firmware ## write docs/pictures/page: each view of `stimbench serve` while a session runs [15 s]
	@$(BIN)/python docs/pictures/page.py

.PHONY: test
test: lint types pytest ## lint, types and pytest; all tests but those of test-tools [19 min]

.PHONY: lint
lint: setup ## check style with ruff, and who imports whom with import-linter [2 s]
	@echo "lint       ruff"
	@$(BIN)/ruff check --quiet --output-format concise .
	@echo "lint       imports"
	@$(BIN)/lint-imports --no-logo --no-cache >$(LOGS)/imports.log || { cat $(LOGS)/imports.log >&2; exit 1; }

.PHONY: types
types: setup firmware ## check types with mypy: the host as CPython, the firmware as MicroPython, the circuit [20 s]
	@echo "types      host tools and pure logic"
	@$(BIN)/mypy --no-error-summary
	@echo "types      firmware"
	@$(BIN)/mypy --no-error-summary --config-file mypy-firmware.ini
	@echo "types      circuit"
	@$(BIN)/mypy --no-error-summary --config-file boards/circuit/mypy.ini

.PHONY: pytest
pytest: setup firmware ## run the tests, and check that they show each control of docs/hazards.toml [18 min]
	@$(BIN)/pytest --junitxml=$(JUNIT) $(PYTEST_ARGS) -m "not tools"
	@# With PYTEST_ARGS of one's own it may be a part of the tests: they show a part of the controls.
	@$(if $(filter file,$(origin PYTEST_ARGS)),$(BIN)/stimbench hazards check $(JUNIT))

.PHONY: test-tools
test-tools: setup firmware ## run the tests of whole tools: lessons, the wheel, worker processes, wired benches and their page [2 min]
	@$(BIN)/pytest $(PYTEST_ARGS) -m tools

.PHONY: mutants
mutants: setup ## change the firmware's pure logic in thousands of ways: does a test fail each time? [an hour]
	@PYTHONPATH=tests $(BIN)/python -m mutants $(MODULES)

.PHONY: walk
walk: setup ## 10 000 000 random steps over the therapy on the desk, beside an oracle; ARGS="--steps 100000" [4 min]
	@PYTHONPATH=tests $(BIN)/python -m support.desk_walk $(ARGS)

.PHONY: year
year: setup ## a year of sessions on the desk, with power cuts: is what the audit tells what was done? [20 s]
	@PYTHONPATH=tests $(BIN)/python -m support.desk_year $(ARGS)

SANITIZE_SEEDS ?= 1 2 3 4
SANITIZE_STARTS ?= 500000
SANITIZERS := -fsanitize=undefined,address,float-cast-overflow -fno-sanitize-recover=all

.PHONY: sanitize
sanitize: ## run the CPU core on random states under the address and undefined-behaviour sanitisers [1 min]
	@mkdir -p build/sanitize
	@gcc -std=c11 -O1 -g -Wall -Wextra -Werror $(SANITIZERS) -I$(CORE) $(CORE)/*.c -o build/sanitize/fuzz
	@for seed in $(SANITIZE_SEEDS); do build/sanitize/fuzz $$seed $(SANITIZE_STARTS); done

.PHONY: lock
lock: ## choose new versions for requirements.lock from requirements.in [needs the network]
	@$(call step,requirements.lock from requirements.in,lock.log,\
	  rm -rf build/lock && $(PYTHON) -m venv build/lock && \
	  build/lock/bin/pip --disable-pip-version-check install -r requirements.in)
	@{ sed -n '/^#/p' requirements.lock; build/lock/bin/pip --disable-pip-version-check freeze; } >build/requirements.lock
	@mv build/requirements.lock requirements.lock
	@rm -rf build/lock

HARDWARE := build/hardware-venv

$(HARDWARE)/ready: boards/circuit/requirements.lock
	@$(call step,SKiDL and its company in $(HARDWARE),hardware.log,\
	  rm -rf $(HARDWARE) && $(PYTHON) -m venv $(HARDWARE) && \
	  $(HARDWARE)/bin/pip --disable-pip-version-check install --no-deps -r boards/circuit/requirements.lock)
	@touch $@

.PHONY: ngspice
ngspice:
	@command -v ngspice >/dev/null || { \
	  command="apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ngspice"; \
	  if [ "$$(id -u)" != 0 ]; then printf 'error: ngspice is missing; as root:\n  %s\n' "$$command" >&2; exit 2; fi; \
	  $(call step,Debian package: ngspice,apt-ngspice.log,eval "$$command"); }

.PHONY: hardware
hardware: $(HARDWARE)/ready ngspice ## the circuit of both boards: rules, BOM, wiring, drawings, proof in SPICE [4 min; 0.4 GB]
	@PYTHONPATH=boards $(HARDWARE)/bin/python -m circuit.make $(ARGS)
	@PYTHONPATH=boards:host_tools:firmware:tests $(HARDWARE)/bin/python -m pytest -q --noconftest -c tests/hardware/checks.ini tests/hardware

.PHONY: hardware-lock
hardware-lock: ## choose new versions for boards/circuit/requirements.lock [needs the network]
	@$(call step,boards/circuit/requirements.lock,hardware-lock.log,\
	  rm -rf build/lock && $(PYTHON) -m venv build/lock && \
	  build/lock/bin/pip --disable-pip-version-check install -r boards/circuit/requirements.in)
	@{ sed -n '/^#/p' boards/circuit/requirements.lock; build/lock/bin/pip --disable-pip-version-check freeze; } >build/hardware.lock
	@mv build/hardware.lock boards/circuit/requirements.lock
	@rm -rf build/lock

.PHONY: clean
clean: ## remove what was built; keep the fetched sources and .venv
	@rm -rf build/firmware build/mpy-cross build/logs build/*.uf2 .pytest_cache .mypy_cache .ruff_cache

.PHONY: distclean
distclean: ## remove everything that is not in the repository's sources
	@rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
