"""The folder suites/ and its like: a name is looked up beside the suite file that uses it, then among the built-in ones; a
path is taken as it is."""

from pathlib import Path

from bench.errors import UserError, unknown
from bench.specs.base import read_spec
from bench.specs.model import ModelSpec
from bench.specs.probe import ProbeSpec
from bench.specs.strategy import StrategySpec
from bench.specs.suite import SuiteSpec
from bench.specs.task import TaskSpec

BUILT_IN = Path(__file__).parents[2] / "suites"


class Library:
    """The YAML files that a suite can name: those beside it first, then the built-in ones."""

    def __init__(self, beside: Path | None = None) -> None:
        self.folders = [folder for folder in (beside, BUILT_IN) if folder is not None]

    def names(self, kind: str) -> list[str]:
        """Names of all files in the folders' subfolder `kind` ('' for suites)."""
        paths = (path for folder in self.folders for path in (folder / kind).glob("*.yaml"))
        # The list of pinned assets lies among the suites, and is none.
        return sorted({path.stem for path in paths if path.name != "assets.yaml"})

    def find(self, what: str, kind: str, name: str) -> Path:
        if name.endswith((".yaml", ".yml")):
            for path in (Path(name), *(folder / name for folder in self.folders)):
                if path.is_file():
                    return path
            raise UserError(f"{what} file '{name}' does not exist")
        for folder in self.folders:
            # `../sst2` would lead out of the folder.
            if "/" not in name and (path := folder / kind / f"{name}.yaml").is_file():
                return path
        raise unknown(what, name, self.names(kind))

    def suite(self, name: str) -> SuiteSpec:
        return read_spec(self.find("suite", "", name), SuiteSpec)

    def task(self, name: str) -> TaskSpec:
        return read_spec(self.find("task", "tasks", name), TaskSpec)

    def probe(self, name: str) -> ProbeSpec:
        return read_spec(self.find("probe", "probes", name), ProbeSpec)

    def strategy(self, name: str) -> StrategySpec:
        return read_spec(self.find("strategy", "strategies", name), StrategySpec)

    def model(self, name: str) -> ModelSpec | None:
        """The model of that name, or of that YAML file; None where a folder or a hub's id is meant."""
        if name.endswith((".yaml", ".yml")) or name in self.names("models"):
            return read_spec(self.find("model", "models", name), ModelSpec)
        return None

    def models(self) -> dict[str, ModelSpec]:
        return {name: read_spec(self.find("model", "models", name), ModelSpec) for name in self.names("models")}


def suites_for(name: str) -> list[tuple[Library, SuiteSpec]]:
    """The suite of that name or path, or those that it lists, each with the library in which its own names are looked up."""
    path = Library().find("suite", "", name)
    library = Library(path.parent) if path.parent != BUILT_IN else Library()
    suite = read_spec(path, SuiteSpec)
    if not suite.suites:
        return [(library, suite)]
    paths = [library.find("suite", "", part) for part in suite.suites]
    if nested := next((part for part in paths if read_spec(part, SuiteSpec).suites), None):
        raise UserError(f"{path}: suites: {nested.stem} is a list of suites itself; name its parts")
    # Each in its own library: what a built-in suite measures does not hang on who lists it.
    return [pair for part in paths for pair in suites_for(str(part))]
