"""The ledger: every step that was tried, in order, with what it was given and what came of it."""

from promptkit.align import Context

CHAIN = r"""align:
  - strip
  - first:
      - regex: '#### (.*)'
      - [{regex: 'answer is (.*)'}, number]
      - number: last
"""


def tried(outcome):
    return [(entry.step, entry.read.start, entry.reason or entry.value) for entry in outcome.ledger]


def test_every_step_is_in_the_ledger_the_inner_ones_below_their_own(declare):
    """The order is that in which they ran; an alternative that found nothing stays in it."""
    outcome = declare(CHAIN).align(" The answer is 7 cats.", Context(is_traced=True))
    assert tried(outcome) == [
        ("align[0].strip", 0, "The answer is 7 cats."),
        ("align[1].first", 1, 7),
        ("align[1].first[0].regex", 1, "no match"),
        ("align[1].first[1][0].regex", 1, "7 cats."),
        ("align[1].first[1][1].number", 15, 7),
    ]
    assert outcome.step == "align[1].first[1][1].number"
    assert all(entry.took_s >= 0 for entry in outcome.ledger)
    assert [entry.has_found for entry in outcome.ledger] == [True, True, False, True, True]


def test_a_chain_that_stops_has_the_step_that_stopped_it_last(declare):
    """`explain` shows how far it came."""
    outcome = declare("align: [strip, {regex: '#### (.*)'}, number]").align(" none ", Context(is_traced=True))
    assert outcome.status == "unparsed"
    assert tried(outcome)[-1] == ("align[1].regex", 1, "no match")


def test_no_ledger_is_kept_unasked(declare):
    """It costs time, and most who extract only want the answers."""
    assert declare(CHAIN).align("The answer is 7 cats.", Context()).ledger == ()


def test_one_step_may_stand_for_a_list(declare):
    """`align: number` is `align: [number]`."""
    assert declare("align: number").align("7").value == 7
    assert declare("align: {number: last}").align("7 and 8").value == 8
