"""A store that says why it has not what is asked for: what differs from the nearest that it keeps."""

import contextlib
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import promptkit
from promptkit.errors import GenerationError
from promptkit.generate import Completion, Loading, Work
from promptkit.report import plan_view
from promptkit.run import Selection, Settings, forecast_run, load, load_sweep, run_pipeline, run_sweep
from tests.run.sums import SUMS

OLD = Path(__file__).parent / "stores" / "before-places.sql"  # a store of SUMS from before places were noted
TODAY = time.strftime("%Y-%m-%d")
KEPT = f"(kept on {TODAY})"


@pytest.fixture
def asked(write, places):
    """Runs a pipeline of that text, and gives why its completions were not in the store: how many, and in words."""

    def run(text=SUMS, **options):
        done = promptkit.run(write(text), **places, **options)
        return [(each["num"], each["said"]) for each in done.summary["missed"]]

    return run


def test_what_was_never_asked_is_no_riddle(asked, caplog):
    """The first run of a pipeline: nothing is said."""
    assert asked() == [(4, "asked for the first time")]
    assert asked() == []
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("align:", "generate: {max_new_tokens: 128}\nalign:", "max_new_tokens is 128, was 256"),
        (
            "align:",
            "generate: {temperature: 0.5, stop: [Q]}\nalign:",
            "stop is ['Q'], was []; temperature is 0.5, was 0.0",
        ),
        ("I cannot say", "I can say", "the script's rules are others"),
        (
            'Q: {{ question }}?\\nA:"',
            'Q: {{ question }}?\\nReply:"',
            "the prompt is another: in example 'a' (data.test.rows[0]) from character 11 on, 'Reply:' was 'A:'",
        ),
        (
            'Q: {{ question }}?\\nA:"',
            'Q: {{ question }}?\\nA: "',
            "the prompt is another: in example 'a' (data.test.rows[0]) from character 13 on, ' ' was ''",
        ),
        (
            "align:\n  - regex: 'answer",
            "generate: {stop_when_answered: true}\nalign:\n  - regex: 'answer",
            "the rule that ends a completion with its answer is another",
        ),
    ],
)
def test_what_was_changed_is_said_before_work_begins(asked, caplog, old, new, said):
    """'I ran this yesterday, why does it compute again?'"""
    assert old in SUMS
    asked()
    caplog.set_level("INFO", "promptkit")
    assert asked(SUMS.replace(old, new)) == [(4, f"{said} {KEPT}")]
    assert caplog.messages == [f"4 of 4 not in the store: {said} {KEPT}"]


def test_the_nearest_speaks_and_not_the_newest(asked):
    """What was asked before it with another prompt as well is no answer to why."""
    asked()
    asked(SUMS.replace("Q:", "Question:").replace("align:", "generate: {max_new_tokens: 32}\nalign:"))
    changed = SUMS.replace("align:", "generate: {max_new_tokens: 64}\nalign:")
    assert asked(changed) == [(4, f"max_new_tokens is 64, was 256 {KEPT}")]


def test_each_reason_is_counted_apart(asked, caplog):
    """One row was edited and one is new; the line tells what was changed, and that there is more."""
    asked(limit=3)
    caplog.set_level("INFO", "promptkit")
    edited = SUMS.replace("question: 2 + 2,", "question: 2 + 2 + 0,")
    said = (
        "the prompt is another: in example 'b' (data.test.rows[1]) from character 9 on, ' + 0?\\nA:' was '?\\nA:' "
        + KEPT
    )
    assert asked(edited) == [(1, said), (1, "asked for the first time")]
    assert caplog.messages == [f"1 of 4 not in the store: {said}; 1 more for other reasons, which `plan` tells"]


def test_a_seed_changes_samples_and_is_named(asked):
    """More samples are none that were drawn otherwise."""
    drawn = "generate: {temperature: 0.5, samples: SAMPLES, seed: SEED}\nalign:"
    text = SUMS.replace("align:", drawn)
    asked(text.replace("SAMPLES", "2").replace("SEED", "1"))
    assert asked(text.replace("SAMPLES", "3").replace("SEED", "1")) == [(4, "asked for the first time")]
    assert asked(text.replace("SAMPLES", "3").replace("SEED", "2")) == [(12, f"the seed is another {KEPT}")]


