# Two targets are enough to begin: `make bench` and `make test`. Both set up .venv first, and a second call is fast.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# HASHES=1: nothing is installed but the files of requirements.lock, each by its SHA-256.
HASHES ?=
# pip compiles what it installs one file after the other, which takes a large part of the set-up.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
PIP := $(INSTALL) -c constraints.txt
# All cores do it instead. Packages hold templates that are no Python yet, so that some files can't be compiled.
COMPILE := $(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true

.PHONY: bench venv test test-slow check audit gate accept accept-work perf gpu forgetting defaults lock clean

bench: $(VENV)/.bench
	PATH="$(abspath $(BIN)):$$PATH" accelerate launch bench/run.py --suite sentiment

# The command `tunebench`, in .venv/bin, and nothing run.
venv: $(VENV)/.bench

# A worker per core with a thread each: most tests are Python around small tensors.
PYTEST := OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m pytest -n auto --dist loadfile

# All tests but those marked slow: what somebody runs who has changed something.
test: $(VENV)/.test
	$(PYTEST) -m "not slow"

# The others: trainings of real models, faults planted one by one, simulations, launchers and what is killed. CI runs both.
# From the files that have such tests: to import all others takes half a minute.
test-slow: $(VENV)/.test
	$(PYTEST) -m slow --durations 25 $$(grep -rl --include='test_*.py' mark.slow tests)

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pip check

# Known vulnerabilities of what is locked. It asks a database, so that it is no part of `make check`.
audit: $(VENV)/.bench
	test -x $(VENV)-audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)-audit && $(VENV)-audit/bin/python -m pip install --quiet pip-audit; }
	$(VENV)-audit/bin/pip-audit --requirement requirements.lock --disable-pip

# Whether a tiny suite trains as well as when its results were accepted. A new engine version asks for new ones: make accept.
gate: $(VENV)/.bench
	rm -rf out/gate
	$(BIN)/tunebench run --suite .ci/gate.yaml --precision fp32 --out out/gate
	$(BIN)/tunebench compare out/gate .ci/accepted

accept: $(VENV)/.bench  # of ten seeds: docs/ci.md
	$(BIN)/tunebench baseline accept out/gate --to .ci/accepted

# Counts of work that tests/test_work.py may not see grow: docs/performance.md.
accept-work: $(VENV)/.test
	ACCEPT_WORK=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/test_work.py -k accepted

# Against plain scripts of transformers, peft, TRL and lm-evaluation-harness; an hour to an hour and a half. Tables for docs/performance.md.
perf: $(VENV)/.bench
	$(PIP) -e '.[perf]'
	$(COMPILE)
	$(BIN)/python baselines/perf.py

# Where there is a GPU: whether its numbers are the CPU's, and how fast it is. Writes docs/gpu.md.
gpu: $(VENV)/.bench
	$(BIN)/python baselines/gpu.py

# Writes docs/forgetting.md anew: rehearsal off and on at three learning rates.
SEEDS ?= 1
forgetting: $(VENV)/.bench
	for rate in 1e-5 3e-5 1e-4; do \
	  $(BIN)/tunebench run --suite forgetting --seeds $(SEEDS) --set learning_rate=$$rate \
	    --probe-every 33% --out out/forgetting || exit 1; \
	done
	$(BIN)/tunebench forgetting --suite forgetting --out out/forgetting --markdown docs/forgetting.md --figure docs/forgetting.svg

# Searches the default learning rates anew, on validation data; baselines/defaults.yaml holds what it found. More than a day.
defaults: $(VENV)/.bench
	$(BIN)/python baselines/defaults.py

# Python brings a pip of its own age: that of Python 3.11 takes half a minute more to find the same files than the newest one.
$(VENV)/.bench: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(if $(HASHES),,--upgrade-deps) $(VENV)
ifneq ($(HASHES),)
	$(INSTALL) --require-hashes --no-deps -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
else
	$(PIP) -e .
endif
	$(COMPILE)
	touch $@

$(VENV)/.test: $(VENV)/.bench
	$(PIP) -e '.[dev,deepspeed,parity,ray]'
	$(COMPILE)
	touch $@

# Writes constraints.txt anew from the newest versions that pyproject.toml admits; '+cpu' and the like are no part of a pin.
# requirements.lock holds the same versions of what `make bench` needs, for every platform, with the hashes of their files.
lock:
	rm -rf $(VENV)-lock && $(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet -e '.[dev,deepspeed,parity,perf,ray]'
	$(VENV)-lock/bin/python -m pip freeze --exclude-editable | sed -E 's/\+[a-z0-9.]+$$//' > constraints.txt
	$(VENV)-lock/bin/python -m pip install --quiet uv
	printf 'hatchling\neditables\n' | $(VENV)-lock/bin/uv pip compile pyproject.toml - --constraints constraints.txt --universal \
	  --python-version 3.11.5 --generate-hashes --no-header --no-annotate --quiet --output-file requirements.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) out
