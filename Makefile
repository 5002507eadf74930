# `make help` lists what there is. Everything is set up in .venv on first use.
HOST ?= 127.0.0.1
PORT ?= 8000
CONFIG ?= config/sources.yaml
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help run demo test lint image coverage mutants bench translations browser nginx clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed ## poll and serve CONFIG (config/sources.yaml) on HOST:PORT
	@$(BIN)/aggregator --config $(CONFIG) run --host $(HOST) --port $(PORT)

demo: .venv/installed ## the same on invented feeds, no internet needed
	@$(BIN)/aggregator demo --host $(HOST) --port $(PORT)

test: lint browser nginx ## everything that must pass: style, types, import rules, tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --max-worker-restart 0

lint: .venv/developing ## style, types, import rules
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

# Takes root, and where no registry of images can be reached a mirror of Debian.
image: .venv/developing ## build the container image and try it, as root, without an engine
	@command -v buildah >/dev/null && command -v debootstrap >/dev/null || { apt-get update -q \
		&& apt-get install -y -q --no-install-recommends buildah debootstrap; }
	$(BIN)/python -m pytest tests/e2e/test_image.py --image

coverage: browser nginx ## the tests again, measuring which branches they take
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile --max-worker-restart 0
	$(BIN)/coverage combine -q
	$(BIN)/coverage report --skip-covered --show-missing

# Far from GMT, so that a time zone that is left out shows.
mutants: .venv/mutating ## which changes of the pure decisions no test notices, MODULE=… for one
	TZ=Asia/Kathmandu nice -n 10 $(BIN)/python -m mutmut run $(if $(MODULE),'$(MODULE).*')
	$(BIN)/python -m mutmut results

bench: .venv/developing ## measure, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks.report

translations: .venv/developing ## texts of code and templates into the catalogues, and compile them
	$(BIN)/python -m tests.web.catalogues $(LANGUAGE)

clean: ## remove what was installed and built; data/ stays
	rm -rf .venv build dist mutants .coverage* .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: none found on PATH." >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; test "$$(id -u)" = 0 \
		&& command -v apt-get >/dev/null && apt-get update -q \
		&& apt-get install -y -q python3-venv && $(PYTHON) -m venv .venv; } || { rm -rf .venv; \
		echo "Python's venv module is needed (Debian: apt-get install python3-venv)." >&2; exit 1; }

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/developing: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ .venv/installed

.venv/mutating: .venv/developing
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[mutation]'
	@touch $@

# The browser tests take the system's Chromium or Chrome, else Playwright's own.
browser: .venv/developing
	@for browser in chromium chromium-browser google-chrome; do \
		command -v $$browser >/dev/null && exit 0; done; \
	if test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -q \
		&& apt-get install -y -q --no-install-recommends chromium; then exit 0; fi; \
	$(BIN)/playwright install --with-deps chromium || $(BIN)/playwright install chromium

# The tests behind nginx are skipped without it. Where systemd would start it as a service on port 80,
# it is not installed.
nginx:
	@if test -x /usr/sbin/nginx || command -v nginx >/dev/null; then exit 0; fi; \
	if test "$$(id -u)" = 0 && test ! -d /run/systemd/system && command -v apt-get >/dev/null \
		&& apt-get update -q && apt-get install -y -q --no-install-recommends nginx-light; then exit 0; fi; \
	echo "nginx is not installed: its tests will be skipped."
