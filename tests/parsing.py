"""What tests of formats share: a file's content as records, as the format of its name reads it."""

from bench.data import formats


def read(name, content, **how):
    return list(formats.parse_file(name, content.encode() if isinstance(content, str) else content, formats.Form(**how)))
