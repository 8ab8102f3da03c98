"""`code_block`: code between fences."""

import pytest

from promptkit.align import CodeBlock, Found, Missing
from promptkit.text import Span


@pytest.mark.parametrize(
    ("fields", "text", "value"),
    [
        ({}, "So:\n```python\nx = 1\n\ny\n```\nDone.", "x = 1\n\ny"),
        ({}, "```\na\n```\n```\nb\n```", "b"),
        ({"take": "first"}, "```\na\n```\n```\nb\n```", "a"),
        ({"take": "all"}, "```\na\n```\n```\nb\n```", ["a", "b"]),
        ({"take": "only"}, "```\na\n```\n```\nb\n```", "there are 2 that differ: 'a', 'b'"),
        ({"language": "python"}, "```Python\na\n```\n```json\n{}\n```", "a"),
        ({"language": ["py", "python"]}, "```{.python}\na\n```", "a"),
        (
            {"language": "python"},
            "```js\na\n```\n```\nb\n```",
            "no code block in python; there are some in js, no language",
        ),
        ({}, "~~~~\n```\n~~~\n~~~~", "```\n~~~"),
        ({}, "```json\r\n{}\r\n```\r\n", "{}"),
        ({}, "- a\n  ```\n  x\n    y\n  ```", "x\n  y"),
        ({}, "> ```\n> a\n> ```", "a"),
        ({}, "```\na\n```\n```\nb", "a"),
        ({"open": True}, "```\na\n```\n```\nb", "b"),
        ({}, "```\nb", "the code block is not closed"),
        ({}, "```\n \n```", "no code block"),
        ({}, "no code, `x` alone", "no code block"),
    ],
)
def test_the_block_that_is_asked_for(fields, text, value):
    """The code alone, without its fences; a cut block is half a program."""
    result = CodeBlock(**fields)(Found(value=text, span=Span(start=0, end=len(text)), is_verbatim=True))
    assert (result.reason if isinstance(result, Missing) else result.value) == value
