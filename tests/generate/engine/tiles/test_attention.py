"""Attention in tiles against the textbook's, in float64, over passes that are built as the engine builds them."""

import random
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("matrix_units")]  # imports torch, and compiles

# each share is rounded to bfloat16, and the result: by 2^-8 at the most, of the sum of what was weighed
BOUND = 1.02 * 2**-7
CHECKED = 40  # tokens of a pass that are computed by the textbook: the first, the last, some between
LOUD = 1000.0  # what a slot held before: weighed where it must not be, it would be heard


@dataclass(kw_only=True)
class Kept:
    """Keys (K, n, D), values (K, n, E) and positions (n,) of one stretch or slot, float64."""

    keys: Any
    values: Any
    positions: Any


class Book:
    """Passes and what they are given, and beside them all keys and values, from which the textbook computes."""

    def __init__(
        self,
        *,
        num_heads=2,
        group=1,
        size=32,
        value_size=None,
        scale=None,
        window=None,
        softcap=None,
        has_sinks=False,
        seed=0,
    ):
        import torch

        from promptkit.generate.engine.attention import Settings

        torch.manual_seed(seed)
        self.shape = (num_heads, group, size, value_size or size)
        self.settings = Settings(
            layer=0,
            scale=size**-0.5 if scale is None else scale,
            window=window,
            softcap=softcap,
            sinks=torch.randn(num_heads, group) * 2 if has_sinks else None,
        )
        self.draw = random.Random(seed)
        self.kept: dict[Any, Kept] = {}
        self.lent: dict[Any, Any] = {}
        self.loudness = 1.0

    def new_pass(self):
        import torch

        from promptkit.generate.engine.layout import Pass

        return Pass(device=torch.device("cpu"), lent=self.lent)

    def heads(self, num):
        """Random queries, keys and values of so many tokens."""
        import torch

        from promptkit.generate.engine.attention import Heads

        num_heads, group, size, value_size = self.shape
        return Heads(
            torch.randn(num, num_heads, group, size).bfloat16(),
            torch.randn(num_heads, num, size).bfloat16(),
            (torch.randn(num_heads, num, value_size) * self.loudness).bfloat16(),
        )

    def stretch(self, length, parent=None, *, chunk=1024):
        """A stretch below another one, computed a piece at a time."""
        made = self.new_stretch(length, parent)
        while made.num_done < length:
            self.grow([made], chunk)
        return made

    def new_stretch(self, length, parent=None):
        from promptkit.generate.engine.stretch import Stretch
        from promptkit.generate.engine.tree import Node

        start = parent.end if parent else 0
        node = Node(parent=parent.node if parent else None, start=start, token_ids=(5,) * length, num_rows=1)
        return Stretch(node, parent)

    def grow(self, stretches, chunk):
        """One pass over the next tokens of stretches, checked."""
        forward = self.new_pass()
        for each in stretches:
            forward.add_stretch(each, min(chunk, len(each) - each.num_done))
        self.attend(forward)
        for grow in forward.grow:
            grow.stretch.num_done += grow.last - grow.first

    def enter(self, slots, parts, going_on=()):
        """One pass of rows that enter empty slots, and of some that go on, checked; what it gave."""
        forward = self.new_pass()
        forward.add_fresh(slots, parts)
        forward.add_parts(slots, going_on)
        return self.attend(forward, [*parts, *going_on])

    def step(self, slots, parts):
        """One pass of rows that go on, checked; what it gave."""
        return self.enter(slots, [], parts)

    def attend(self, forward, parts=(), heads=None, layers=None):
        """What the package gives for a pass, found equal to the textbook's."""
        from promptkit.generate.engine.attention import attend_packed

        heads = heads or self.heads(len(forward))
        views = self.write(forward, parts, heads)
        out = attend_packed(forward, self.settings, heads)
        self.check(forward, heads, views, out)
        return out

    def write(self, forward, parts, heads):
        """Writes down the pass's keys and values; for each token the places (owner, from, to) that it sees."""
        views: list[list[tuple[Any, int, int]]] = []
        for grow in forward.grow:
            above = [(each, 0, len(each)) for each in grow.stretch.chain()[:-1]]
            places = range(grow.begin, grow.begin + grow.last - grow.first)
            self.keep(
                grow.stretch, places, forward.positions[grow.first : grow.last], heads.part(grow.first, grow.last)
            )
            views += [[*above, (grow.stretch, 0, place + 1)] for place in places]
        for part in parts:
            first, last = len(views), len(views) + len(part.token_ids)
            self.keep(part.slot, part.places, part.positions, heads.part(first, last))
            above = [(each, 0, len(each)) for each in (part.below.chain() if part.below else ())]
            views += [[*above, *((part.slot, begin, end) for begin, end, _ in ranges)] for ranges in part.ranges]
        assert len(views) == len(forward)
        return views

    def keep(self, owner, places, positions, heads):
        import torch

        room = 4096
        if owner not in self.kept:
            num_heads, _, size, value_size = self.shape
            self.kept[owner] = Kept(
                keys=torch.zeros(num_heads, room, size, dtype=torch.float64),
                values=torch.zeros(num_heads, room, value_size, dtype=torch.float64),
                positions=torch.zeros(room, dtype=torch.int64),
            )
        kept = self.kept[owner]
        kept.keys[:, list(places)] = heads.keys.double()
        kept.values[:, list(places)] = heads.values.double()
        kept.positions[list(places)] = torch.tensor(list(positions))

    def check(self, forward, heads, views, out):
        """Fails where the attention of any of the pass's tokens, or of many, is not the textbook's."""
        num = len(forward)
        chosen = range(num) if num <= CHECKED else {0, num - 1, *self.draw.sample(range(num), CHECKED)}
        for token in sorted(chosen):
            wanted, weighed = self.textbook(heads.query[token].double(), forward.positions[token], views[token])
            far = (out[token].double() - wanted).abs() - BOUND * weighed - 1e-6
            assert bool((far <= 0).all()), f"token {token} of {num} is off by {float(far.max()):.3g} beyond its bound"

    def textbook(self, query, position, view):
        """The attention (K, G, E) of one token's queries (K, G, D), and the same of the values' magnitudes."""
        import torch

        kept = [(self.kept[owner], begin, end) for owner, begin, end in view]
        keys = torch.cat([each.keys[:, begin:end] for each, begin, end in kept], dim=1)
        values = torch.cat([each.values[:, begin:end] for each, begin, end in kept], dim=1)
        scores = torch.einsum("kgd,knd->kgn", query, keys) * self.settings.scale
        if self.settings.softcap is not None:
            scores = self.settings.softcap * torch.tanh(scores / self.settings.softcap)
        if self.settings.window is not None:
            positions = torch.cat([each.positions[begin:end] for each, begin, end in kept])
            scores[..., positions <= position - self.settings.window] = -torch.inf
        if self.settings.sinks is not None:
            scores = torch.cat([scores, self.settings.sinks.double()[..., None]], dim=-1)
            values = torch.cat([values, torch.zeros_like(values[:, :1])], dim=1)
        shares = scores.softmax(dim=-1)
        return torch.einsum("kgn,kne->kge", shares, values), torch.einsum("kgn,kne->kge", shares, values.abs())


