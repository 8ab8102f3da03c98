"""What a file allows: `# lint: allow PK301` on a line, or in the comment above it.

On the line with `extends` it stands for all that the file takes over.
"""

from __future__ import annotations

import re

from promptkit.text import Position

__all__ = ["allowed_at"]

ALLOW = re.compile(r"#.*?\blint:\s*allow\s+(PK\d+(?:[\s,]+PK\d+)*)")
COMMENT = re.compile(r"\s*(?:#|\{#)")


def allowed_at(position: Position | None) -> frozenset[str]:
    """The codes that the line of a place allows, the lines of comment right above it, and the line that extends its file."""
    if position is None:
        return frozenset()
    codes_above = allowed_at(position.source.extended_at)
    lines = position.source.text.splitlines()[: position.line]
    if not lines:
        return codes_above
    *above, line = lines
    codes = codes_of(line)
    while above and COMMENT.match(above[-1]):
        codes |= codes_of(above.pop())
    return codes_above | codes


def codes_of(line: str) -> set[str]:
    """The codes that a line allows."""
    return {code for match in ALLOW.finditer(line) for code in re.findall(r"PK\d+", match[1])}