def test_options_that_are_others_are_said(asked):
    """Scores belong to the options that were asked for together."""
    text = SUMS[: SUMS.index("align:")] + "choose: {options: [OPTIONS]}\nscore: [accuracy]\n"
    text = text.replace('answer: "4"', 'answer: "5"').replace('answer: "6"', 'answer: "2"')
    text = text.replace('answer: "8"', 'answer: "2"')
    asked(text.replace("OPTIONS", '"2", "5"'))
    assert asked(text.replace("OPTIONS", '"2", "5", "7"')) == [(4, f"the options are others {KEPT}")]


def test_a_renamed_pipeline_is_found_by_its_prompts(asked):
    """Its places are others, and what it asks is the same."""
    asked()
    text = SUMS.replace("name: sums", "name: other").replace("align:", "generate: {max_new_tokens: 8}\nalign:")
    assert asked(text) == [(4, f"max_new_tokens is 8, was 256 {KEPT}")]


def test_what_another_pipeline_kept_is_known_as_what_this_one_asked(asked):
    """A run that takes all from the store notes what it asked, too."""
    asked()
    renamed = SUMS.replace("name: sums", "name: other")
    assert asked(renamed) == []
    ((num, said),) = asked(renamed.replace("Q:", "P:"))
    assert num == 4
    assert said.startswith("the prompt is another: in example 'a' (data.test.rows[0]) from character 1 on, 'P: 1 + 1?")


class BreaksOff:
    """A model that fails after two completions, the first time that it is asked."""

    name = "scripted"
    tokenizer = None
    context_length = None
    work = Work()

    def __init__(self) -> None:
        self.num_calls = 0
        self.identity: Mapping[str, Any] = {"kind": "scripted", "rules": "others"}

    def generate(self, requests):
        self.num_calls += 1
        for place in range(len(requests)):
            if self.num_calls == 1 and place == 2:
                raise GenerationError("it broke off")
            yield place, Completion(text=" 2")


def test_what_was_broken_off_is_not_said_to_have_changed(asked, write, places, caplog):
    """The rest of a run is not missed for what an older one had otherwise, but because it was not finished."""
    asked()
    model, pipeline = BreaksOff(), load(write())
    settings = Settings(out=places["out"], store=places["store"])
    with pytest.raises(GenerationError):
        run_pipeline(pipeline, settings, generator=model)
    caplog.set_level("INFO", "promptkit")
    caplog.clear()  # of what the first run said, where a test before had it say so
    done = run_pipeline(pipeline, settings, generator=model)
    (missed,) = done.summary["missed"]
    assert (missed["num"], missed["why"], missed["said"]) == (2, "unfinished", "asked for before, and not finished")
    assert caplog.text == ""


def test_computing_again_needs_no_reason(write, places):
    """`--refresh` was asked for."""
    path = load(write())
    promptkit.run(path, **places)
    settings = Settings(out=places["out"], store=places["store"], refresh=True)
    assert run_pipeline(path, settings).summary["missed"] == []


STAGES = (
    SUMS[: SUMS.index("prompt:")]
    + """\
stages:
  - {name: reason, prompt: [query: "Q: {{ question }}?"]}
  - {name: conclude, prompt: [query: "{{ question }} {{ stages.reason.text }} so"], align: [number]}
"""
)


def test_stages_are_places_of_their_own(asked):
    """What the second is asked follows from the first, and only it was changed."""
    asked(STAGES)
    assert asked(STAGES.replace(" so", " thus")) == [
        (
            4,
            f"the prompt is another: in example 'a' (data.test.rows[0]) from character 39 on, 'thus' was 'so' {KEPT}",
        )
    ]


def swept(path):
    """The sweep in a file."""
    sweep = load_sweep(path)
    assert sweep is not None
    return sweep


def test_a_sweep_says_it_of_each_model(write, places, caplog):
    """Each cell has the nearest of its own: of those that were swept before, the one with its prompt."""
    text = SUMS + "matrix: {prompt.0.query: ['Q: {{ question }}', 'P: {{ question }}']}\n"
    settings = Settings(out=places["out"], store=places["store"])
    run_sweep(swept(write(text)), settings)
    caplog.set_level("INFO", "promptkit")
    done = run_sweep(swept(write(text.replace("align:", "generate: {max_new_tokens: 8}\nalign:"))), settings)
    (model,) = done.summary["models"]
    assert [each["said"] for each in model["missed"]] == [f"max_new_tokens is 8, was 256 {KEPT}"]
    assert caplog.messages == [f"8 of 8 not in the store: max_new_tokens is 8, was 256 {KEPT}"]