def part(slot, below, first, num):
    """The tokens [first, first + num) of a row in a slot, as the engine makes them."""
    from promptkit.generate.engine.layout import Part

    start = below.end if below else 0
    places = range(first, first + num)
    return Part(
        slot=slot,
        below=below,
        token_ids=[5] * num,
        positions=[start + place for place in places],
        places=places,
        ranges=[((0, place + 1, start),) for place in places],
    )


def new_slots(num, room):
    from promptkit.generate.engine.stretch import Slots

    return Slots(num, room)


def tree_of_options(slot, below, prompt, seed):
    """A row whose options begin alike: a tree of tokens, each of which sees ranges with gaps."""
    from promptkit.generate.engine.branches import Branches
    from promptkit.generate.request import Request

    draw = random.Random(seed)
    start = below.end if below else 0
    context = tuple(draw.randrange(9) for _ in range(start + prompt))
    tails = [tuple(draw.randrange(2) for _ in range(draw.randint(1, 9))) for _ in range(8)]
    options = tuple(context + tail for tail in tails)
    request = Request(label="x", prompt="", token_ids=context, options=tuple("abcdefgh"), option_token_ids=options)
    return Branches.of(request, start).part(slot, below)


def play(book, lengths, *, new=(5, 1, 40, 3), num_steps=3, most_guesses=0):
    """A chain of stretches, rows below its end, below its beginning and below nothing, and some steps of all of them."""
    chain: list[Any] = []
    for length in lengths:
        chain.append(book.stretch(length, chain[-1] if chain else None))
    belows = [chain[-1], chain[-1], chain[0], None] if chain else [None] * 4
    slots = new_slots(6, max(new) + num_steps * (1 + most_guesses))
    numbers = book.draw.sample(range(6), 4)
    kept = list(new)
    rows = list(zip(numbers, belows, strict=True))
    book.enter(slots, [part(slot, below, 0, num) for (slot, below), num in zip(rows, new, strict=True)])
    for _ in range(num_steps):
        nums = [1 + book.draw.randint(0, most_guesses) for _ in rows]
        book.step(slots, [part(*row, first, num) for row, first, num in zip(rows, kept, nums, strict=True)])
        kept = [first + num for first, num in zip(kept, nums, strict=True)]


