"""What a token reads is cut into pieces: together they are all that it may see, each key once."""

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow  # imports torch


def drawn_pass(draw: random.Random):
    """A pass over parts of stretches, rows in the middle of their prompts, guesses, and options that branch."""
    import torch

    from promptkit.generate.engine.branches import Branches
    from promptkit.generate.engine.layout import Part, Pass
    from promptkit.generate.engine.stretch import Slots, Stretch
    from promptkit.generate.engine.tree import Node
    from promptkit.generate.request import Request

    forward = Pass(device=torch.device("cpu"), card=object())  # type: ignore[arg-type] # only that it is there counts
    stretches: list[Stretch] = []
    for _ in range(draw.randint(1, 4)):
        parent = draw.choice([None, *stretches])
        start = parent.end if parent else 0
        ids = tuple(draw.randrange(9) for _ in range(draw.randint(1, 12)))
        stretches.append(
            Stretch(Node(parent=parent.node if parent else None, start=start, token_ids=ids, num_rows=2), parent)
        )
    for stretch in stretches[-2:]:
        stretch.num_done = draw.randrange(len(stretch))
        forward.add_stretch(stretch, draw.randint(1, len(stretch) - stretch.num_done))
    slots = Slots(9, 40, lanes=1)
    parts = []
    for slot in range(draw.randint(0, 6)):
        below = draw.choice([None, *stretches])
        start, first, num = below.end if below else 0, draw.randrange(12), draw.randint(1, 6)
        if draw.random() < 0.5:
            tails = [tuple(draw.randrange(3) for _ in range(draw.randint(1, 5))) for _ in range(4)]
            joint = tuple((*range(start), 7, *tail) for tail in tails)
            asked = Request(label="x", prompt="", token_ids=joint[0], options=tuple("abcd"), option_token_ids=joint)
            parts.append(Branches.of(asked, start).part(slot, below))
            continue
        places = range(first, first + num)
        parts.append(
            Part(
                slot=slot,
                below=below,
                token_ids=[1] * num,
                positions=[start + each for each in places],
                places=places,
                ranges=[((0, place + 1, start),) for place in places],
            )
        )
    forward.add_fresh(slots, [part for part in parts if len(part.token_ids)])
    return forward


def meant(forward):
    """The keys (holder, slot, place) of each token, by what the pass says."""
    seen: list[list[Any]] = [[] for _ in range(len(forward))]
    for over in forward.over:
        for token in range(over.first, over.last):
            seen[token] += [(over.stretch, 0, place) for place in range(over.length)]
    for grow in forward.grow:
        for token in range(grow.first, grow.last):
            seen[token] += [
                (grow.stretch, 0, place) for place in range(grow.begin, grow.begin + token - grow.first + 1)
            ]
    for storage, part, first in forward.parts:
        for token, ranges in enumerate(part.ranges, first):
            seen[token] += [(storage, part.slot, place) for begin, end, _ in ranges for place in range(begin, end)]
    return seen


def read(forward, readings):
    """The same by the pieces, their lines, and the order of positions."""
    found: list[list[Any]] = [[] for _ in range(len(forward))]
    lines = [set(readings.lines[a:b]) for a, b in zip(readings.line_starts, readings.line_starts[1:], strict=False)]
    assert sorted(readings.lines) == list(range(len(readings.lines)))
    for holder, slot, place, num, position, first, num_tokens, line in readings.pieces.tolist():
        for token in range(first, first + num_tokens):
            assert line + token - first in lines[token]
            found[token] += [
                (readings.holders[holder], slot, place + each)
                for each in range(num)
                if position + each <= forward.positions[token]
            ]
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), num_tokens=st.integers(1, 5), num_keys=st.integers(1, 9))
def test_each_token_reads_each_key_that_it_sees_once(seed, num_tokens, num_keys):
    """However the pass is made, and however small the pieces."""
    from promptkit.generate.engine.card.readings import Cut, Readings

    forward = drawn_pass(random.Random(seed))
    readings = Readings.of(forward, Cut(num_tokens=num_tokens, num_keys=num_keys))
    key = lambda each: (id(each[0]), *each[1:])  # noqa: E731
    for one, other in zip(read(forward, readings), meant(forward), strict=True):
        assert sorted(one, key=key) == sorted(other, key=key)
    assert readings.pieces[:, 3].max() <= num_keys
    assert readings.pieces[:, 6].max() <= num_tokens
    assert (readings.pieces[:, 3] > 0).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_tokens_home_is_where_the_pass_keeps_it(seed):
    """A stretch's next place, or a place of the row's slot."""
    from promptkit.generate.engine.card.readings import Cut, Readings

    forward = drawn_pass(random.Random(seed))
    readings = Readings.of(forward, Cut(num_tokens=3, num_keys=5))
    meant: dict[int, Any] = {}
    for grow in forward.grow:
        meant |= {token: (grow.stretch, 0, grow.begin + token - grow.first) for token in range(grow.first, grow.last)}
    for storage, part, first in forward.parts:
        meant |= {token: (storage, part.slot, place) for token, place in enumerate(part.places, first)}
    found = {
        token: (readings.holders[holder], slot, place) for token, (holder, slot, place) in enumerate(readings.homes)
    }
    assert found == meant
