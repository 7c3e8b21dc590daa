"""YAML files as checked objects: suites, tasks, probes, strategies, models, budgets, wordings."""