@pytest.mark.parametrize(
    "lengths", [(1,), (31,), (32,), (33,), (900,), (2500,), (1, 1, 1), (31, 33, 900), (900, 32, 31, 1), (2048, 70)]
)
def test_chains_of_stretches_are_seen_whole(lengths):
    """Of any length, beside rows that see less of them or nothing: blocks of keys end where tiles do, stretches do not."""
    play(Book(seed=sum(lengths)), lengths)


@pytest.mark.parametrize("size", [32, 64, 96, 128])
@pytest.mark.parametrize("group", [1, 3, 4, 8])
def test_every_shape_of_heads_is_computed(group, size):
    """Groups that fill blocks of queries and groups that cross their edges; several tokens a row, as with guesses."""
    play(Book(group=group, size=size, seed=group), (70, 33), most_guesses=6)


@pytest.mark.parametrize(("size", "value_size"), [(32, 64), (96, 32), (64, 128)])
def test_values_may_be_of_another_size_than_keys(size, value_size):
    """As where keys carry their positions in numbers of their own."""
    play(Book(size=size, value_size=value_size, group=2), (40, 50), most_guesses=2)


@pytest.mark.parametrize("window", [1, 5, 32, 33, 64, 100, 1000])
def test_a_window_hides_what_is_older(window):
    """Shorter and longer than stretches, than rows, than a step; rows of one block stand at different positions."""
    play(Book(window=window, group=3, seed=window), (31, 70, 40), new=(50, 1, 40, 3), most_guesses=3)


def test_rows_far_apart_see_each_its_own_window():
    """Decoding: one block holds rows that are long already and rows that just began below the same stretch."""
    book = Book(window=60)
    stretch = book.stretch(200)
    slots = new_slots(8, 300)
    lengths = [150, 3, 40, 7]
    book.enter(slots, [part(slot, stretch, 0, length) for slot, length in enumerate(lengths)])
    for step in range(2):
        book.step(slots, [part(slot, stretch, length + step, 1) for slot, length in enumerate(lengths)])


@pytest.mark.parametrize(
    "settings",
    [
        {"softcap": 0.7},
        {"has_sinks": True},
        {"scale": 1.0},
        {"scale": 0.003},
        {"softcap": 1.5, "has_sinks": True, "window": 40, "scale": 1.0, "value_size": 64},
    ],
    ids=str,
)
def test_scores_are_bent_and_shared_as_layers_say(settings):
    """Softcaps, sinks, scales that make sharp and flat attention, and all at once."""
    play(Book(group=4, **settings), (33, 70), most_guesses=2)


