"""A request's options as a small tree: each can be read off it, and what they begin with is kept once."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow  # the module under test imports torch

TOKENS = st.lists(st.integers(3, 5), max_size=6)


@st.composite
def asked(draw):
    """A prompt, its options' tokens (which may depart from the prompt's end), and where the branches start."""
    prompt = draw(st.lists(st.integers(3, 5), min_size=2, max_size=5))
    cut = draw(st.integers(1, len(prompt)))
    tails = draw(st.lists(st.lists(st.integers(3, 5), min_size=1, max_size=6), min_size=1, max_size=6))
    options = tuple(tuple(prompt[:cut] + tail) for tail in tails)
    start = draw(st.integers(0, max(0, cut - 1)))
    return request(tuple(prompt), options), start


def request(prompt, options):
    from promptkit.generate import Request

    return Request(
        label="x",
        prompt="",
        token_ids=prompt,
        options=tuple(f"option {number}" for number in range(len(options))),
        option_token_ids=options,
    )


@settings(deadline=None)
@given(asked())
def test_every_option_is_read_off_through_its_places(drawn):
    """All but its last token, which nothing comes after."""
    from promptkit.generate.engine.branches import Branches

    wanted, start = drawn
    branches = Branches.of(wanted, start)
    assert sorted(branches.place_of) == list(range(len(wanted.option_token_ids)))
    for option, ids in enumerate(wanted.option_token_ids):
        places = branches.place_of[option]
        assert tuple(branches.token_ids[place] for place in places) == ids[start:-1]
        assert [branches.positions[place] for place in places] == list(range(start, len(ids) - 1))


@settings(deadline=None)
@given(asked())
def test_each_kept_token_attends_to_exactly_what_comes_before_it_in_its_option(drawn):
    """A place too many and an option reads another's tokens; ranges rise, and end with the token itself."""
    from promptkit.generate.engine.branches import Branches

    wanted, start = drawn
    branches = Branches.of(wanted, start)
    for option, ids in enumerate(wanted.option_token_ids):
        for depth, place in enumerate(branches.place_of[option]):
            ranges = branches.ranges[place]
            seen = [each for begin, end, _ in ranges for each in range(begin, end)]
            assert seen == branches.place_of[option][: depth + 1]
            assert tuple(branches.token_ids[each] for each in seen) == ids[start : start + depth + 1]
            assert seen == sorted(set(seen))
            for begin, end, position in ranges:
                assert begin < end
                assert branches.positions[begin] == position
                assert branches.positions[begin:end] == list(range(position, position + end - begin))


@settings(deadline=None)
@given(asked())
def test_common_beginnings_are_kept_once(drawn):
    """As many kept tokens as there are distinct beginnings, however many options share them."""
    from promptkit.generate.engine.branches import Branches

    wanted, start = drawn
    branches = Branches.of(wanted, start)
    beginnings = {ids[:end] for ids in wanted.option_token_ids for end in range(start + 1, len(ids))}
    assert len(branches) == len(branches.positions) == len(branches.ranges) == len(beginnings)


@settings(deadline=None)
@given(asked())
def test_what_is_wanted_adds_up_to_each_options_own_tokens(drawn):
    """With a share of 2 ** -token for every token after every place, each sum is known beforehand."""
    from promptkit.generate.engine.branches import Asked, Branches, shared_length

    wanted, _ = drawn
    begin = shared_length([wanted.token_ids, *wanted.option_token_ids])
    made = Asked(index=0, request=wanted, start=begin, branches=Branches.of(wanted, max(0, begin - 1)))
    shares = {(place, token): -float(token) for place, tokens in made.wanted().items() for token in tokens}
    for ids, score in zip(wanted.option_token_ids, made.completion(shares).options, strict=True):
        assert score.num_tokens == len(ids) - begin
        assert score.log_likelihood == -sum(ids[begin:])


@settings(deadline=None)
@given(st.lists(st.integers(3, 4), min_size=1, max_size=5), st.lists(TOKENS, min_size=1, max_size=4))
def test_the_shared_length_is_the_longest_beginning_that_leaves_every_option_a_token(prompt, tails):
    """lm-eval PR#4055: options that were scored from different beginnings cannot be compared."""
    from promptkit.generate.engine.branches import shared_length

    options = [[*prompt, *tail] for tail in tails]
    direct = 0
    while direct < len(prompt) and all(
        len(option) > direct + 1 and option[direct] == prompt[direct] for option in options
    ):
        direct += 1
    assert shared_length([prompt, *options]) == direct
