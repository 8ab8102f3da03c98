"""The completion store: no request ever gets another's completion, and nothing that was finished is lost."""

import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

import promptkit
from promptkit.errors import RunError
from promptkit.generate import Completion, OptionScore, Request, Sampling
from promptkit.run.store import Store, request_key

MODEL = {
    "kind": "local",
    "weights": "w",
    "tokenizer": "t",
    "config": "c",
    "chat_template": "",
    "dtype": "float32",
    "device": "cpu",
    "engine": "1",
}
GREEDY = Request(
    label="example '1' (a.jsonl:1)",
    prompt="Q: 1 + 1?\nA:",
    token_ids=(1, 5, 9),
    sampling=Sampling(max_new_tokens=8, stop=("Q:",)),
    seed=3,
)
SAMPLED = replace(GREEDY, sampling=replace(GREEDY.sampling, temperature=0.7, top_p=0.9, top_k=40))
CHOICE = Request(
    label="x", prompt="Good?", token_ids=(1, 2), options=(" yes", " no"), option_token_ids=((1, 2, 3), (1, 2, 4))
)
COMPLETION = Completion(text=" 2.\n", token_ids=(7, 8), ended="stop", num_new_tokens=2)


def sampled(request, **changes):
    return replace(request, sampling=replace(request.sampling, **changes))


@pytest.mark.parametrize("part", MODEL)
def test_the_key_changes_with_every_part_of_the_model(part):
    """lm-evaluation-harness#4063: one model's outputs were found for another's."""
    assert request_key(MODEL | {part: "other"}, GREEDY, 0) != request_key(MODEL, GREEDY, 0)


@pytest.mark.parametrize(
    "other",
    [
        replace(GREEDY, token_ids=(1, 5, 8)),
        sampled(GREEDY, max_new_tokens=9),
        sampled(GREEDY, stop=("Q:", "\n")),
        sampled(GREEDY, stop=()),
        sampled(GREEDY, temperature=0.1),
    ],
)
def test_the_key_of_greedy_text_changes_with_tokens_and_limits(other):
    """All that decides greedy text; a stop too, since text is cut at it."""
    assert request_key(MODEL, other, 0) != request_key(MODEL, GREEDY, 0)


@pytest.mark.parametrize(
    "other",
    [
        sampled(SAMPLED, temperature=0.8),
        sampled(SAMPLED, top_p=0.8),
        sampled(SAMPLED, top_k=39),
        sampled(SAMPLED, max_new_tokens=9),
        sampled(SAMPLED, stop=()),
        replace(SAMPLED, seed=4),
        replace(SAMPLED, token_ids=(1, 5, 8)),
    ],
)
def test_the_key_of_sampled_text_changes_with_how_it_is_drawn(other):
    """A sample drawn otherwise is another sample."""
    assert request_key(MODEL, other, 0) != request_key(MODEL, SAMPLED, 0)


def test_each_sample_has_a_key_of_its_own():
    """Several samples of one prompt must not all be the first."""
    assert len({request_key(MODEL, SAMPLED, number) for number in range(5)}) == 5


@pytest.mark.parametrize(
    "other",
    [
        replace(CHOICE, token_ids=(1, 3)),
        replace(CHOICE, options=(" yes", " nope")),
        replace(CHOICE, options=(" no", " yes")),
        replace(CHOICE, option_token_ids=((1, 2, 3), (1, 2, 5))),
    ],
)
def test_the_key_of_a_choice_changes_with_its_options(other):
    """Their order as well: it is the order in which the scores are kept."""
    assert request_key(MODEL, other, 0) != request_key(MODEL, CHOICE, 0)


@pytest.mark.parametrize(
    "same",
    [
        replace(GREEDY, label="example '2' (b.jsonl:9)"),
        replace(GREEDY, seed=99),
        sampled(GREEDY, top_p=0.5, top_k=7),
        replace(GREEDY, prompt="the same tokens, from another text"),
    ],
)
def test_the_key_of_greedy_text_does_not_change_with_what_cannot_matter(same):
    """Else an edited seed, or a moved data file, would compute everything again. The batch size is no part at all."""
    assert request_key(MODEL, same, 0) == request_key(MODEL, GREEDY, 0)
    assert request_key(MODEL, GREEDY, 1) == request_key(MODEL, GREEDY, 0)


