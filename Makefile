# A fresh clone needs nothing but Python 3.11+: `make run` starts the studio, `make test` proves it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Test files run side by side in so many processes; a browser and a studio fit on a core.
WORKERS ?= 2
# More words for pytest, such as ARGS='-m "not slurm"' where Slurm cannot be had.
ARGS ?=

.PHONY: run test lint screenshots clean

run: $(VENV)/run.stamp
	$(BIN)/python app.py

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --durations 15 $(ARGS)

screenshots: $(VENV)/test.stamp
	$(BIN)/python -m pytest tests/e2e --update-screenshots

lint: $(VENV)/test.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/run.stamp: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp tests/requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

clean:
	rm -rf $(VENV) data .pytest_cache .ruff_cache
