# `make up` runs everything, `make test` checks everything. The work is done in scripts/ and manage.py.
PYTHON ?= python3
PY := .venv/bin/python
RECORDS ?= 1m

# What starts from here is the demo unless somebody says otherwise (.env.example has all of it).
export CRM_MODE ?= demo
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help up test test-full bench format lock environment environment-dev translations

help:
	@echo "make up         everything running at http://127.0.0.1:8000 (PORT, HOST, VAR_DIR, DATABASE_URL, DEMO=0)"
	@echo "make test       all that CI checks"
	@echo "make test-full  the same and the slow tests"
	@echo "make bench      how fast it is on RECORDS=100k|1m|10m"
	@echo "make format     format the code"
	@echo "make lock       write the locked requirements again"
	@echo "make translations  bring locale/ up to the texts in the code"

up: environment
	@exec $(PY) manage.py up

test: environment-dev
	@exec $(PY) scripts/check.py

test-full: environment-dev
	@exec $(PY) scripts/check.py --full

bench: environment-dev
	@exec $(PY) -m tests.bench --records $(RECORDS)

format: environment-dev
	@$(PY) -m ruff format .
	@$(PY) -m ruff check --fix .

translations: environment
	@$(PY) manage.py translations extract

lock:
	@$(PYTHON) scripts/lock.py

environment environment-dev:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed. Run: apt-get install -y python3 python3-venv"; exit 1; }
	@$(PYTHON) scripts/environment.py $(if $(findstring dev,$@),dev)
