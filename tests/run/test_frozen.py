"""What a choice of demonstrations asks the model: asked once, kept in the store, and told in one message where it cannot be."""

import pytest

import promptkit
from promptkit.data import read_rows
from promptkit.errors import DeclarationError, Interrupted, ModelError, PromptTooLong
from promptkit.generate import Loading
from promptkit.generate.local_generator import LocalGenerator
from promptkit.run import Selection, Settings, forecast_run, load, read_examples, run_pipeline
from promptkit.run.frozen import FrozenModel
from promptkit.run.vectors import KeptVectors

FILMS = """
name: films
model: MODEL
data:
  train: {rows: [{id: a, film: a lovely film, mood: positive}, {id: b, film: a dull film, mood: negative},
                 {id: c, film: endless and dull, mood: negative}, {id: d, film: lovely, mood: positive},
                 {id: e, film: how many apples, mood: negative}]}
  test: {rows: [{id: x, film: endless film, mood: negative}, {id: y, film: lovely apples, mood: positive}]}
  target: "{{ mood }}"
prompt:
  - demonstrations: {from: train, take: 2, SETTINGS, template: "Review: {{ film }} Sentiment: {{ mood }}\\n"}
  - query: "Review: {{ film }} Sentiment:"
choose: {options: [positive, negative]}
"""
SCRIPTED = "{scripted: [{when: x, completion: positive}]}"


@pytest.fixture
def films(write, tiny_model):
    """Loads the pipeline with the settings of its demonstrations, on the tiny model or another."""

    def make(settings, model=None, text=FILMS):
        return load(write(text.replace("MODEL", str(model or tiny_model)).replace("SETTINGS", settings)))

    return make


def opened(pipeline):
    return LocalGenerator(pipeline.declaration.model.label, Loading(dtype="float32"))


class Silent(LocalGenerator):
    """The same model, which must not compute anything."""

    def embed(self, rows, layers):
        raise AssertionError("a text was embedded again")

    def generate(self, requests):
        assert not requests, "a prompt was computed again"
        return iter(())


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", ["select: knn", "select: {mmr: {of: knn}}", "select: votek", "select: mdl", "order: entropy"]
)
def test_a_second_run_asks_the_model_nothing(films, places, cache, settings):
    """Vectors and answers are in the store; the choice is computed from them, and is the same."""
    pipeline = films(settings)
    setting = Settings(out=places["out"], store=places["store"], loading=Loading(dtype="float32"))
    first = run_pipeline(pipeline, setting, generator=opened(pipeline))
    silent = Silent(pipeline.declaration.model.label, Loading(dtype="float32"))
    again = run_pipeline(pipeline, setting, generator=silent)
    assert [each.prompt for each in again.records] == [each.prompt for each in first.records]
    assert again.summary["completions"] == {"computed": 0, "from_store": 2}


@pytest.mark.slow
def test_a_vector_does_not_depend_on_what_is_embedded_beside_it(films, places, cache):
    """Nor on the order; it is that of the text alone."""
    pipeline = films("select: knn")
    model = FrozenModel(pipeline=pipeline, generator=opened(pipeline), store=places["store"], refresh=True)
    texts = ["a lovely film", "apples", "a dull and endless film. Review: 27"]
    together = model.embed(texts)
    assert together.shape == (3, 48)
    for place, text in enumerate(texts):
        assert model.embed([text])[0].tolist() == pytest.approx(together[place].tolist(), abs=1e-5)


def test_a_text_without_tokens_is_zero_and_near_to_nothing(places):
    """A tokenizer without BOS makes none of an empty text, and a model reads at least one."""
    import numpy as np

    kept = KeptVectors(
        store=places["store"], identity={}, name="m", embed=lambda rows: np.ones((len(rows), 3), np.float32)
    )
    assert kept.of([("a", b"a"), ("", b"")]).tolist() == [[1, 1, 1], [0, 0, 0]]
    assert kept.of([("", b"")]).shape == (1, 0)


