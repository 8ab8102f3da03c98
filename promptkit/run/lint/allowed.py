"""What a file allows: `# lint: allow PK301` on a line, or in the comment above it."""

from __future__ import annotations

import re

from promptkit.text import Position

__all__ = ["allowed_at"]

ALLOW = re.compile(r"#.*?\blint:\s*allow\s+(PK\d+(?:[\s,]+PK\d+)*)")
COMMENT = re.compile(r"\s*(?:#|\{#)")


def allowed_at(position: Position | None) -> frozenset[str]:
    """The codes that the line of a place allows, and the lines of comment right above it."""
    if position is None:
        return frozenset()
    lines = position.source.text.splitlines()[: position.line]
    if not lines:
        return frozenset()
    *above, line = lines
    codes = codes_of(line)
    while above and COMMENT.match(above[-1]):
        codes |= codes_of(above.pop())
    return frozenset(codes)


def codes_of(line: str) -> set[str]:
    """The codes that a line allows."""
    return {code for match in ALLOW.finditer(line) for code in re.findall(r"PK\d+", match[1])}