@pytest.mark.parametrize("window", [None, 6, 40])
@pytest.mark.parametrize("prompt", [1, 9, 60])
def test_options_see_what_they_go_on_from_and_not_one_another(prompt, window):
    """Trees of options, in room that all layers share: ranges with gaps, positions that go back; below stretches and below none."""
    from promptkit.generate.engine.stretch import Scratch

    book = Book(window=window, group=2, seed=prompt)
    root = book.stretch(45)
    below = [root, root, book.stretch(20, root), None]
    parts = [tree_of_options(slot, each, prompt, slot) for slot, each in enumerate(below)]
    assert any(len(ranges) > 1 for each in parts for ranges in each.ranges)
    scratch = Scratch(len(parts), max(len(each.token_ids) for each in parts))
    book.enter(scratch, parts)
    book.kept = {owner: kept for owner, kept in book.kept.items() if not isinstance(owner, int)}
    book.enter(scratch, parts)  # the next layer's


@pytest.mark.parametrize("group", [1, 3])
def test_parts_of_many_queries_take_several_blocks(group):
    """Fresh and going on, in one pass; both sides of what one block of 32 holds."""
    book = Book(group=group, seed=group)
    stretch = book.stretch(64)
    slots = new_slots(8, 2400)
    book.enter(slots, [part(0, stretch, 0, 100), part(1, None, 0, 33)])
    book.enter(slots, [part(2, stretch, 0, 32), part(3, stretch, 0, 11)], [part(0, stretch, 100, 65)])
    book.step(slots, [part(0, stretch, 165, 31), part(1, None, 33, 2200)])
    book.step(slots, [part(1, None, 2233, 1), part(2, stretch, 32, 2), part(3, stretch, 11, 40)])


def test_stretches_grow_side_by_side_and_from_where_a_pass_left_them():
    """Siblings in one pass, in pieces that end anywhere; each sees its own beginning and what stands above it."""
    book = Book(group=2)
    root = book.stretch(50, chunk=13)
    siblings = [book.new_stretch(40, root), book.new_stretch(71, root)]
    other = book.new_stretch(20)
    for chunk in (7, 30, 2, 64):
        waiting = [each for each in (*siblings, other) if each.num_done < len(each)]
        book.grow(waiting, chunk)
    assert all(each.num_done == len(each) for each in (*siblings, other))
    slots = new_slots(3, 40)
    book.enter(slots, [part(0, siblings[0], 0, 3), part(1, siblings[1], 0, 3), part(2, other, 0, 3)])


def test_what_a_slot_held_before_is_not_seen():
    """A longer row ended there, loud enough to be heard through any share; the slot is not cleared."""
    book = Book(group=2)
    stretch = book.stretch(33)
    slots = new_slots(2, 300)
    book.loudness = LOUD
    book.enter(slots, [part(0, None, 0, 290), part(1, None, 0, 290)])
    book.loudness = 1.0
    book.enter(slots, [part(0, stretch, 0, 5), part(1, None, 0, 34)])
    for step in range(3):
        book.step(slots, [part(0, stretch, 5 + step, 1), part(1, None, 34 + step, 1)])


def test_rows_that_stand_apart_see_their_stretches_all_the_same():
    """The engine puts rows below one stretch together; where it does not, there are more runs, and the same numbers."""
    book = Book()
    root = book.stretch(40)
    one, other = book.stretch(33, root), book.stretch(20, root)
    slots = new_slots(6, 40)
    below = [one, other, None, one, root, other]
    book.enter(slots, [part(slot, each, 0, 3 + slot) for slot, each in enumerate(below)])
    book.step(slots, [part(slot, below[slot], 3 + slot, 1) for slot in (3, 0, 5, 2, 1, 4)])


def test_each_layer_has_its_own_window_in_the_same_pass():
    """What is laid out for a pass once serves layers that see all, and layers that see through a window."""
    from dataclasses import replace

    book = Book(group=2)
    stretch = book.stretch(90)
    slots = new_slots(2, 40)
    forward = book.new_pass()
    parts = [part(0, stretch, 0, 20), part(1, None, 0, 7)]
    forward.add_fresh(slots, parts)
    before = book.settings
    for window in (None, 16, 70, None):
        book.settings = replace(before, window=window)
        book.attend(forward, parts)


