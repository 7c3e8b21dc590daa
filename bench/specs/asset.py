"""suites/assets.yaml."""

from pydantic import Field

from bench.specs.base import Name, Spec


class Asset(Spec):
    """One pinned wheel or sdist: suites/assets.yaml."""

    package: str
    version: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    sdist: bool = False
    """The source distribution (.tar.gz) in place of the wheel."""
    license: str


class Assets(Spec):
    assets: dict[Name, Asset]
