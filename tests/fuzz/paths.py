"""Whether the field that an error names is one of the request's: "products[3].price.amount"."""

from __future__ import annotations

import re

from google.protobuf.descriptor import Descriptor

from tests.fuzz.messages import is_map

_STEP = re.compile(r'\.?([A-Za-z_]\w*)((?:\[(?:"(?:[^"\\]|\\.)*"|[^\[\]]*)\])*)', re.DOTALL)

_CLOSED = re.compile(r'"\]')
_CUT = 500
"""Bytes at which long paths are cut (shared/errors.py), with some slack."""


def names_a_field(path: str, descriptor: Descriptor) -> bool:
    """Whether `path` leads to a field of messages of that kind.

    Steps are joined by dots; an index or a key stands in brackets, or a key after a dot.
    """
    current: Descriptor | None = descriptor
    at = 0
    while at < len(path):
        if current is None:
            return False
        if len(path.encode()) >= _CUT and '["' in path[at:] and not _CLOSED.search(path, at):
            return True  # cut to size within a key
        step = _STEP.match(path, at)
        field = current.fields_by_name.get(step[1]) if step else None
        if step is None or field is None:
            return False
        at = step.end()
        current = field.message_type
        if is_map(field):
            value = field.message_type.fields_by_name["value"].message_type
            if not step[2] and path[at : at + 1] == ".":
                # "titles.en": any key at all, and what follows it if values are messages.
                return True
            current = value
    return bool(path)
