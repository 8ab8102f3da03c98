"""Writes docs/reference.md and docs/pipeline.schema.json from the declarations, and docs/lint.md from the rules.

python docs/make_reference.py
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from promptkit.data import DataSection, DataSource
from promptkit.generate import Choose, Generate, Think
from promptkit.prompt import Chat, Fit, Labels, Leaks
from promptkit.prompt.demonstrations import Turns
from promptkit.run.declaration import PipelineDeclaration
from promptkit.run.examples import CheckedExample
from promptkit.run.lint.rule import Rule
from promptkit.run.lint.rules import RULES
from promptkit.run.schema import SEAMS, json_schema
from promptkit.run.stages.stage import Group, Repeat, Stage
from promptkit.run.sweeps.matrix import Matrix, Race
from promptkit.spec import Declaration, Template

HERE = Path(__file__).parent
SECTIONS: list[tuple[str, type[Declaration]]] = [
    ("The file", PipelineDeclaration),
    ("`data`", DataSection),
    ("A split of `data`", DataSource),
    ("`generate`", Generate),
    ("`thinking` of `generate`", Think),
    ("`choose`", Choose),
    ("A stage of `stages`", Stage),
    ("A group of `stages` that is repeated", Group),
    ("`repeat`", Repeat),
    ("`chat`", Chat),
    ("An item of `examples`", CheckedExample),
    ("`turns` of `demonstrations`", Turns),
    ("`leaks` of `demonstrations`", Leaks),
    ("`labels` of `demonstrations`", Labels),
    ("`fit` of `demonstrations`", Fit),
    ("`matrix`", Matrix),
    ("`race` of `matrix`", Race),
]
SEAM_TITLES = {
    "prompt": "Steps of `prompt`",
    "select": "Selectors (`select` of `demonstrations`)",
    "order": "Orders (`order` of `demonstrations`)",
    "generate": "Kinds of `model`",
    "align": "Steps of `align`",
    "score": "Metrics of `score`",
}
HEAD = """# Reference

Every key of the language, from the declarations that read it; `make docs` writes this page. The same as JSON Schema,
for editors: [pipeline.schema.json](pipeline.schema.json), or `promptkit schema`. How it fits together:
[language.md](language.md).
"""
LINT_HEAD = """# The linter

`promptkit check` lints each file: rules that know in-context learning look for what costs score without being a mistake.
`make docs` writes this page from the rules.

```
promptkit check my.yaml                 # findings, after the examples; they fail nothing
promptkit check my.yaml --strict        # exit code 1 where there is any
promptkit check my.yaml --data DIR      # data of the hub, read from files as `run --data` does
promptkit check my.yaml --verbose       # notes too, what is allowed, and which rules could not know, and why
promptkit check my.yaml --json          # `findings`, `notes`, `allowed`, `skipped`, each with place, message, hint, why
```

A finding is kept as it is by a comment on its line, or right above it, with the reason beside it; or for once, everywhere,
by `--allow`:

```yaml
  - query: "Q: {{ question }}\\nA: "     # this tokenizer has no tokens with a space.  lint: allow PK201
```

Within a text of several lines, the line where it begins allows; within a template's file, `{# lint: allow PK101 -#}` there, or
the line that names the file. The line with `extends` may allow what stands in the file that it names.

Rules that need data read the first 200 rows of a split that is here (of a pool, as many as the choice needs); nothing is
downloaded. Rules that need tokens take the model's tokenizer where an earlier `plan` or `run` has kept it; no model is
loaded. A *gold completion* is what follows a row's question where the row stands as a demonstration.
"""
NEEDS = {"data": "the data", "tokenizer": "the tokenizer"}


def reference() -> str:
    """The page."""
    parts = [HEAD]
    parts += [f"## {title}\n\n{first_line(kind)}\n\n{table(kind)}" for title, kind in SECTIONS]
    for seam in SEAMS:
        parts.append(f"## {SEAM_TITLES[seam.name]}")
        for name, kind in sorted(seam.kinds().items()):
            short = f" Short form: `{name}: {kind.main}`." if kind.main else ""
            parts.append(f"### `{name}`\n\n{first_line(kind)}{short}\n\n{table(kind)}".rstrip())
    return "\n\n".join(part.strip() for part in parts) + "\n"


def first_line(kind: type[Declaration]) -> str:
    """The first paragraph of a declaration's docstring, on one line."""
    return " ".join((kind.__doc__ or "").strip().split("\n\n")[0].split())


def table(kind: type[Declaration]) -> str:
    """The fields of a declaration as a Markdown table; empty where it has none."""
    rows = list(table_rows(kind))
    return "\n".join(["| key | default | |", "|---|---|---|", *rows]) if rows else ""


def table_rows(kind: type[Declaration]) -> Iterator[str]:
    """A row for each field."""
    for name, field in kind.model_fields.items():
        about = (field.description or "").replace("|", "\\|")
        yield f"| `{field.alias or name}` | {default_of(field)} | {about}{choices_of(field)} |"


def default_of(field: FieldInfo) -> str:
    """A field's default as YAML would write it; "needed" where there is none."""
    if field.is_required():
        return "needed"
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), {}) or str(value).startswith("\0"):
        return ""
    if isinstance(value, Declaration) and value.main and isinstance(getattr(value, value.main), bool):
        return f"`{json.dumps(getattr(value, value.main))}`"
    if isinstance(value, Declaration):
        return (
            f"`{getattr(value, 'name', None) or getattr(value, 'kind', None) or getattr(value, value.main or '', '')}`"
        )
    if isinstance(value, Template):
        value = value.text
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def choices_of(field: FieldInfo) -> str:
    """The words that a field may hold, where they are few and fixed."""
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    return f" ({', '.join(f'`{word}`' for word in words)})" if words else ""


def lint_page() -> str:
    """The page of the linter's rules."""
    rules = "\n\n".join(rule_text(code, rule) for code, rule in RULES.items())
    return f"{LINT_HEAD}\n{rules}\n"


def rule_text(code: str, rule: Rule) -> str:
    """One rule: what it finds, why that costs score, how to mend it."""
    needs = f" Needs {' and '.join(NEEDS[each] for each in rule.needs)}." if rule.needs else ""
    note = " A note: told only with `--verbose`, and never strict." if rule.is_note else ""
    why = rule.why[:1].upper() + rule.why[1:]
    return f"### {code}: {rule.title}\n\n{why}. {rule.mend}{needs}{note}"


def main() -> None:
    """Writes the three files."""
    (HERE / "lint.md").write_text(lint_page(), encoding="utf-8")
    (HERE / "reference.md").write_text(reference(), encoding="utf-8")
    schema = json.dumps(json_schema(), indent=2, ensure_ascii=False)
    (HERE / "pipeline.schema.json").write_text(schema + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
