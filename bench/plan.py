"""A suite becomes runs: model x task x strategy x seed, each with an id that is a hash of what determines its result."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from bench import ENGINE_VERSION, probes, sources, strategies, tasktypes
from bench.budget import Budget
from bench.errors import UserError, unknown
from bench.models import Model
from bench.models import find as find_model
from bench.specs import Library, ProbeSpec, SuiteSpec, TaskSpec, library_for
from bench.strategies import Strategy


@dataclass(frozen=True)
class Options:
    """What the command line says on top of the suite; None means what the suite says."""

    suite: str
    model: str | None = None
    tasks: Sequence[str] | None = None
    strategies: Sequence[str] | None = None
    seeds: int | None = None
    budget: str | None = None
    probe_items: int | None = None
    test_items: int | None = None
    settings: Sequence[str] = ()
    """Hyper-parameters as `key=value` or `strategy.key=value`."""
    trust_remote_code: bool = False


@dataclass(frozen=True)
class Run:
    """One run, with everything it needs resolved."""

    suite: str
    model: Model
    task: TaskSpec
    others: tuple[tuple[TaskSpec, float], ...]
    """Tasks that the strategy mixes in, with their shares of the budget."""
    strategy: Strategy
    probes: tuple[tuple[ProbeSpec, int], ...]
    """The probes that fit the model, with their size limits."""
    left_out: tuple[str, ...]
    """Why probes that are meant for the model's family don't fit it, one sentence each."""
    seed: int
    budget: Budget
    batch: int
    max_length: int
    precision: str
    test_items: int | None

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """What determines the result, as JSON values."""
        found: dict[str, Any] = {
            "engine": ENGINE_VERSION,
            "model": self.model.content_hash,
            "task": task_fingerprint(self.task),
            "strategy": type(self.strategy).__name__,
            "hyperparameters": self.strategy.hyperparameters.model_dump(mode="json"),
            "probes": [[probe_fingerprint(spec), limit] for spec, limit in self.probes],
            "max_length": self.max_length,
            "precision": self.precision,
            "test_items": self.test_items,
        }
        if self.strategy.trains or self.strategy.wording.shots:
            found["seed"] = self.seed
        if self.strategy.trains:
            found |= {"budget": str(self.budget), "batch": self.batch}
            found["others"] = [[task_fingerprint(task), share] for task, share in self.others]
        if self.strategy.rehearsal:
            found["rehearsal"] = sources.fingerprint(self.strategy.rehearsal[0])
        if self.model.trust_remote_code:
            found["trust_remote_code"] = True
        return found

    @cached_property
    def id(self) -> str:
        return digest(self.inputs)

    @property
    def label(self) -> str:
        return f"{self.model.name} / {self.task.name} / {self.strategy.name} / seed {self.seed}"


def digest(value: Any) -> str:
    """16 hex digits of the SHA-256 of a JSON value, keys sorted."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def task_fingerprint(task: TaskSpec) -> dict[str, Any]:
    """The task without its words for people, with its data's hashes instead of its places."""
    shape = task.model_dump(mode="json", exclude={"description", "train", "validation", "test"})
    for split in ("train", "validation", "test"):
        part = getattr(task, split)
        shape[split] = sources.fingerprint(part) if hasattr(part, "columns") else part.model_dump()
    return shape


def probe_fingerprint(probe: ProbeSpec) -> dict[str, Any]:
    shape = probe.model_dump(mode="json", exclude={"description", "source", "items"})
    return {**shape, "source": sources.fingerprint(probe.source)}


