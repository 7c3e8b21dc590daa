"""YAML from outside as plain values, by the one reader: bounded, since a few hundred bytes can stand for gigabytes."""

import re
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from bench.errors import FormatError

MAX_CHARACTERS = 1_000_000
"""Of a text, with each alias written out: what reads the values reads them as often as they are named."""
MAX_DEPTH = 50
"""Of lists and mappings inside each other, where an alias counts as what it stands for."""
_MERGE = "tag:yaml.org,2002:merge"


def yaml_value(text: str) -> Any:
    """What the text says.

    Raises:
        FormatError: it is no YAML, names a key twice, contains itself, or is longer, deeper or larger than anything that is
            meant. The place is named and the line not quoted, since it may hold a password or a key.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatError("as a whole", f"it has more than {MAX_CHARACTERS:,} characters")
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        raise _yaml_fault(error.problem_mark or error.context_mark, error.problem or "it is no YAML") from error
    except yaml.YAMLError as error:  # of a character that no YAML holds
        raise FormatError("as a whole", " ".join(str(error).split())) from error
    # A ValueError too, of which the last clause would lose the place.
    except FormatError:
        raise
    # PyYAML lets through what a date, a number or a truth value with a tag is refused with by Python.
    except (ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise FormatError("as a whole", f"a value is not of its type ({type(error).__name__})") from error


def _yaml_fault(at: Any, what: str) -> FormatError:
    return FormatError(f"line {at.line + 1}, column {at.column + 1}" if at else "as a whole", what)


class _Loader(yaml.SafeLoader):
    """PyYAML's own, which looks at each node as it is composed, before any value is made of it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._level = 0
        self._measured: dict[Node, tuple[int, int]] = {}
        """Characters that a node stands for, and its levels."""

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        at = self.peek_event().start_mark
        self._level += 1
        if self._level > MAX_DEPTH:
            raise _yaml_fault(at, f"it is nested more than {MAX_DEPTH} deep")
        node = super().compose_node(parent, index)
        self._level -= 1
        # An alias comes as the node itself, which was measured where it stands.
        if node is not None and node not in self._measured:
            if node.end_mark is None:  # an alias of what has not ended yet
                raise _yaml_fault(at, "it contains itself")
            self._measure(node)
        return node

    def _measure(self, node: Node) -> None:
        if isinstance(node, MappingNode):
            self._check_keys(node)
            inside = [self._measured[part] for pair in node.value for part in pair]
        else:
            inside = [] if isinstance(node, ScalarNode) else [self._measured[part] for part in node.value]
        own = len(node.value) if isinstance(node, ScalarNode) else 0
        # Every node counts, so that a million empty lists are large too.
        size, depth = 1 + own + sum(size for size, _ in inside), 1 + max((depth for _, depth in inside), default=0)
        if size > MAX_CHARACTERS:
            raise _yaml_fault(node.start_mark, f"with its aliases it stands for more than {MAX_CHARACTERS:,} characters")
        if depth > MAX_DEPTH:
            raise _yaml_fault(node.start_mark, f"it is nested more than {MAX_DEPTH} deep")
        self._measured[node] = size, depth

    def _check_keys(self, node: MappingNode) -> None:
        """Of two equal keys YAML's readers take the last without a word."""
        known = set()
        for key, _ in node.value:
            if isinstance(key, ScalarNode):
                # Keys are equal by value (`yes` and `true`), and the merge key has none.
                name = _MERGE if key.tag == _MERGE else self.construct_object(key)
                if name in known:
                    raise _yaml_fault(key.start_mark, f"the key '{key.value:.40}' stands there twice; keep one of them")
                known.add(name)


def know_exponents(yaml_side: type[yaml.resolver.BaseResolver]) -> None:
    """PyYAML is of YAML 1.1, to which 5e-2 is a word, since it lacks a dot; in YAML 1.2 and for a person it is a number. Who
    reads takes it for one then, and who writes puts a word of that form into quotes."""
    yaml_side.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
    )


know_exponents(_Loader)
