# make demo     set up, then the whole way on a film that it draws
# make gallery  set up, then films in every mode, and a page of them, in render/
# make test     set up, then every check
# make processors  set up, then the numeric tests as other processors would run them
# make cluster  set up, with Ray, then the tests on a real cluster of two nodes
# make docs     set up, then this project's site, in site/
# make clean    remove what demo and test made

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
DOCS_READY := $(VENV)/docs-ready
CLUSTER_READY := $(VENV)/cluster-ready
PIP := $(VENV)/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo gallery test docs processors cluster clean
.DELETE_ON_ERROR:

demo: $(READY)
	$(VENV)/bin/frame2sound demo

gallery: $(READY)
	$(VENV)/bin/frame2sound gallery

# Tests start many processes, which then read the modules that the first has compiled.
test: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy & types=$$!; \
		PYTHONDONTWRITEBYTECODE= $(VENV)/bin/python -m pytest -n 2; tests=$$?; wait $$types && exit $$tests

docs: $(DOCS_READY)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

processors: $(READY)
	$(VENV)/bin/python benchmarks/processors.py

cluster: $(CLUSTER_READY)
	$(VENV)/bin/python -m pytest tests/library/test_ray_cluster.py

# The stamp is newer than what it was made from, so a second run needs no network.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "frame2sound needs Python 3.11 or later; name one with: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "this Python has no venv; on Debian: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[dev]'
	touch $(READY)

$(DOCS_READY): $(READY)
	$(PIP) --editable '.[docs]'
	touch $(DOCS_READY)

$(CLUSTER_READY): $(READY)
	$(PIP) --editable '.[cluster]'
	touch $(CLUSTER_READY)

clean:
	rm -rf $(VENV) demo site .mypy_cache .ruff_cache .pytest_cache .hypothesis
