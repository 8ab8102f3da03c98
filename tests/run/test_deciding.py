"""Statistical alignment in a run: what is decided over samples is what is scored, kept, shown, and decided again."""

import json
from io import StringIO

import pyarrow.parquet as pq
import pytest

import promptkit
from promptkit.errors import DataError, DeclarationError, RunError
from promptkit.report import runs_table
from promptkit.run import check_examples, load, make_card, rescore
from tests.run.sums import folder_of

VOTES = """
name: votes
model:
  scripted:
    - {when: '1 [+] 1', completion: ["2", "3", "2.0", "none"], log_likelihoods: [-3.0, -0.5, -3.0, -0.1]}
    - {when: '2 [+] 2', completion: ["4", "5", "6", "4"]}
    - {when: '3 [+] 3', completion: ["6", "7"]}
    - {when: '4 [+] 4', completion: ["so", "no", "", "who"]}
data:
  test:
    rows:
      - {id: a, question: 1 + 1, answer: "2"}
      - {id: b, question: 2 + 2, answer: "5"}
      - {id: c, question: 3 + 3, answer: "6"}
      - {id: d, question: 4 + 4, answer: "8"}
  target: "{{ answer }}"
prompt: [query: "{{ question }}"]
generate: {samples: 4, temperature: 1.0}
align: [number, vote]
"""


def verdicts(run):
    """Of each example the decided status and answer."""
    found = {each.id: each.decided for each in run.records}
    return {
        name: (each.verdict.outcome.status, getattr(each.verdict.outcome, "value", None))
        for name, each in found.items()
    }


def test_what_is_decided_is_what_is_scored(write, places):
    """One right of four; beside it the mean of single samples: 2/4, 1/4, 2/4 and none of four."""
    done = promptkit.run(write(VOTES), **places)
    assert verdicts(done) == {
        "a": ("answered", 2),
        "b": ("answered", 4),
        "c": ("ambiguous", None),
        "d": ("unparsed", None),
    }
    assert done.scores["exact_match"]["value"] == 0.25
    assert done.summary["statuses"] == {"answered": 2, "unparsed": 1, "truncated": 0, "ambiguous": 1, "empty": 0}
    assert (done.summary["num_examples"], done.summary["num_samples"]) == (4, 16)
    samples = done.summary["samples"]
    assert samples["decided_by"] == "vote"
    assert samples["scores"]["exact_match"]["value"] == (2 / 4 + 1 / 4 + 2 / 4) / 4
    assert samples["statuses"] == {"answered": 11, "unparsed": 4, "truncated": 0, "ambiguous": 0, "empty": 1}


def test_samples_keep_their_own_answers(write, places):
    """The steps before the vote made them, and say so."""
    done = promptkit.run(write(VOTES), **places)
    assert [each.answer for each in done.records[:4]] == [2, 3, 2, None]
    assert done.records[0].outcome.step == "align[0].number"
    assert done.records[0].decided is not None
    assert done.records[0].decided.verdict.outcome.step == "align[1].vote"


def test_a_run_keeps_its_decisions(write, places):
    """In the rows of the samples and in run.json."""
    done = promptkit.run(write(VOTES), **places)
    rows = pq.read_table(folder_of(done) / "samples.parquet").to_pylist()
    first = {name: rows[0][name] for name in ("decided", "decided_status", "decided_step", "decided_sample")}
    assert first == {"decided": "2", "decided_status": "answered", "decided_step": "align[1].vote", "decided_sample": 0}
    assert json.loads(rows[0]["votes"]) == [
        {"answer": 2, "samples": [0, 2], "weight": 2.0},
        {"answer": 3, "samples": [1], "weight": 1.0},
    ]
    assert [row["decided.score.exact_match"] for row in rows[::4]] == [1.0, 0.0, 0.0, 0.0]
    assert rows[8]["decided_reason"] == "2 answers have 2 votes each: 6, 7"
    kept = json.loads((folder_of(done) / "run.json").read_text())
    assert (kept["scores"], kept["samples"]) == (done.scores, done.summary["samples"])


