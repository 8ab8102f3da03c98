"""What a run would take: counted over what is still to be computed, with what does not fit named."""

import json
from dataclasses import replace

import pytest

from promptkit import load, run
from promptkit.errors import GenerationError, NotEnoughMemory
from promptkit.generate import Loading
from promptkit.generate.engine.forecast import Expected
from promptkit.report import plan_view
from promptkit.run import Selection, Settings, forecast_run, forecast_sweep, load_sweep

SHOTS = "Review: a lovely film. Sentiment: positive\\nReview: a dull and endless film. Sentiment: negative\\n"
TEXT = f"""\
name: films
model: MODEL
data:
  test: {{files: films.jsonl}}
  target: "{{{{ answer }}}}"
prompt:
  - instruction: "{SHOTS}"
  - query: "Review: {{{{ review }}}} Sentiment:"
"""
FREE = (
    TEXT
    + "generate: {max_new_tokens: 4}\nalign: [first_word]\n".replace("first_word", "strip")
    + "score: [exact_match]\n"
)
CHOICE = TEXT + "choose: {options: [positive, negative], lead: ' '}\nscore: [accuracy]\n"
ROWS = [{"id": str(number), "review": "a film " * number, "answer": "positive"} for number in range(1, 7)]


@pytest.fixture
def pipeline(tmp_path, cache, tiny_model):
    """A function that loads a pipeline over six rows on the tiny model."""

    def pipeline(declared=FREE, rows=ROWS):
        (tmp_path / "films.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        path = tmp_path / "films.yaml"
        path.write_text(declared.replace("MODEL", str(tiny_model)), encoding="utf-8")
        return load(path)

    return pipeline


def settings(tmp_path, **selection):
    return Settings(selection=Selection(**selection), loading=Loading(dtype="float32"), store=tmp_path / "store.sqlite")


def test_it_counts_what_a_run_computes(pipeline, tmp_path):
    """Then the run is made, and says the same."""
    forecast = forecast_run(pipeline(), settings(tmp_path))
    finished = run(pipeline(), dtype="float32", store=tmp_path / "store.sqlite", out=None)
    timing = finished.summary["timing"]
    assert forecast.num_examples == forecast.num_requests == 6
    assert forecast.work.num_prompt_tokens == timing["prompt_tokens"]
    assert forecast.work.num_computed == timing["computed_prompt_tokens"]
    assert forecast.work.max_new_tokens == 24
    assert forecast.fits
    assert forecast.shared[0].num_rows == 6
    assert forecast.shared[0].begins.startswith("Review: a lovely film")


def test_segments_add_up_to_the_prompts(pipeline, tmp_path):
    """A token counts to the segment in which it begins; the one that the tokenizer puts before a text is none of its own."""
    forecast = forecast_run(pipeline(), settings(tmp_path))
    counts = {each.kind: each.num_tokens for each in forecast.segments}
    assert list(counts) == ["special tokens", "instruction", "query"]
    assert counts["special tokens"] == 6
    assert counts["instruction"] % 6 == 0, "it is the same in each"
    assert sum(counts.values()) == forecast.work.num_prompt_tokens
    assert forecast.to_json()["segments"][0] == {
        "kind": "special tokens",
        "num_tokens": 6,
        "mean": 1.0,
        "share": round(6 / forecast.work.num_prompt_tokens, 4),
    }


def test_what_the_chat_template_writes_is_counted_apart(pipeline, tmp_path):
    """So are the demonstrations, turn by turn."""
    shots = "  - demonstrations: {from: [{q: x, a: y}], turns: {user: '{{ q }}', assistant: '{{ a }}'}}\n  - query"
    forecast = forecast_run(pipeline("chat: true\n" + FREE.replace("  - query", shots)), settings(tmp_path))
    counts = {each.kind: each.num_tokens for each in forecast.segments}
    assert list(counts) == ["chat template", "instruction", "demonstrations", "query"]
    assert sum(counts.values()) == forecast.work.num_prompt_tokens


def test_options_are_counted_as_they_are_computed(pipeline, tmp_path):
    """Their tree is planned over, too."""
    forecast = forecast_run(pipeline(CHOICE), settings(tmp_path))
    finished = run(pipeline(CHOICE), dtype="float32", store=tmp_path / "store.sqlite", out=None)
    assert forecast.work.num_computed == finished.summary["timing"]["computed_prompt_tokens"]
    assert forecast.work.num_alone > forecast.work.num_prompt_tokens


def test_what_the_store_holds_is_nothing_to_compute(pipeline, tmp_path):
    """A second run is free, and its forecast says so."""
    run(pipeline(), dtype="float32", store=tmp_path / "store.sqlite", out=None, limit=4)
    forecast = forecast_run(pipeline(), settings(tmp_path))
    assert (forecast.num_requests, forecast.num_from_store, forecast.work.num_requests) == (6, 4, 2)
    run(pipeline(), dtype="float32", store=tmp_path / "store.sqlite", out=None)
    forecast = forecast_run(pipeline(), settings(tmp_path))
    assert forecast.work.num_requests == forecast.work.num_computed == 0
    assert forecast.memory is None
    assert forecast.fits


def test_looking_makes_no_store(pipeline, tmp_path):
    """A forecast leaves nothing behind."""
    forecast_run(pipeline(), settings(tmp_path))
    assert not (tmp_path / "store.sqlite").exists()


def test_what_does_not_fit_is_named_and_the_rest_is_planned(pipeline, tmp_path):
    """All of it at once: `run` says only the first."""
    rows = [*ROWS, *({"id": f"long {number}", "review": "dull " * 400, "answer": "positive"} for number in range(5))]
    forecast = forecast_run(pipeline(rows=rows), settings(tmp_path))
    assert not forecast.fits
    assert forecast.num_too_long == 1, "the five are the same request"
    assert forecast.too_long[0].startswith("example 'long 0' (")
    assert forecast.work.num_requests == 6


def test_a_known_speed_gives_the_time(pipeline, tmp_path):
    """Measured by a calibration here; a run with enough work keeps it as well."""
    assert forecast_run(pipeline(), settings(tmp_path)).expected is None
    forecast = forecast_run(pipeline(), settings(tmp_path), calibrate=True)
    assert forecast.expected is not None
    assert forecast.expected.prefill_s is not None
    assert forecast.expected.prefill_s > 0
    assert forecast_run(pipeline(), settings(tmp_path)).speed == forecast.speed


def test_python_takes_memory_as_text_or_bytes(pipeline, tmp_path):
    """`--memory` in Python; too little is said before anything is loaded."""
    for memory in ("1MB", 1_000_000):
        with pytest.raises(NotEnoughMemory, match="--memory allows 1 MB"):
            run(pipeline(), dtype="float32", store=tmp_path / "store.sqlite", out=None, memory=memory)
    with pytest.raises(GenerationError, match="'much' is no amount of memory"):
        run(pipeline(), out=None, memory="much")


STAGED = (
    TEXT[: TEXT.index("prompt:")]
    + """\
stages:
  - name: think
    prompt: [query: "{{ review }}"]
    generate: {max_new_tokens: 4, samples: 2, temperature: 1}
  - repeat: {max: 3}
    stages:
      - name: more
        repeat: {max: 2}
        prompt: [query: "{{ stages.think.text }}"]
        generate: {max_new_tokens: 5}
  - name: pick
    prompt: [query: "{{ stages.more.text }}"]
    choose: {options: [positive, negative]}
"""
)


def bounds(forecast):
    return [(each.stage, each.max_rows, each.max_new_tokens) for each in forecast.later]


def test_later_stages_have_bounds(pipeline, tmp_path):
    """Rows times samples drawn so far times rounds; the plan itself is of the first stage. A run stays below them."""
    forecast = forecast_run(pipeline(STAGED), settings(tmp_path))
    assert forecast.num_requests == 12
    assert bounds(forecast) == [("more", 72, 360), ("pick", 12, 0)]
    assert forecast.max_new_tokens == 48 + 360
    finished = run(pipeline(STAGED), dtype="float32", store=tmp_path / "store.sqlite", out=None)
    assert finished.summary["stages"]["more"]["num_ran"] == 72
    assert finished.summary["timing"]["new_tokens"] <= 408
    again = forecast_run(pipeline(STAGED), settings(tmp_path))
    assert again.work.num_requests == 0
    shown = plan_view(replace(again, expected=Expected(prefill_s=1.0, decode_s=60.0))).plain
    assert "later         more: at most 72 rows, 360 new tokens\nlater         pick: at most 12 rows\n" in shown
    assert "to read in the first stage, and what later ones read is not known; at most" in shown
    assert "to write in all of them" in shown


def test_a_stage_that_comes_again_is_later_too(pipeline, tmp_path):
    """Its first round is planned, the others are bounded."""
    text = STAGED[: STAGED.index("  - name: think")] + STAGED[STAGED.index("  - repeat") :].replace(
        "{{ stages.think.text }}", "{{ review }}"
    )
    assert bounds(forecast_run(pipeline(text), settings(tmp_path))) == [("more", 30, 150), ("pick", 6, 0)]


def test_cells_of_a_sweep_add_up(pipeline, tmp_path):
    """Each cell has its own bounds; what cells share makes it less."""
    path = tmp_path / "sweep.yaml"
    pipeline(STAGED)
    path.write_text("extends: films.yaml\nmatrix: {stages.pick.prompt.query: ['A {{ stages.more.text }}', B]}\n")
    sweep = load_sweep(path)
    assert sweep
    (found,) = forecast_sweep(sweep, settings(tmp_path)).models
    assert bounds(found) == [("more", 144, 720), ("pick", 24, 0)]
