"""tunebench's engine: a suite is planned into runs; a run leaves a record.

Data flows one way: suites (YAML), plan, data, encoding, strategy, training, evaluation and probes, records, reports.
"""

__version__ = "0.1.0"

# Enters every run's id. Raise it when a change to the code alters what a run computes, by more
# than the order of its sums: rounding is another on each kind of processor anyhow.
ENGINE_VERSION = 6
