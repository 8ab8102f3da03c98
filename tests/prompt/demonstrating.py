"""Rows, steps and galleries, for tests."""

from types import MappingProxyType

from promptkit.data import Example
from promptkit.prompt import Demonstrations, Pool


def row(name, origin=None, **fields):
    """One row."""
    return Example(id=name, fields=MappingProxyType(fields), origin=origin or f"rows:{name}")


def questions(*texts, prefix="row"):
    """A row for each text."""
    return [row(f"{prefix}-{number}", q=text) for number, text in enumerate(texts)]


def step(**settings):
    """A step that shows `q` and `label`, where nothing else is said."""
    return Demonstrations.model_validate({"from": "train", "template": "{{ q }} {{ label }}\n", **settings})


def gallery(rows, text="q", target="label", **settings):
    """The gallery of such a step over rows that are compared by a field."""
    pool = Pool(rows=rows, text_of=lambda each: str(each.fields[text]), target_of=lambda each: each.fields.get(target))
    return step(**settings).gallery(pool)


def ids(choice):
    """The ids of what is shown."""
    return [each.id for each in choice.rows]


def left_out(choice):
    """The ids of what is left out, with the reason."""
    return {each.id: each.why for each in choice.left_out}
