"""Words with the names of fields in braces, as the YAML of tasks and probes holds them."""

from string import Formatter


def fields_in(template: str, changes: bool = False) -> set[str]:
    """The fields that a template names.

    Args:
        changes: whether a colon may say how a field is changed on its way into the text, as in a probe's `{choice:unstopped}`.

    Raises:
        ValueError: its braces don't match, or hold more than the name of a field.
    """
    named = set()
    for _, name, change, conversion in Formatter().parse(template):
        if name is None:  # the words after the last field
            continue
        # All else of Python's formats would be told in the middle of a run, and a width of 10^9 would fill the memory.
        written = f"{{{name}{f'!{conversion}' if conversion else ''}{f':{change}' if change else ''}}}"
        if conversion or (change and not changes):
            raise ValueError(f"a template holds {written}; braces hold the name of a field and nothing else: {{{name}}}")
        # Python takes digits for the place of an argument, and dots and brackets for a way into the value.
        if not name or name.isdigit() or {".", "["} & set(name):
            raise ValueError(f"a template holds {written}, which names no field; {{{{ and }}}} are braces as such")
        named.add(name)
    return named
