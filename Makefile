# Numberpool: what a checkout can do. `make` lists it.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,\
	$(if $(shell $(name) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo yes),$(name))))
VENV := .venv/bin/python
ARGS ?=
# Two workers telephone, which is waiting for the most part, beside one for everything else: tests/conftest.py says who what.
TOGETHER := -n 3 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help demo test check bench machine lock clean python setup-run setup-test

help:
	@echo 'make demo    set everything up, place real calls, show them on a page, and serve a shop to call from, until Ctrl-C'
	@echo '             make demo ARGS=--once         the same, print a table and exit'
	@echo '             make demo ARGS="--once --json"  one JSON object a call'
	@echo 'make test    set up, check and run all tests; ARGS="tests/local -k carrier" runs some of them'
	@echo 'make check   formatting, lint, types, and translations'
	@echo 'make bench   measure the way of a call against its bounds'
	@echo 'make machine set up fresh machines (debootstrap, as root) and call them; MACHINES="bookworm trixie noble"'
	@echo 'make lock    write the lock files anew (needs uv); ARGS=--upgrade takes newer versions'
	@echo 'make clean   remove what set-up and runs left in this folder'

python:
	@if [ -z "$(PYTHON)" ]; then \
		echo 'numberpool: Python 3.11, 3.12 or 3.13 is needed, and none was found here ('"$$(python3 --version 2>&1 | head -n 1)"').' >&2; \
		echo '    On Debian 12 or newer:  sudo apt-get install -y python3 python3-venv' >&2; \
		echo '    Or name one:            make PYTHON=/path/to/python3.12 ...' >&2; \
		exit 1; \
	fi

setup-run: python
	@$(PYTHON) gateway/local/environment.py run

setup-test: python
	@$(PYTHON) gateway/local/environment.py test

demo: setup-run
	@exec $(VENV) -m gateway.local.demo $(ARGS)

test: setup-test $(if $(ARGS),,check)
	@$(VENV) -m pytest $(if $(ARGS),$(ARGS),$(TOGETHER))

check: setup-test
	@$(VENV) -m ruff check .
	@$(VENV) -m ruff format --check .
	@$(VENV) -m mypy
	@$(VENV) -m gateway.http.catalogue_check
	@$(VENV) -m gateway.local.snippet

bench: setup-test
	@$(VENV) -m tests.bench $(ARGS)

# Ubuntu's mirror is named by UBUNTU_MIRROR, Debian's by DEBIAN_MIRROR where this machine's own apt sources do not.
machine: setup-test
	@MACHINES="$(or $(MACHINES),bookworm trixie)" $(VENV) -m pytest tests/machine/test_provision.py $(ARGS)

lock: python
	@$(PYTHON) gateway/local/environment.py lock $(ARGS)

clean:
	rm -rf .venv .numberpool .pytest_cache .mypy_cache .ruff_cache .hypothesis dist web/static/snippet web/static/player web/static/charts
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
