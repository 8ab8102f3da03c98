"""The compiled loops against plain torch, number by number."""

import math
import runpy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow  # imports torch, and compiles


@pytest.fixture(autouse=True)
def no_tiles(monkeypatch):
    """These loops serve processors without matrix units; what is kept for those lies otherwise."""
    monkeypatch.setattr("promptkit.generate.engine.stretch.takes_tiles", lambda *_: False)


CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "float32 of size 80, groups of 3": {"size": 80, "group": 3},
    "size 64, groups of 4": {"size": 64, "group": 4},
    "values of another size than keys": {"size": 16, "value_size": 12},
    "one token a row": {"most_new": 1},
    "one token a row, nothing in the slots": {"most_new": 1, "most_kept": 0},
    "longer than a block of lanes": {"most_new": 40, "most_kept": 70},
    "ranges with gaps": {"has_gaps": True, "group": 3},
    "window": {"window": 5, "group": 4},
    "window of one token": {"window": 1},
    "window wider than all": {"window": 500},
    "window, ranges with gaps": {"window": 7, "has_gaps": True},
    "softcap": {"softcap": 0.7, "size": 64},
    "sinks": {"has_sinks": True, "group": 4},
    "nothing before": {"has_before": False},
    "nothing before, sinks": {"has_before": False, "has_sinks": True},
    "everything": {"window": 6, "softcap": 1.5, "has_sinks": True, "has_gaps": True, "group": 3, "size": 80},
}


@dataclass(kw_only=True)
class Case:
    """What one call is given, and the parts of a pass that lead to it."""

    own: Any
    settings: Any
    query: Any
    keys: Any
    values: Any
    before: Any
    history: list[Any]  # of each row: keys (K, n, D) and values (K, n, E) that its slot holds
    rows: list[Any]  # of each row: its part


def make(
    dtype,
    *,
    seed=0,
    size=16,
    value_size=None,
    group=1,
    most_new=4,
    most_kept=40,
    has_gaps=False,
    window=None,
    softcap=None,
    has_sinks=False,
    has_before=True,
):
    """Random rows in random slots, each with some tokens kept and some new ones."""
    import torch

    from promptkit.generate.engine.attention import Heads, Settings, batched_slots
    from promptkit.generate.engine.layout import Own
    from promptkit.generate.engine.stretch import HeadShape, Slots

    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    num_heads, value_size = 2, value_size or size
    kept = [int(draw.integers(0, most_kept + 1)) for _ in range(4)]
    new = [int(draw.integers(1, most_new + 1)) for _ in range(4)]
    slots = Slots(6, most_kept + most_new)
    numbers = [int(number) for number in draw.permutation(6)[:4]]
    starts = [int(draw.integers(0, 9)) for _ in range(4)]
    shape = HeadShape(num_heads=num_heads, key_size=size, value_size=value_size)

    def random(*shape):
        return torch.randn(*shape).to(dtype)

    for each in slots.layer(0, shape, random(1)):
        each.zero_()  # what is unused there may be anything, for the compiled loops; padded products want it finite
    history = [(random(num_heads, num, size), random(num_heads, num, value_size)) for num in kept]
    settings = Settings(layer=0, scale=0.3, window=None, softcap=None, sinks=None)
    filled = [row for row in range(4) if kept[row]]
    if filled:
        parts = [part(numbers[row], starts[row], 0, kept[row]) for row in filled]
        keys, values = (torch.cat([history[row][which] for row in filled], dim=1) for which in (0, 1))
        query = random(keys.shape[1], num_heads, 1, size)
        batched_slots(Own(slots, parts, 0), settings, Heads(query, keys, values), None)
    rows = [part(numbers[row], starts[row], kept[row], new[row], draw=draw if has_gaps else None) for row in range(4)]
    total = sum(new)
    before = (random(total, num_heads, group, value_size), torch.randn(total, num_heads, group)) if has_before else None
    sinks = torch.randn(num_heads, group) if has_sinks else None
    return Case(
        own=Own(slots, rows, 0),
        settings=Settings(layer=0, scale=0.3, window=window, softcap=softcap, sinks=sinks),
        query=random(total, num_heads, group, size),
        keys=random(num_heads, total, size),
        values=random(num_heads, total, value_size),
        before=before,
        history=history,
        rows=rows,
    )


def part(slot, start, num_kept, num_new, *, draw=None):
    """New tokens of a slot after those that it holds; with `draw`, they see some of those alone."""
    from promptkit.generate.engine.layout import Part

    spans = [(0, num_kept)]
    if draw is not None and num_kept > 3:
        cuts = sorted(int(cut) for cut in draw.choice(num_kept + 1, size=4, replace=False))
        spans = [(cuts[0], cuts[1]), (cuts[2], cuts[3])]
    ranges = []
    for each in range(num_new):
        seen: list[tuple[int, int, int]] = []
        position = start
        for begin, end in [*spans, (num_kept, num_kept + each + 1)]:
            if seen and seen[-1][1] == begin:
                seen[-1] = (seen[-1][0], end, seen[-1][2])
            elif end > begin:
                seen.append((begin, end, position))
            position += end - begin
        ranges.append(tuple(seen))
    first = position - num_new
    return Part(
        slot=slot,
        below=None,
        token_ids=[5] * num_new,
        positions=list(range(first, position)),
        places=range(num_kept, num_kept + num_new),
        ranges=ranges,
    )


