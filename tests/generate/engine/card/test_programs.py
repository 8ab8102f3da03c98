"""The card's programs without a card: what they compute by Triton's interpreter, and whether they can be made for cards.

Both run in processes of their own, since Triton decides when it is imported whether it interprets.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generate.engine.card.trying import CARDS, CASES, SHAPES, SIGNATURES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed"),
]
ROOT = Path(__file__).parents[4]
ROUNDING = {"float32": 2e-6, "float16": 4e-3}
SHARED = {"sm_75": 64 * 1024}  # bytes that cards let a program have; others, since 2020, no less than these
USUAL_SHARED = 99 * 1024


def tried(what, **environment):
    """What `trying` prints."""
    command = [sys.executable, str(Path(__file__).with_name("trying.py")), what]
    known = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(command, env=known, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def differences():
    return tried("interpret", TRITON_INTERPRET="1")


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    return tried("compile", TRITON_CACHE_DIR=str(tmp_path_factory.mktemp("triton")))


@pytest.mark.parametrize("case", CASES)
def test_the_programs_compute_what_the_loops_compute(case, differences):
    """Through stretches, entering rows, guesses and branches; windows, caps and sinks; sizes of heads that are no powers of two."""
    assert differences[case] <= ROUNDING[CASES[case].dtype]


@pytest.mark.parametrize("program", SIGNATURES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("card", CARDS)
def test_the_programs_can_be_made_for_cards(card, shape, program, compiled):
    """With memory that every such card has; keys are read sixteen bytes at a time, and steps keep all in registers."""
    made = compiled[f"{card} {shape} {program}"]
    assert made["shared"] <= SHARED.get(card, USUAL_SHARED)
    if program == "read_piece":
        assert made["reads_wide"]
    if shape.startswith("step") or card == "sm_75":
        assert made["spills"] == 0


def test_a_run_has_each_program_compiled_once():
    """Compiling takes up to seconds, in the middle of a run: how many tokens and lines a pass has must make no difference."""
    assert tried("launches") == {"put_tokens": 1, "read_piece": 1, "merge_lines": 1}