def plan(options: Options, precision: str) -> list[Run]:
    """The runs of a suite, in its order.

    Raises:
        UserError: a name, number or setting is wrong; nothing has been written by then.
    """
    library, suite = library_for(options.suite)
    budget = Budget.parse(options.budget or suite.budget)
    seeds = options.seeds or suite.seeds
    tasks = [library.task(name) for name in _chosen("task", options.tasks, suite.tasks, library)]
    wanted = _chosen("strategy", options.strategies, suite.strategies, library)
    settings = parse_settings(options.settings, wanted)
    for task in tasks:
        tasktypes.load(task)
    specs = [library.probe(name) for name in suite.probes]
    kinds = {spec.name: probes.load(spec) for spec in specs}
    runs: list[Run] = []
    for model in [find_model(name, library, options.trust_remote_code) for name in _models(options, suite)]:
        meant = [spec for spec in specs if kinds[spec.name].family in (None, model.family)]
        unfit = {spec.name: reason for spec in meant if (reason := kinds[spec.name].unfit(model))}
        fitting = tuple((spec, _limit(spec, options, suite)) for spec in meant if spec.name not in unfit)
        loaded = [strategies.load(library.strategy(n), model.family, _settings_for(n, settings)) for n in wanted]
        _check_settings(settings, loaded)
        for task in tasks:
            for strategy in loaded:
                mixed = [(library.task(name), share) for name, share in strategy.tasks.items()]
                others = tuple((other, share) for other, share in mixed if other.name != task.name)
                varies = strategy.trains or strategy.wording.shots > 0
                for seed in range(seeds if varies else 1):
                    runs.append(
                        Run(
                            suite=suite.name,
                            model=model,
                            task=task,
                            others=others,
                            strategy=strategy,
                            probes=fitting,
                            left_out=tuple(f"probe '{name}' is left out: {reason}" for name, reason in unfit.items()),
                            seed=seed,
                            budget=budget,
                            batch=suite.batch,
                            max_length=suite.max_length,
                            precision=precision,
                            test_items=options.test_items,
                        )
                    )
    return runs


def _models(options: Options, suite: SuiteSpec) -> list[str]:
    return [options.model] if options.model else list(suite.models)


def _limit(spec: ProbeSpec, options: Options, suite: SuiteSpec) -> int:
    return options.probe_items or min(spec.items, suite.probe_items or spec.items)


def _chosen(what: str, asked: Sequence[str] | None, of_suite: Sequence[str], library: Library) -> list[str]:
    """The suite's names, or those of the command line, in the suite's order; others of the library may be named too."""
    if asked is None:
        return list(of_suite)
    if not asked:
        raise UserError(f"no {what} is named; leave the option out for all of the suite's: {', '.join(of_suite)}")
    known = library.names("tasks" if what == "task" else "strategies")
    for name in asked:
        if name not in known and not name.endswith((".yaml", ".yml")):
            raise unknown(what, name, {*known, *of_suite})
    return [name for name in of_suite if name in asked] + [name for name in asked if name not in of_suite]


def parse_settings(settings: Sequence[str], strategy_names: Sequence[str]) -> list[tuple[str | None, list[str], Any]]:
    """`[strategy.]key[.key]=value` -> (strategy or None, keys, value)."""
    found = []
    for setting in settings:
        path, equals, value = setting.partition("=")
        if not equals or not path:
            raise UserError(f"--set {setting}: write it as key=value or strategy.key=value")
        name, *keys = path.split(".")
        owner = name if name in strategy_names and keys else None
        try:
            found.append((owner, keys if owner else [name, *keys], yaml.safe_load(value)))
        except yaml.YAMLError:
            raise UserError(f"--set {setting}: the value cannot be read as YAML") from None
    return found


def _settings_for(strategy: str, settings: Sequence[tuple[str | None, list[str], Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for owner, keys, value in settings:
        if owner in (None, strategy):
            place = values
            for key in keys[:-1]:
                place = place.setdefault(key, {})
                if not isinstance(place, dict):
                    raise UserError(f"--set {'.'.join(keys)}: '{key}' was set to a single value before")
            place[keys[-1]] = value
    return values


def _check_settings(settings: Sequence[tuple[str | None, list[str], Any]], loaded: Sequence[Strategy]) -> None:
    for owner, keys, _ in settings:
        fields = {name for s in loaded if owner in (None, s.name) for name in type(s.hyperparameters).model_fields}
        if keys[0] not in fields:
            raise unknown("hyper-parameter", keys[0], fields)
