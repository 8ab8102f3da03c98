"""Rows of a run computed once more, alone: the same where they are the same, and told exactly where they part."""

import json
import sqlite3
from dataclasses import replace

import pytest

from promptkit.errors import RunError
from promptkit.generate import Completion, Loading
from promptkit.generate.local_generator import LocalGenerator
from promptkit.run import Settings, load, run_pipeline
from promptkit.run.audit import spread
from tests.run.doubles import folders
from tests.run.sums import SUMS

TEXT = 'prompt: [query: "Q: {{ question }} A:"]\ngenerate: {max_new_tokens: 12'
CHOOSE = """prompt: [query: "{{ question }}"]
choose: {options: [positive, a lovely film, "3"], lead: " ", normalize: unconditional, unconditional_prompt: "A:"}
"""


class Tampered(LocalGenerator):
    """A local model whose engine is wrong about the row '2': its second token, or its second option's score."""

    def generate(self, requests):
        for index, made in super().generate(requests):
            is_meant = requests[index].label.startswith("example '2'")
            yield index, (tampered(made) if is_meant else made)


def tampered(made: Completion) -> Completion:
    """The completion with another second token, or with a second option that wins."""
    if made.options:
        first, second, *others = made.options
        return replace(made, options=(first, replace(second, log_likelihood=0.0), *others))
    first_id, second_id, *rest = made.token_ids
    return replace(made, token_ids=(first_id, 70 if second_id != 70 else 71, *rest))


@pytest.fixture
def rows(tmp_path):
    """Ten rows, for pipelines beside them."""
    lines = [{"id": str(n), "question": f"How many {word} are there?"} for n, word in enumerate("abcdefghij")]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def audited(write, places, tiny_model, cache, rows):
    """Runs a pipeline over the rows on the tiny model, audited; the audit that the run holds."""

    def run(more, num=10, kind=LocalGenerator, dtype="float32"):
        path = write("data: {test: {files: rows.jsonl}}\n" + more, "local.yaml")
        settings = Settings(**places, num_audited=num)
        generator = kind(str(tiny_model), Loading(dtype=dtype))
        done = run_pipeline(load(path).with_model(str(tiny_model)), settings, generator=generator)
        return done.summary["audit"]

    return run


def test_rows_are_spread_evenly():
    """The first rows of a file are often of one kind."""
    assert spread(range(100), 4) == [12, 37, 62, 87]
    assert spread(range(3), 8) == [0, 1, 2]
    assert spread([], 8) == []


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", ", temperature: 1.0, samples: 2", ", stop_when_answered: true", ", stop: [' a']"])
def test_every_row_is_the_same_alone_in_float32(audited, more):
    """Sharing, packing and guessing change no token; a sample has its own seed."""
    text = f"{TEXT}{more}}}\nalign: [number]\n"
    assert audited(text) == {"rows": 10, "agree": 10, "dtype": "float32", "differing": []}


@pytest.mark.slow
def test_every_choice_is_the_same_alone_in_float32(audited):
    """With the unconditional prompt's scores computed alone as well."""
    found = audited(CHOOSE, num=3)
    assert 0 <= found.pop("max_difference") < 1e-4
    assert found == {"rows": 3, "agree": 3, "dtype": "float32", "differing": []}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_row_that_differs_is_told_with_its_token(audited, dtype):
    """The likeliest token alone is likelier than any other by the margin; the row is in the data's words."""
    found = audited(f"{TEXT}}}\n", kind=Tampered, dtype=dtype)
    assert found["dtype"] == dtype
    assert found["agree"] == found["rows"] - len(found["differing"])
    (row,) = [each for each in found["differing"] if each["id"] == "2"]
    assert row.keys() == {"id", "sample", "token", "run", "alone", "margin"}
    assert (row["sample"], row["token"]) == (0, 2)
    assert row["run"] != row["alone"]
    assert row["margin"] > 0


@pytest.mark.slow
def test_in_bfloat16_rows_part_only_where_tokens_are_close(audited):
    """Sums of 8 bits depend on their order; a large margin would be a fault and no rounding."""
    found = audited(f"{TEXT}}}\n", dtype="bfloat16")
    assert (found["rows"], found["dtype"]) == (10, "bfloat16")
    assert all(row["margin"] < 1 for row in found["differing"])


@pytest.mark.slow
def test_a_choice_that_differs_is_told_with_both_options(audited):
    """And with how far the scores lie apart."""
    found = audited(CHOOSE, kind=Tampered)
    assert (found["rows"], found["agree"]) == (10, 9)
    (row,) = found["differing"]
    assert (row["id"], row["sample"], row["run"]) == ("2", 0, "a lovely film")
    assert row["alone"] != "a lovely film"
    assert row["difference"] == found["max_difference"] > 0.1


@pytest.mark.slow
def test_a_completion_that_ended_too_early_parts_where_it_ended(audited):
    """There is no second token whose logits could be compared."""

    class Short(LocalGenerator):
        """A local model whose engine loses the last token of every row."""

        def generate(self, requests):
            for index, made in super().generate(requests):
                yield index, replace(made, token_ids=made.token_ids[:-1])

    (row,) = audited(f"{TEXT}, temperature: 0}}\n", num=1, kind=Short)["differing"]
    assert (row["run"], row["margin"]) == (None, None)
    assert isinstance(row["alone"], str)


@pytest.mark.slow
def test_an_audit_is_kept_in_the_run_and_its_rows_nowhere(audited, places):
    """The store holds what the run made, and the summary's timing what the run took."""
    found = audited(f"{TEXT}}}\n", num=2)
    (folder,) = folders(places["out"])
    kept = json.loads((places["out"] / folder / "run.json").read_text())
    assert kept["audit"] == found
    assert {"num_live", "num_new_tokens"}.isdisjoint(kept["timing"])
    with sqlite3.connect(places["store"]) as connection:
        assert connection.execute("SELECT count(*) FROM completions").fetchone() == (10,)
    connection.close()
    again = audited(f"{TEXT}}}\n", num=2)
    assert again == found, "what comes from the store is audited as well"


def test_a_model_without_a_reference_is_refused_at_once(write, places):
    """Before anything runs: there is nothing to compare a server's or a scripted row with."""
    settings = Settings(**places, num_audited=8)
    with pytest.raises(RunError) as caught:
        run_pipeline(load(write(SUMS)), settings)
    assert str(caught.value) == (
        "--audit: model 'scripted' has no reference that its rows could be compared with\n"
        "    only models that are computed on this machine have one"
    )
    assert not places["store"].exists()