def restore(path):
    """Makes the old store anew."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(OLD.read_text())


@pytest.fixture
def old(places):
    """A store that an earlier version made, with the four sums."""
    restore(places["store"])


@pytest.mark.usefixtures("old")
def test_a_store_of_old_is_read(asked):
    """All of it is found under the keys that it had."""
    assert asked() == []


@pytest.mark.usefixtures("old")
def test_what_a_store_of_old_holds_is_told_by_its_prompts(asked):
    """It had all parts, but not the places."""
    assert asked(SUMS.replace("align:", "generate: {max_new_tokens: 8}\nalign:")) == [
        (4, "max_new_tokens is 8, was 256 (kept on 2026-11-26)")
    ]


@pytest.mark.usefixtures("old")
def test_where_a_store_of_old_cannot_tell_it_says_so(asked):
    """Of which example a prompt was is not in it; once the same was asked again, it is."""
    unknown = "asked for the first time, or by an earlier version, which did not note of which example a prompt was"
    assert asked(SUMS.replace("Q:", "P:")) == [(4, unknown)]
    assert asked() == []
    ((num, said),) = asked(SUMS.replace("Q:", "R:"))
    assert num == 4
    assert said.startswith("the prompt is another: in example 'a' (data.test.rows[0]) from character 1 on, 'R: 1 + 1?")


@pytest.mark.usefixtures("old")
def test_an_earlier_version_still_writes_to_the_file(asked, places, tmp_path):
    """Two versions may share a store: the table of completions is the one that it was."""
    asked(SUMS.replace("Q:", "P:"))
    restore(tmp_path / "before.sqlite")
    with sqlite3.connect(places["store"]) as connection, sqlite3.connect(tmp_path / "before.sqlite") as before:
        query = "SELECT sql FROM sqlite_master WHERE name = 'completions'"
        assert connection.execute(query).fetchone() == before.execute(query).fetchone()
    connection.close()
    before.close()


AT_ONCE = """
import sys
import promptkit
sys.stdin.readline()
promptkit.run(sys.argv[1], store=sys.argv[2], out=None)
"""


@pytest.mark.slow
@pytest.mark.usefixtures("old")
def test_processes_that_ask_at_once_note_all_of_it(write, places, tmp_path):
    """One brings a store of old up to date while others do, too."""
    paths = [
        write(SUMS.replace("align:", f"generate: {{max_new_tokens: {num}}}\nalign:"), f"{num}.yaml")
        for num in (1, 2, 3)
    ]
    command = [sys.executable, "-c", AT_ONCE]
    runs = [
        subprocess.Popen([*command, str(path), str(places["store"])], stdin=subprocess.PIPE, text=True)
        for path in paths
    ]
    for each in runs:
        each.communicate("go\n", timeout=60)
    assert [each.returncode for each in runs] == [0, 0, 0]
    with sqlite3.connect(places["store"]) as connection:
        assert connection.execute("SELECT count(*) FROM completions").fetchone() == (16,)
        assert connection.execute("SELECT count(*) FROM places WHERE place != x''").fetchone() == (12,)
        assert connection.execute("SELECT count(*) FROM places WHERE place = x''").fetchone()[0] >= 4
    connection.close()


FILMS = """
name: films
model: MODEL
data: {test: {rows: [{id: a, review: lovely}, {id: b, review: a dull film}]}}
prompt:
  - instruction: "Rate it.\\n"
  - query: "Review: {{ review }} Sentiment:"
generate: {max_new_tokens: 2}
"""


def test_the_plan_says_it_of_a_real_model(write, places, tiny_model, cache):
    """The dtype is part of the key; a prompt is compared token by token."""
    text = FILMS.replace("MODEL", str(tiny_model))
    promptkit.run(write(text), **places, dtype="float32")
    settings = Settings(selection=Selection(), loading=Loading(dtype="float32"), store=places["store"])
    changed = forecast_run(load(write(text.replace("Rate", "Judge"))), settings)
    assert changed.missed[0].prompt is not None
    assert (changed.missed[0].num, changed.missed[0].prompt.unit) == (2, "token")
    assert changed.to_json()["missed"][0]["differs"] == {"prompt": None}
    other = forecast_run(load(write(text)), replace(settings, loading=Loading(dtype="bfloat16")))
    assert f"not kept      2: dtype is bfloat16, was float32 {KEPT}\n" in plan_view(other).plain
    assert other.to_json()["missed"] == [
        {
            "why": "changed",
            "num": 2,
            "differs": {"dtype": {"now": "bfloat16", "kept": "float32"}},
            "prompt": None,
            "kept_on": TODAY,
            "said": f"dtype is bfloat16, was float32 {KEPT}",
        }
    ]
    assert "not kept" not in plan_view(forecast_run(load(write(text)), settings)).plain