def test_a_vote_is_taken_again_without_the_model(write, places):
    """As it was, and under another rule."""
    done = promptkit.run(write(VOTES), **places)
    again = rescore(folder_of(done))
    assert verdicts(again.run) == verdicts(done)
    assert (again.run.scores, again.run.summary["samples"]) == (done.scores, done.summary["samples"])
    other = rescore(folder_of(done), load(write("align: [number, {vote: {tie: first}}]", "other.yaml")))
    assert verdicts(other.run)["c"] == ("answered", 6)
    assert other.run.scores["exact_match"]["value"] == 0.5
    plain = rescore(folder_of(done), load(write("align: [number]", "plain.yaml")))
    assert "samples" not in plain.run.summary
    assert plain.run.scores["exact_match"]["value"] == done.summary["samples"]["scores"]["exact_match"]["value"]


def test_likelihoods_are_kept_where_they_are_asked_for(write, places):
    """Then every rule can be tried on the run; and on one without them, it is said how to get them."""
    weighed = promptkit.run(write(VOTES.replace("vote]", "vote: likelihood]")), **places)
    assert [each.completion.log_likelihood for each in weighed.records[:4]] == [-3.0, -0.5, -3.0, -0.1]
    assert verdicts(weighed)["a"] == ("answered", 3)
    best = load(write("align: [number, best]", "best.yaml"))
    assert verdicts(rescore(folder_of(weighed), best).run)["a"] == ("answered", 3)
    counted = promptkit.run(write(VOTES), **places)
    with pytest.raises(RunError, match="the samples have no log-likelihoods"):
        rescore(folder_of(counted), best)


def test_another_vote_computes_nothing(write, places):
    """The rule is no part of what a completion is: samples, and where they end, stay the same."""
    text = VOTES.replace("samples: 4", "samples: 4, stop_when_answered: true")
    first = promptkit.run(write(text), **places)
    second = promptkit.run(write(text.replace("vote]", "vote: {tie: first}]")), **places)
    assert first.summary["completions"] == {"computed": 16, "from_store": 0}
    assert second.summary["completions"] == {"computed": 0, "from_store": 16}


def test_every_sample_is_one_of_its_own(write, places):
    """Self-consistency over one sample in many copies is no self-consistency (FIELD 6)."""
    from promptkit.generate import Loading
    from promptkit.generate.scripted import ScriptedModel
    from promptkit.run import Selection, make_plan
    from promptkit.run.store import request_key

    pipeline = load(write(VOTES))
    plan = make_plan(pipeline, Selection(), ScriptedModel().open(Loading()))
    assert len({job.request.seed for job in plan.jobs}) == 16
    assert len({request_key({}, job.request, job.sample) for job in plan.jobs}) == 16


def test_the_table_shows_a_single_samples_score_beside_it(write, places):
    """What the vote is worth."""
    from rich.console import Console

    done = promptkit.run(write(VOTES), **places)
    for width in (200, 60):
        console = Console(width=width, record=True, file=StringIO())
        console.print(runs_table([{**done.summary, "pipeline": "votes"}]))
        text = console.export_text()
        assert "one sample" in text
        assert "31.2 %" in text