def expected(case):
    """The attention (T, K, G, E) by the textbook, in float64, one token at a time."""
    import torch

    settings, lines, first = case.settings, [], 0
    for (kept_keys, kept_values), each in zip(case.history, case.rows, strict=True):
        last = first + len(each.token_ids)
        keys = torch.cat([kept_keys, case.keys[:, first:last]], dim=1).double()
        values = torch.cat([kept_values, case.values[:, first:last]], dim=1).double()
        for token, position, ranges in zip(range(first, last), each.positions, each.ranges, strict=True):
            seen = [
                place
                for begin, end, begins_at in ranges
                for place in range(begin, end)
                if settings.window is None or begins_at + place - begin > position - settings.window
            ]
            scores = torch.einsum("kgd,knd->kgn", case.query[token].double(), keys[:, seen]) * settings.scale
            if settings.softcap is not None:
                scores = settings.softcap * torch.tanh(scores / settings.softcap)
            found = values[:, None, seen].expand(-1, scores.shape[1], -1, -1)  # (K, G, n, E)
            if case.before is not None:
                scores = torch.cat([case.before[1][token].double()[..., None], scores], dim=-1)
                found = torch.cat([case.before[0][token].double()[:, :, None], found], dim=2)
            if settings.sinks is not None:
                scores = torch.cat([settings.sinks.double()[..., None], scores], dim=-1)
                found = torch.cat([torch.zeros_like(found[:, :, :1]), found], dim=2)
            lines.append(torch.einsum("kgn,kgne->kge", scores.softmax(dim=-1), found))
        first = last
    return torch.stack(lines)


def attended(case, function):
    from promptkit.generate.engine.attention import Heads

    return function(case.own, case.settings, Heads(case.query, case.keys, case.values), case.before)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_attention_over_slots_is_the_textbooks(name, dtype):
    """Compiled loops and padded products alike; bfloat16 is rounded once, at the end, by the loops."""
    import torch

    from promptkit.generate.engine.attention import batched_slots, compiled_slots

    for seed in range(4):
        case = make(getattr(torch, dtype), seed=seed, **CASES[name])
        wanted = expected(case)
        exact: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 2**-7, "atol": 2**-9}
        torch.testing.assert_close(attended(case, compiled_slots).double(), wanted, **exact)
        rounded: dict[str, Any] = exact if dtype == "float32" else {"rtol": 2**-5, "atol": 2**-5}
        torch.testing.assert_close(attended(case, batched_slots).double(), wanted, **rounded)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_both_ways_keep_the_same_keys_and_values(dtype):
    """What a step keeps is what the next one reads."""
    import torch

    from promptkit.generate.engine.attention import batched_slots, compiled_slots
    from promptkit.generate.engine.stretch import HeadShape

    kept = []
    for function in (compiled_slots, batched_slots):
        case = make(getattr(torch, dtype), seed=3, most_new=20)
        attended(case, function)
        kept.append(case.own.storage.layer(0, HeadShape.of(case.keys, case.values), case.keys))
    assert torch.equal(kept[0][0], kept[1][0])
    assert torch.equal(kept[0][1], kept[1][1])


