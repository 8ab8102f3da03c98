"""Data sets of the hub. A folder laid out like one stands in for it, and a closed port for a hub out of reach."""

from __future__ import annotations

import errno
import os
import socket
import time

import datasets
import huggingface_hub.constants
import pytest

from promptkit.data import read_split
from promptkit.data.hub import HubDataSet, rows_of_hub
from promptkit.errors import DataError

HINT = (
    "    without the hub: name files with the same rows as `local:` and give their folder with --data, or use `files:`"
)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    """What `datasets` keeps goes away with the test, and it draws no bars."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


@pytest.fixture
def closed_port(monkeypatch):
    """The address of a hub that does not answer."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", address)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    return address


def refused(call, *args, **kwargs):
    """The whole message of a `DataError`."""
    with pytest.raises(DataError) as caught:
        call(*args, **kwargs)
    return str(caught.value)


def test_a_folder_laid_out_like_a_data_set_is_read_through_datasets(declare, write):
    """The same code as for the hub; the split is the one of the same name if none is given."""
    write("toy/data/test.jsonl", [{"q": "x", "label": 1}, {"q": "y", "label": 0}])
    write("toy/data/train.jsonl", [{"q": "z", "label": 1}])
    section = declare("test: {hub: toy, fields: {answer: '{{ label }}'}}\ntrain: {hub: toy, split: 'test[1:]'}")
    rows = read_split(section, "test")
    assert [(each.id, each.origin, dict(each.fields)) for each in rows] == [
        ("test-0", "toy[test][0]", {"q": "x", "label": 1, "answer": 1}),
        ("test-1", "toy[test][1]", {"q": "y", "label": 0, "answer": 0}),
    ]
    assert [each.fields["q"] for each in read_split(section, "train", limit=1)] == ["y"]


def test_an_unknown_split_of_a_data_set_is_named(declare, write):
    write("toy/data/test.jsonl", [{"q": "x"}])
    assert refused(read_split, declare("test: {hub: toy, split: tst}"), "test") == (
        "toy[tst]: cannot be loaded: Unknown split \"tst\". Should be one of ['test']"
    )


def test_an_unknown_configuration_of_a_data_set_is_named(declare, write):
    write("toy/data/test.jsonl", [{"q": "x"}])
    assert refused(read_split, declare("test: {hub: toy, config: mian}"), "test") == (
        "toy[test]: cannot be loaded: BuilderConfig 'mian' not found. Available: ['default']"
    )


def test_a_broken_file_of_a_data_set_is_an_error_of_the_data(declare, write):
    write("toy/data/test.jsonl", "this is not JSON\n")
    assert refused(read_split, declare("test: {hub: toy}"), "test").startswith("toy[test]: cannot be loaded: ")


def test_a_hub_out_of_reach_fails_within_seconds_and_says_what_works_offline(closed_port):
    """`datasets` asks again for half a minute, and its error names neither the cause nor a way out."""
    started = time.monotonic()
    message = refused(next, rows_of_hub(HubDataSet(id="owner/name", split="test")))
    assert message == (
        "owner/name[test]: the hub is out of reach, and the data set was not fetched before:"
        f" [Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}\n{HINT}"
    )
    assert time.monotonic() - started < 5
    assert datasets.config.HF_HUB_OFFLINE is False


def test_the_offline_mode_is_honoured(monkeypatch):
    """Who sets HF_HUB_OFFLINE wants nothing to leave the machine, not even the question."""
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    assert refused(next, rows_of_hub(HubDataSet(id="owner/name", split="test"))) == (
        "owner/name[test]: the hub is out of reach, and the data set was not fetched before: HF_HUB_OFFLINE is set\n"
        + HINT
    )


def test_a_name_that_the_hub_could_not_have_is_refused(closed_port):
    message = refused(next, rows_of_hub(HubDataSet(id="a/b/c", split="test")))
    assert message.startswith("a/b/c[test]: cannot be loaded: Couldn't find any data file at ")


def test_what_was_fetched_before_is_read_without_the_hub(declare, write, closed_port, tmp_path):
    """A second run on a train works; `datasets` keeps what it fetched under the data set's name."""
    write("name/data/test.jsonl", [{"q": "x"}])
    read_split(declare("test: {hub: name}"), "test")
    (tmp_path / "cache" / "name").rename(tmp_path / "cache" / "owner___name")
    (row,) = rows_of_hub(HubDataSet(id="owner/name", split="test"))
    assert (row.origin, row.fields) == ("owner/name[test][0]", {"q": "x"})
    assert refused(next, rows_of_hub(HubDataSet(id="owner/name", split="train"))) == (
        "owner/name[train]: the hub is out of reach, and what was fetched before does not hold it"
        " (Unknown split \"train\". Should be one of ['test']):"
        f" [Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}\n{HINT}"
    )


def test_a_revision_is_not_taken_from_what_was_fetched_before(closed_port):
    """What is kept may be of another revision, and its rows would be taken for those asked for."""
    assert refused(next, rows_of_hub(HubDataSet(id="owner/name", split="test", revision="v1"))) == (
        "owner/name[test]: the hub is out of reach, and whether revision 'v1' was fetched before is not known:"
        f" [Errno {errno.ECONNREFUSED}] {os.strerror(errno.ECONNREFUSED)}\n{HINT}"
    )