def test_the_metric_says_which_answers_are_one(write, places):
    """The first metric's notion: with `ignore_case`, Yes and yes vote together."""
    text = """
model: {scripted: [{when: "", completion: ["Yes", "no", "yes", "no", "YES"]}]}
data: {test: {rows: [{q: A, a: "yes"}]}, target: "{{ a }}"}
prompt: [query: "{{ q }}"]
generate: {samples: 5, temperature: 1.0}
align: [strip, vote]
"""
    assert list(verdicts(promptkit.run(write(text), **places)).values()) == [("answered", "no")]
    folded = promptkit.run(write(text + "score: [exact_match: {ignore_case: true}]\n"), **places)
    assert list(verdicts(folded).values()) == [("answered", "Yes")]
    assert folded.scores["exact_match"]["value"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            VOTES.replace("samples: 4, ", ""),
            "align[1]: `vote` decides among samples, and `generate.samples` is 1",
        ),
        (
            VOTES.replace("generate: {samples: 4, temperature: 1.0}\n", ""),
            "align[1]: `vote` decides among samples, and `generate.samples` is 1",
        ),
        ("align: [vote, number]", "align[0]: `vote` decides among samples, and is the last step"),
        ("align: [first: [[number, vote], strip]]", "align[0]: `vote` stands in `align` itself, not inside `first`"),
        (
            "choose: {options: [a, b]}\nalign: [best]",
            "align[0]: `best` decides among samples, and `choose` has none",
        ),
        (
            VOTES.replace("vote]", "vote: {min_votes: 5}]"),
            "align[1]: `vote` needs 5 votes, and `generate.samples` is 4",
        ),
        (
            "generate: {samples: 1}\nalign: [linear: {classes: [a, b], weights: [[1], [2]], bias: [0, 0]}]",
            "align[0]: `linear` reads the scores of `choose`'s options, and there is no `choose`",
        ),
        (
            "choose: {options: [a, b]}\nalign: [linear: {state: {classes: [a, b], weights: [[1], [2]], bias: [0, 0]}}]",
            "align[0]: the state is fitted to the scores of 1 options, and `choose` has 2",
        ),
    ],
)
def test_a_step_that_could_never_do_its_work_is_refused(write, text, message):
    """When the file is read."""
    with pytest.raises(DeclarationError) as caught:
        load(write(text))
    assert message in str(caught.value)


def test_a_chain_with_a_vote_needs_no_samples_where_nothing_is_run(write):
    """For `score --with`, and for `check`, which reads one completion at a time."""
    pipeline = load(write("align: [number, vote]\nexamples: [{completion: It is 7., answer: 7}]"))
    assert check_examples(pipeline) == []


LINEAR = """
model:
  scripted:
    - {when: one, completion: x, scores: {good: -1.0, bad: -3.0}}
    - {when: two, completion: x, scores: {good: -2.0, bad: -2.0}}
data: {test: {rows: [{q: one, a: pos}, {q: two, a: neg}]}, target: "{{ a }}"}
prompt: [query: "{{ q }}"]
choose: {options: [good, bad]}
align: [linear: probe.json]
"""
PROBE = {"classes": ["pos", "neg"], "weights": [[1, -1], [-1, 1]], "bias": [-0.5, 0.5]}


@pytest.fixture
def probe(tmp_path):
    path = tmp_path / "probe.json"
    path.write_text(json.dumps(PROBE))
    return path


def test_a_probe_reads_the_options_scores(write, places, probe):
    """1.5 against -1.5, then -0.5 against 0.5: what `choose` alone would call a tie is none to it."""
    done = promptkit.run(write(LINEAR), **places)
    assert [each.answer for each in done.records] == ["pos", "neg"]
    assert done.scores["accuracy"]["value"] == 1
    again = rescore(folder_of(done))
    assert [each.answer for each in again.run.records] == ["pos", "neg"]
    card = make_card(load(write(LINEAR)), None)
    assert card.num_learned_parameters == 6
    assert card.rows[-1].coordinates.alignment == "linear"


def test_a_probe_that_was_fitted_again_is_another_run(write, places, probe):
    """The file has the same name."""
    first = promptkit.run(write(LINEAR), **places)
    probe.write_text(json.dumps({**PROBE, "bias": [0, 0]}))
    second = promptkit.run(write(LINEAR), **places)
    assert first.summary["digest"] != second.summary["digest"]
    assert [each.outcome.status for each in second.records] == ["answered", "ambiguous"]


def test_a_target_that_is_no_class_is_an_error(write, places, probe):
    """It could never be given."""
    with pytest.raises(DataError, match="'ok' is none of the classes pos, neg"):
        promptkit.run(write(LINEAR.replace("a: neg", "a: ok")), **places)