@pytest.mark.slow
def test_layers_and_models_have_vectors_of_their_own(films, places, cache):
    """What was embedded by one layer must never be given for another's."""
    pipeline = films("select: knn")
    model = FrozenModel(pipeline=pipeline, generator=opened(pipeline), store=places["store"])
    one, other, both = (model.embed(["film"], layers) for layers in ([1], [2], [1, 2]))
    assert abs(one - other).max() > 0.01
    assert both.shape == (1, 96)
    assert (model.embed(["film"], [1]) == one).all()


@pytest.mark.slow
def test_choices_are_the_scores_of_the_prompt_as_it_would_be(films, places, cache):
    """Demonstrations in the given order, the options with their lead: what a run with these rows computes."""
    pipeline = films("select: first")
    generator = opened(pipeline)
    done = run_pipeline(pipeline, Settings(out=places["out"], store=places["store"]), generator=generator)
    rows = read_rows(pipeline.declaration.data, "train")
    example = read_examples(pipeline, Selection())[1]
    model = FrozenModel(pipeline=pipeline, generator=generator, store=places["store"])
    forth, back = model.choices([(rows[:2], example), (rows[1::-1], example)])
    assert forth == [each.log_likelihood for each in done.records[1].completion.options]
    assert back != forth


@pytest.mark.slow
def test_what_is_too_long_to_be_compared_is_not_cut(films, places, cache):
    """A vector of a text's beginning would be another text's."""
    pipeline = films("select: knn")
    model = FrozenModel(pipeline=pipeline, generator=opened(pipeline), store=places["store"])
    with pytest.raises(PromptTooLong) as caught:
        model.embed(["film", "dull " * 400])
    assert str(caught.value).startswith("a text of ")
    assert str(caught.value).endswith(
        "'dull dull dull dull dull dull dull dull ' ...\n    `by:` says what is compared; nothing was cut"
    )


@pytest.mark.parametrize("settings", ["select: knn", "select: dpp", "select: votek"])
def test_a_model_without_states_says_what_would_do(films, places, settings):
    """A script, and a server, have none to show."""
    with pytest.raises(ModelError) as caught:
        run_pipeline(films(settings, SCRIPTED), Settings(**places))
    assert str(caught.value) == (
        "model 'scripted': its hidden states are not to be had, so it cannot tell which texts are near\n"
        "    a model on this machine can; `bm25`, or `knn` with `embed: NAME`, asks none"
    )


def test_a_scripted_model_can_be_asked_what_it_would_choose(films, places):
    """Any model that scores options can."""
    rules = "{scripted: [{when: 'dull film.*x', completion: x}, {when: x, completion: x}]}"
    pipeline = films("select: {mdl: {of: bm25}}", rules.replace("x", "."))
    assert len(run_pipeline(pipeline, Settings(**places)).records) == 2


def test_mdl_without_options_is_a_mistake_of_the_file(films):
    """It is told when the file is read, with the line."""
    text = FILMS.replace("choose: {options: [positive, negative]}", "generate: {max_new_tokens: 1}")
    with pytest.raises(DeclarationError) as caught:
        films("select: mdl", text=text)
    assert (
        str(caught.value)
        .splitlines()[0]
        .endswith("prompt[0]: its choice goes by what the model would choose, and there is no `choose`")
    )


def test_two_steps_of_demonstrations_cannot_both_be_chosen_by_answers(films, places):
    """Neither could be weighed before the other is there."""
    more = '  - demonstrations: {from: train, take: 1, template: "{{ film }}\\n"}\n  - query:'
    pipeline = films("select: {mdl: {of: bm25}}", SCRIPTED, FILMS.replace("  - query:", more))
    with pytest.raises(DeclarationError) as caught:
        run_pipeline(pipeline, Settings(**places))
    assert str(caught.value).endswith(
        "demonstrations are chosen by what the model would answer, and the pipeline has 2 steps of demonstrations"
    )


