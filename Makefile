# Everything from a bare Debian or Ubuntu with Python 3.10-3.12, g++ and make. See CONTRIBUTING.md.
#
#   make bench-adele     the table of ADELE and its parts; goes on where it was stopped
#   make bench-pnt-edge  the table of PNT-Edge and what it is compared with; goes on where it was stopped
#   make bench-losses    the table of all losses under label noise; goes on where it was stopped
#   make demo            what label noise does, on a small synthetic data set; ends with an HTML page
#   make test            the whole test suite
#   make test-fast       the suite without the tests marked `slow`
#   make lint            ruff, check and format
#   make openmmlab       a second environment with the original OpenMMLab wheels
#   make test-openmmlab  the suite in that environment
#
# PYTHON, TORCH and VENV can be set: make test PYTHON=python3.12 TORCH='torch==2.12.0' VENV=/somewhere/venv

PYTHON ?= python3
TORCH ?= torch==2.13.0
VENV ?= .venv
OPENMMLAB_VENV ?= .venv-openmmlab
PYTEST_ARGS ?=
# Tests run in two processes of one thread each: that is faster than one after the other on two threads.
TEST_PROCESSES ?= 2
PYTEST = OMP_NUM_THREADS=1 $(RUN) -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal
export MAX_JOBS ?= $(shell nproc)

SHELL := /bin/bash
RUN := $(VENV)/bin/python
STAMPS := $(VENV)/stamps
STACK ?= onedl
TORCH_STAMP := $(STAMPS)/$(shell tr -c 'A-Za-z0-9.' - <<<'$(TORCH)')

.PHONY: bench-adele bench-losses bench-pnt-edge demo test test-fast lint environment openmmlab test-openmmlab
.DELETE_ON_ERROR:

demo: environment
	@$(RUN) tools/demo.py

bench-adele: environment
	@$(RUN) tools/benchmark.py benchmarks/adele.py --results benchmarks/results/adele --page docs/bench_adele.md

bench-losses: environment
	@$(RUN) tools/benchmark.py benchmarks/losses.py --results benchmarks/results/losses --page docs/bench_losses.md

bench-pnt-edge: environment
	@$(RUN) tools/benchmark.py benchmarks/pnt_edge.py --results benchmarks/results/pnt_edge --page docs/bench_pnt_edge.md

test: environment
	@$(PYTEST) $(PYTEST_ARGS)

test-fast: environment
	@$(PYTEST) -m "not slow and not bench" $(PYTEST_ARGS)

lint: environment
	@$(RUN) -m ruff check --quiet
	@$(RUN) -m ruff format --check --quiet

# The original mmengine calls torch.load without `weights_only`, so torch >= 2.6 refuses its checkpoints unless told.
openmmlab:
	@$(MAKE) --no-print-directory environment VENV=$(OPENMMLAB_VENV) STACK=openmmlab

test-openmmlab:
	@TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1 $(MAKE) --no-print-directory test VENV=$(OPENMMLAB_VENV) STACK=openmmlab

environment: $(STAMPS)/noisyseg-$(STACK)

# A stamp is written by the last line of its recipe, so a step that fails is repeated by the next make.
$(STAMPS)/venv:
	@$(PYTHON) tools/check_environment.py --before-build
	@echo "Setting up $(VENV): the first time takes minutes (about ten on two cores), most of it to compile mmcv."
	@$(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS)
	@touch $@

$(TORCH_STAMP): $(STAMPS)/venv
	@echo "1/2  $(TORCH) and what compiles mmcv"
	@install/with_progress.sh $(VENV)/logs/torch.log $(RUN) -m pip install --upgrade $(TORCH) \
	    pip "setuptools>=77,<82" wheel packaging ninja psutil
	@touch $@

# --no-build-isolation: an isolated build does not see torch, and mmcv then comes out without its operators.
# opencv-python needs libGL, which a bare machine lacks, and its requirers cannot be told to take the headless build:
# that build is written over it, in the same version.
$(STAMPS)/noisyseg-$(STACK): $(TORCH_STAMP) setup.py
	@echo "2/2  the OpenMMLab stack ($(STACK)) and noisyseg"
	@install/with_progress.sh $(VENV)/logs/$(STACK).log $(RUN) -m pip install --verbose --no-build-isolation \
	    --editable ".[$(STACK),dev]" $(TORCH)
	@install/with_progress.sh $(VENV)/logs/opencv.log $(RUN) -m pip install --force-reinstall --no-deps \
	    "opencv-python-headless==$$($(RUN) -c 'from importlib.metadata import version; print(version("opencv-python"))')"
	@$(RUN) tools/check_environment.py
	@touch $@