@pytest.mark.parametrize("num", [1, 5, 16, 33, 100])
def test_packed_output_has_the_same_numbers_as_rows(num):
    """As a left side of tiles for the next product; what is beyond the tokens is not written."""
    import torch

    from promptkit.generate.engine.attention import attend_packed
    from promptkit.generate.engine.tiles.desk import attend_tiles, row_shape

    book = Book(group=2, size=64)
    stretch = book.stretch(40)
    slots = new_slots(1, 100)
    forward = book.new_pass()
    forward.add_fresh(slots, [part(0, stretch, 0, num)])
    heads = book.heads(num)
    plain = attend_packed(forward, book.settings, heads).flatten(1)
    rows = torch.cat(
        [each.flatten(1) for each in (heads.query, heads.keys.transpose(0, 1), heads.values.transpose(0, 1))], 1
    )
    out = torch.full((-(-num // 32) * 2, plain.shape[1] // 32, 16, 32), 77.0).bfloat16()
    attend_tiles(forward, book.settings, row_shape(2, 2, 64, 64), rows, out, is_packed=True)
    unpacked = out.transpose(1, 2).reshape(-1, plain.shape[1])
    assert torch.equal(unpacked[:num], plain)
    assert (unpacked[num:] == 77).all()


@pytest.mark.parametrize("window", [None, 20])
def test_decoding_step_by_step_equals_one_pass(window):
    """The same tokens below the same stretch, one at a time and all at once: to the last bit."""
    import torch

    from promptkit.generate.engine.attention import Heads

    book = Book(group=3, window=window)
    stretch = book.stretch(70)
    slots = new_slots(2, 90)
    heads = book.heads(90)
    together = book.new_pass()
    together.add_fresh(slots, [part(0, stretch, 0, 90)])
    whole = book.attend(together, [part(0, stretch, 0, 90)], heads)
    for place in range(90):
        alone = book.new_pass()
        parts = [part(1, stretch, place, 1)]
        alone.add_parts(slots, parts)
        here = slice(place, place + 1)
        out = book.attend(alone, parts, Heads(heads.query[here], heads.keys[:, here], heads.values[:, here]))
        assert torch.equal(out[0], whole[place])


@st.composite
def drawn_worlds(draw):
    """Settings, a tree of stretches, and passes of rows below them."""
    settings = {
        "num_heads": draw(st.integers(1, 3)),
        "group": draw(st.integers(1, 5)),
        "size": draw(st.sampled_from([32, 64])),
        "window": draw(st.one_of(st.none(), st.integers(1, 150))),
        "softcap": draw(st.sampled_from([None, None, 2.0])),
        "has_sinks": draw(st.booleans()),
        "seed": draw(st.integers(0, 1000)),
    }
    stretches = draw(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 9)), max_size=4))
    rows = draw(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 50)), min_size=1, max_size=6))
    steps = draw(st.lists(st.lists(st.integers(0, 5), min_size=6, max_size=6), max_size=3))
    return settings, stretches, rows, steps


@settings(
    deadline=None,
    derandomize=True,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(world=drawn_worlds(), chunk=st.integers(1, 64))
def test_any_tree_any_rows_any_steps_give_the_textbooks_numbers(world, chunk):
    """Rows in any order below any stretch, each step with any number of tokens of any of them."""
    settings, lengths, rows, steps = world
    book = Book(**settings)
    stretches: list[Any] = [None]
    for length, above in lengths:
        stretches.append(book.stretch(length, stretches[above % len(stretches)], chunk=max(chunk, length // 4)))
    belows = [stretches[number % len(stretches)] for number, _ in rows]
    kept = [length for _, length in rows]
    slots = new_slots(len(rows), max(kept) + 15)
    book.enter(slots, [part(slot, belows[slot], 0, length) for slot, length in enumerate(kept)])
    for nums in steps:
        going = [slot for slot in range(len(rows)) if nums[slot]]
        if going:
            book.step(slots, [part(slot, belows[slot], kept[slot], nums[slot]) for slot in going])
        for slot in going:
            kept[slot] += nums[slot]
