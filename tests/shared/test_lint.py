"""The linter over real data: what it says of shipped pipelines, and of one that is broken on purpose."""

import pytest

from promptkit import load
from promptkit.run import lint_pipeline

HUB = ("aqua", "bbh-date-understanding", "gsm8k-cot", "gsm8k-rescue", "gsm8k-two-stages", "mmlu", "strategyqa")


@pytest.mark.parametrize("name", HUB)
def test_shipped_pipelines_are_clean_on_their_data(name, tasks):
    """Or say on the line why not."""
    assert lint_pipeline(load(name), data_folder=tasks).findings == ()


def test_a_question_of_mmlu_that_is_in_two_splits_is_found(tasks):
    """It is in the data set itself; the pipeline allows it."""
    allowed = [each for each in lint_pipeline(load("mmlu"), data_folder=tasks).allowed if each.code == "PK401"]
    assert [each.problem.message for each in allowed] == [
        (
            "mmlu/train.jsonl:50 is mmlu/test.jsonl:167, which is asked about; a run leaves it out "
            "(1 of 285 rows of the pool, against 200 test rows)"
        )
    ]


def test_a_line_end_as_stop_cuts_gsm8k_before_its_answers(tasks):
    """Its rationales have several lines."""
    pipeline = load("gsm8k-cot", overrides=['generate.stop=["\\n"]'])
    (finding,) = lint_pipeline(pipeline, data_folder=tasks).findings
    assert finding.code == "PK310"
    assert finding.problem.message == (
        "'\\n' cuts gsm8k/train.jsonl:1 before its answer: 'a sold 48/2 = 24 clips in May.\\n' "
        "(393 of 400 gold completions)"
    )