def test_what_a_free_place_holds_is_never_seen():
    """Slots are not cleared between rows: what is left in them may be anything, NaN included."""
    import torch

    from promptkit.generate.engine.attention import compiled_slots
    from promptkit.generate.engine.stretch import HeadShape

    case = make(torch.float32, seed=1, most_new=5)
    wanted = expected(case)
    keys, values = case.own.storage.layer(0, HeadShape.of(case.keys, case.values), case.keys)
    for each, (row_keys, _) in zip(case.rows, case.history, strict=True):
        for place in range(row_keys.shape[1], values.shape[2]):
            keys[each.slot, :, place // 16, :, place % 16] = math.nan
            values[each.slot, :, place] = math.nan
    torch.testing.assert_close(attended(case, compiled_slots).double(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("size", [1, 5, 16, 300, 511, 512, 513, 1024, 1500])
def test_the_likeliest_token_is_torchs_and_the_first_of_equals(size, dtype):
    """Rounded logits tie often; the reference takes the first, and so must the engine."""
    import torch

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.kernels import compiled_argmax

    torch.manual_seed(size)
    logits = torch.cat([torch.randn(20, size), torch.randint(-3, 3, (20, size)).float(), torch.zeros(2, size)])
    logits[5, 1:] = -math.inf
    logits[25] -= 1e4
    logits = logits.to(getattr(torch, dtype))
    best, margins = np.empty(len(logits), np.int64), np.empty(len(logits), np.float32)
    compiled_argmax("uint16" if dtype == "bfloat16" else "float32")(array(logits), best, margins)
    firsts = [next(place for place, value in enumerate(row) if value == max(row)) for row in logits.tolist()]
    assert best.tolist() == firsts
    if size > 1:
        top = logits.float().topk(2).values.double()
        far = (top[:, 0] - top[:, 1]).clamp(max=1e30)
        torch.testing.assert_close(torch.from_numpy(margins).double().clamp(max=1e30), far, rtol=1e-6, atol=0)


def tolerance(dtype):
    return {"rtol": 1e-5, "atol": 1e-5} if dtype == "float32" else {"rtol": 2**-6, "atol": 2**-7}


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("num_tokens", [1, 7])
def test_add_and_norm_is_the_sum_and_the_models_own_norm(dtype, num_tokens):
    """The residual stream is kept as the model keeps it, rounded after each sum."""
    import torch
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.kernels import compiled_block

    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    norm = LlamaRMSNorm(100, eps=1e-5).to(kind)
    norm.weight.data = torch.randn(100).to(kind)
    add_and_norm, _, _ = compiled_block("uint16" if dtype == "bfloat16" else "float32")
    for has_added in (False, True):
        hidden, added = (3 * torch.randn(num_tokens, 100).to(kind) for _ in range(2))
        total = hidden + added if has_added else hidden.clone()
        normed = torch.empty_like(hidden)
        add_and_norm(array(hidden), array(added), array(norm.weight.data), 1e-5, has_added, array(normed))
        assert torch.equal(hidden, total)
        torch.testing.assert_close(normed, norm(total).detach(), **tolerance(dtype))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_rotate_is_the_models_own(dtype):
    """Queries and keys stand before the values in one array; the values must stay as they are."""
    import torch
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.kernels import compiled_block

    torch.manual_seed(0)
    kind = getattr(torch, dtype)
    heads = torch.randn(9, 8, 20).to(kind)  # four of queries, two of keys, two of values
    angles = torch.rand(9, 10) * 6
    cos, sin = (torch.cat([each(angles)] * 2, dim=-1).to(kind) for each in (torch.cos, torch.sin))
    query, keys = (heads[None, :, part].transpose(1, 2) for part in (slice(4), slice(4, 6)))
    wanted = [each[0].transpose(0, 1) for each in apply_rotary_pos_emb(query, keys, cos[None], sin[None])]
    turned = heads.clone()
    compiled_block("uint16" if dtype == "bfloat16" else "float32")[1](array(turned), array(cos), array(sin), 6)
    torch.testing.assert_close(turned[:, :6], torch.cat(wanted, dim=1), **tolerance(dtype))
    assert torch.equal(turned[:, 6:], heads[:, 6:])


def test_rotate_leaves_what_lies_beyond_the_angles():
    """Some models turn a part of each head alone."""
    import torch

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.kernels import compiled_block

    torch.manual_seed(0)
    heads, angles = torch.randn(3, 2, 16), torch.rand(3, 4)
    cos, sin = (torch.cat([each(angles)] * 2, dim=-1) for each in (torch.cos, torch.sin))
    one, other = heads[..., :4], heads[..., 4:8]
    wanted = torch.cat(
        [
            one * cos[:, None, :4] - other * sin[:, None, :4],
            other * cos[:, None, 4:] + one * sin[:, None, 4:],
            heads[..., 8:],
        ],
        dim=-1,
    )
    turned = heads.clone()
    compiled_block("float32")[1](array(turned), array(cos), array(sin), 2)
    torch.testing.assert_close(turned, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gate_is_silu_of_one_half_times_the_other(dtype):
    """Far values too: an exponential that overflows would make NaN of them."""
    import torch

    from promptkit.generate.engine.attention import array
    from promptkit.generate.engine.kernels import compiled_block

    torch.manual_seed(0)
    both = (torch.randn(5, 74) * torch.tensor([[0.1], [1.0], [10.0], [60.0], [300.0]])).to(getattr(torch, dtype))
    out = both.new_empty(5, 37)
    compiled_block("uint16" if dtype == "bfloat16" else "float32")[2](array(both), array(out))
    wanted = torch.nn.functional.silu(both[:, :37].double()) * both[:, 37:].double()
    bound: dict[str, Any] = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 2**-7, "atol": 1e-6}
    torch.testing.assert_close(out.double(), wanted, **bound)


LOOP = """
def double(numbers):
    for place in range(numbers.shape[0]):
        numbers[place] *= 2
"""


def test_that_loops_are_compiled_is_said_and_that_they_are_read_is_not(tmp_path, caplog):
    """The first run on a machine waits some 20 seconds for it; which of the two it is nobody sees from outside."""
    from numba import types

    from promptkit.generate.engine.kernels import compiled, say_compiling

    (tmp_path / "loop.py").write_text(LOOP, encoding="utf-8")
    caplog.set_level("INFO", "promptkit")
    said = []
    for _ in range(2):
        say_compiling.cache_clear()
        double = runpy.run_path(str(tmp_path / "loop.py"))["double"]
        loop = compiled(types.void(types.float32[::1]), is_parallel=False)(double)
        numbers = np.ones(3, np.float32)
        loop(numbers)
        assert numbers.tolist() == [2, 2, 2]
        said.append(list(caplog.messages))
        caplog.clear()
    assert said == [["compiling loops for this processor: some 20 seconds, once for each version of promptkit"], []]