def test_the_key_changes_with_the_rule_that_ends_a_completion():
    """By the rule's identity; a request without one has the key that it had before there were rules."""
    ruled = replace(GREEDY, settled=lambda text: "7" in text, until="first number")
    assert request_key(MODEL, ruled, 0) != request_key(MODEL, GREEDY, 0)
    assert request_key(MODEL, replace(ruled, until="first letter"), 0) != request_key(MODEL, ruled, 0)
    assert request_key(MODEL, GREEDY, 0).hex() == "03b8179316d7bffec464581e2cc48410fc88cc6f222a638c156398a21ab203cc"


def test_a_likelihood_that_was_asked_for_has_a_key_of_its_own():
    """A completion without it is no answer to who asks for it; keys of the others stay what they were."""
    assert request_key(MODEL, replace(SAMPLED, wants_likelihood=True), 0) != request_key(MODEL, SAMPLED, 0)


def test_the_key_of_a_choice_does_not_change_with_how_text_is_drawn():
    """Nothing is drawn where options are scored."""
    assert request_key(MODEL, replace(sampled(CHOICE, temperature=1.0), seed=5), 3) == request_key(MODEL, CHOICE, 0)


def test_without_tokens_the_text_is_the_key():
    """A server tokenises for itself: what it is sent is what counts."""
    bare = replace(GREEDY, token_ids=())
    assert request_key(MODEL, replace(bare, prompt="other"), 0) != request_key(MODEL, bare, 0)


def test_what_was_put_in_comes_out(tmp_path):
    """Equal to the last bit, option scores included, in this process and in the next."""
    scored = Completion(
        text=" yes",
        ended="scored",
        options=(
            OptionScore(text=" yes", log_likelihood=-0.1 - 0.2, num_tokens=1),
            OptionScore(text=" né\u2028", log_likelihood=-1e-300, num_tokens=2),
        ),
    )
    rows = [(GREEDY, COMPLETION), (SAMPLED, replace(COMPLETION, text="\ud7ff 漢 \x00 '")), (CHOICE, scored)]
    keys = [request_key(MODEL, request, 0) for request, _ in rows]
    with Store(tmp_path / "new" / "folder" / "store.sqlite") as store:
        assert store.get(keys) == {}
        for key, (request, completion) in zip(keys, rows, strict=True):
            store.put(key, MODEL, request, 0, completion)
    with Store(tmp_path / "new" / "folder" / "store.sqlite") as store:
        assert store.get([*keys, b"unknown", keys[0]]) == dict(zip(keys, (made for _, made in rows), strict=True))
        assert len(store) == 3


def test_more_keys_than_sqlite_takes_at_once_are_found(tmp_path):
    """A run may ask for tens of thousands."""
    keys = [number.to_bytes(32, "big") for number in range(1234)]
    with Store(tmp_path / "store.sqlite") as store:
        for key in keys:
            store.put(key, MODEL, GREEDY, 0, COMPLETION)
        assert list(store.get(iter(keys))) == keys


def test_computing_again_replaces(tmp_path):
    """`--refresh` must not leave the old completion to be found."""
    with Store(tmp_path / "store.sqlite") as store:
        store.put(b"key", MODEL, GREEDY, 0, COMPLETION)
        store.put(b"key", MODEL, GREEDY, 0, replace(COMPLETION, text="new"))
        assert store.get([b"key"])[b"key"].text == "new"
        assert len(store) == 1


WRITER = """
import sys
import threading
from pathlib import Path
from promptkit.generate import Completion, Request
from promptkit.run.store import Store

path, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for part in range(5):
    with Store(path) as store:
        for number in range(40):
            key = f"{name}-{part}-{number}".encode()
            store.put(key, {}, Request(label="", prompt=""), 0, Completion(text=key.decode()))
            store.put(b"shared", {}, Request(label="", prompt=""), 0, Completion(text=name))
"""


