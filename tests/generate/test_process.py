"""What a start changes in its process is as before when it is over."""

import gc

import pytest

from promptkit.generate.process import without_collecting


@pytest.fixture(autouse=True)
def nothing_frozen():
    """The command line freezes what there is when it ends, also where a test has called it."""
    gc.unfreeze()


def test_garbage_is_not_looked_for_meanwhile_and_nothing_stays_frozen():
    """Whatever was made meanwhile can still be garbage one day."""
    with without_collecting():
        assert not gc.isenabled()
        made: list[object] = []
        made.append(made)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert any(each is made for each in gc.get_objects(generation=2))


def test_it_ends_with_an_error_too():
    """A model that cannot be loaded leaves no process that never looks for garbage."""
    try:
        with without_collecting():
            raise KeyError
    except KeyError:
        assert gc.isenabled()


def test_who_does_not_collect_still_does_not():
    """The setting is the caller's."""
    gc.disable()
    try:
        with without_collecting():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_who_has_frozen_objects_keeps_them_frozen():
    """A server freezes before it forks, so that pages stay shared."""
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        with without_collecting():
            assert gc.isenabled()
        assert gc.get_freeze_count() >= count
    finally:
        gc.unfreeze()