@pytest.mark.slow
def test_plan_asks_the_model_and_says_so(films, places, cache):
    """What it asked is in the store, so the run that follows does not ask again."""
    from promptkit.report import plan_view

    pipeline = films("select: knn")
    settings = Settings(store=places["store"], loading=Loading(dtype="float32"))
    forecast = forecast_run(pipeline, settings)
    said = "the choice of demonstrations asks the model: it was asked, and a run finds what it said"
    assert said in plan_view(forecast).plain
    assert forecast.to_json()["asks_model"] is True
    silent = Silent(pipeline.declaration.model.label, Loading(dtype="float32"))
    assert forecast_run(pipeline, settings, generator=silent).work == forecast.work
    assert said not in plan_view(forecast_run(films("select: bm25"), settings)).plain


def test_what_was_embedded_before_an_interruption_is_kept(places):
    """Thousands of texts take a while, and Ctrl-C must not lose them."""
    import numpy as np

    def embed(rows):
        if "stop" in rows:
            raise KeyboardInterrupt
        return np.ones((len(rows), 3), np.float32)

    kept = KeptVectors(store=places["store"], identity={"model": "m"}, name="m", embed=embed)
    texts = [(f"long text {number}", f"long text {number}".encode()) for number in range(1024)]
    with pytest.raises(Interrupted) as caught:
        kept.of([*texts, ("stop", b"stop")])
    assert str(caught.value).startswith("stopped: 1 of 1,025 texts are still to be embedded; the others are kept in ")
    assert kept.of(texts).shape == (1024, 3)


@pytest.mark.slow
def test_stages_ask_for_their_own_prompts(write, places, tiny_model, cache):
    """Each stage is weighed by its own query and its own options."""
    text = f"""
model: {tiny_model}
data:
  train: {{rows: [{{id: a, q: film, k: x}}, {{id: b, q: dull film, k: y}}, {{id: c, q: apples, k: x}}]}}
  test: {{rows: [{{id: z, q: dull, k: y}}]}}
  target: "{{{{ k }}}}"
stages:
  - name: guess
    prompt:
      - demonstrations: {{from: train, take: 1, select: mdl, template: "{{{{ q }}}} {{{{ k }}}}\\n"}}
      - query: "{{{{ q }}}}"
    choose: {{options: [x, y]}}
  - name: check
    prompt: [query: "{{{{ q }}}} {{{{ stages.guess.answer }}}}?"]
    choose: {{options: [x, y]}}
"""
    done = promptkit.run(write(text), **places, dtype="float32")
    assert len(done.records) == 1


@pytest.mark.slow
@pytest.mark.parametrize("settings", ["select: knn", "select: mdl", "order: entropy"])
def test_check_never_asks_the_model(films, cache, settings):
    """It must answer in a moment, and works where there is no model."""
    import subprocess
    import sys

    pipeline = films(settings, model="no-such-model")
    command = [sys.executable, "-m", "promptkit", "check", str(pipeline.folder / "sums.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (cache / "completions.sqlite").exists()


@pytest.mark.slow
def test_cells_of_a_sweep_share_what_was_asked(films, write, places, tiny_model, cache):
    """Each cell chooses for itself; a text is embedded once for all of them."""
    import sqlite3

    matrix = "matrix: {prompt.demonstrations.select: [knn, {mmr: {of: knn}}, votek, bm25]}\n"
    text = FILMS.replace("MODEL", str(tiny_model)).replace("SETTINGS", "seed: 1") + matrix
    done = promptkit.run(write(text), **places, dtype="float32")
    assert done.summary["num_cells"] == 4
    connection = sqlite3.connect(places["store"])
    assert connection.execute("SELECT count(*) FROM vectors").fetchone() == (7,)
    connection.close()