@pytest.mark.slow
def test_processes_that_write_at_once_lose_nothing(tmp_path):
    """Two terminals, one store: the file is made, opened and written by all of them in the same moment."""
    path = tmp_path / "store.sqlite"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for name in "abcd"
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
    assert [writer.returncode for writer in writers] == [0, 0, 0, 0]
    keys = [f"{name}-{part}-{number}".encode() for name in "abcd" for part in range(5) for number in range(40)]
    with Store(path) as store:
        found = store.get(keys)
        assert {key: made.text.encode() for key, made in found.items()} == {key: key for key in keys}
        assert len(store) == len(keys) + 1


def test_a_file_that_is_no_store_is_one_error(tmp_path):
    """--store takes any path, and a wrong one must neither be written over nor end in a traceback."""
    path = tmp_path / "notes.txt"
    path.write_text("not a data base, but long enough to look like one\n" * 100)
    before = path.read_bytes()
    with pytest.raises(RunError) as caught, Store(path):
        pass
    assert str(caught.value) == (
        f"the completion store {str(path)!r} cannot be opened: file is not a database\n    --store FILE names another"
    )
    assert path.read_bytes() == before


def test_a_data_base_of_something_else_is_one_error(tmp_path):
    """SQLite it is, but not ours."""
    path = tmp_path / "other.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE completions (id INTEGER, text TEXT)")
    connection.close()
    with pytest.raises(RunError, match=r"cannot be read: no such column: key\n"), Store(path) as store:
        store.get([b"key"])


def test_a_row_that_cannot_be_read_is_one_error(tmp_path):
    """A file that was written by hand, or by a later version."""
    path = tmp_path / "store.sqlite"
    with Store(path) as store:
        store.put(b"key", MODEL, GREEDY, 0, COMPLETION)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE completions SET completion = '{\"text\": 1'")
    connection.close()
    with pytest.raises(RunError, match="cannot be read: expecting ',' delimiter"), Store(path) as store:
        store.get([b"key"])


def test_a_folder_in_the_stores_place_is_one_error(tmp_path):
    """The commonest slip: the folder, not the file in it."""
    with pytest.raises(RunError) as caught, Store(tmp_path):
        pass
    assert str(caught.value) == (
        f"the completion store {str(tmp_path)!r} cannot be opened: unable to open database file\n"
        "    --store FILE names another"
    )


def test_a_new_store_waits_for_the_process_that_makes_it(tmp_path):
    """SQLite does not wait when it turns on its log: of two runs begun at once, one was told "database is locked"."""
    path = tmp_path / "store.sqlite"
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("CREATE TABLE other (id INTEGER)")
    maker.execute("BEGIN IMMEDIATE")
    later = threading.Timer(0.2, maker.execute, ["COMMIT"])
    later.start()
    with Store(path) as store:
        assert len(store) == 0
    later.join()
    maker.close()


CHAIN = "align: [regex: 'answer is ([a-z]+)[.]']\n"
ENDING = """
model: {scripted: [{when: Q, completion: "The answer is yes. And the result is no."}]}
data: {test: {rows: [{id: a, question: why}]}, target: "yes"}
prompt: [{query: "Q: {{ question }}"}]
generate: {stop_when_answered: true}
align: {use: mine.yaml}
"""


def test_an_edited_chain_is_another_run_and_ends_completions_elsewhere(tmp_path):
    """The pipeline's file only names it: a key made of the name alone would serve what the old chain cut."""
    (tmp_path / "pipe.yaml").write_text(ENDING, encoding="utf-8")
    places = {"out": tmp_path / "runs", "store": tmp_path / "store.sqlite"}
    found = []
    for chain in (CHAIN, CHAIN.replace("answer", "result"), CHAIN):
        (tmp_path / "mine.yaml").write_text(chain, encoding="utf-8")
        done = promptkit.run(tmp_path / "pipe.yaml", **places)
        found.append((done.records[0].answer, done.summary["completions"]["from_store"], done.summary["digest"]))
    (first, kept, digest), (second, kept_second, other_digest), (third, kept_third, same_digest) = found
    assert (first, second, third) == ("yes", "no", "yes")
    assert (kept, kept_second, kept_third) == (0, 0, 1)
    assert digest == same_digest != other_digest
