# Needs a Linux with `make` and Python 3.11 or 3.12; everything else goes into .venv.
.PHONY: help train test check fix docs audit
.DEFAULT_GOAL := help

VENV := .venv/bin
READY := .venv/requirements.txt

help:
	@echo "make train   set everything up and run the main job: python train.py"
	@echo "make test    set everything up and run the tests"
	@echo "make check   what CI runs: formatting, lint, tests"
	@echo "make fix     format, and mend what the linter can"
	@echo "make docs    build the docs site into site/"
	@echo "make audit   report dependencies with known vulnerabilities (needs a network)"

train: $(READY)
	@$(VENV)/python train.py

test: $(READY)
	@$(VENV)/python -m pytest -q -n 2 --dist loadfile

check: $(READY)
	@$(VENV)/ruff format --check --quiet .
	@$(VENV)/ruff check --quiet .
	@$(VENV)/python -m pytest -q -n 2 --dist loadfile

fix: $(READY)
	@$(VENV)/ruff format --quiet .
	@$(VENV)/ruff check --quiet --fix .

docs: $(READY)
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-input \
	  -r docs/requirements.txt
	@$(VENV)/python -m mkdocs build --quiet
	@echo "Written: site/index.html"

# In an environment of its own: what pip-audit needs is no part of the set that works together.
# --strict: fails where it could not ask of a dependency, without a network say.
audit: .venv-audit/bin/pip-audit
	@.venv-audit/bin/pip-audit --strict --requirement requirements.txt --disable-pip --no-deps

.venv-audit/bin/pip-audit: | $(READY)
	@$(VENV)/python -m venv .venv-audit && \
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
	  pip-audit==2.9.0

# A python3.x on the path may be a shim that does not run, or lack venv: each is tried.
define FIND_PYTHON
for python in python3.12 python3.11 python3; do \
  $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' \
    2>/dev/null && break; \
  python=; \
done; \
if [ -z "$$python" ]; then \
  echo "error: found no Python 3.11 or 3.12 that can make a virtual environment." >&2; \
  echo "On Debian: apt-get install python3 python3-venv" >&2; \
  exit 1; \
fi
endef

# .venv holds a copy of the requirements that it was made from, written last: one that was
# interrupted is made anew, and one whose requirements are only newer by date is kept.
$(READY): requirements.txt
	@if cmp -s requirements.txt $@; then touch $@; exit; fi; \
	$(FIND_PYTHON); \
	echo "Setting up .venv with $$($$python --version), a minute or more ..."; \
	rm -rf .venv && \
	$$python -m venv .venv && \
	$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-input \
	  -r requirements.txt && \
	cp requirements.txt $@
