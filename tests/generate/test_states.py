"""What a model on this machine makes of texts inside, and which layers it has."""

import numpy as np
import pytest

from promptkit.errors import ModelError
from promptkit.generate import DEFAULT_MODEL, HasStates, Loading
from promptkit.generate.local_generator import LocalGenerator
from promptkit.generate.scripted import ScriptedModel
from promptkit.generate.states import resolved_layers


@pytest.mark.parametrize(
    ("declared", "num", "expected"), [((), 30, (10,)), ((), 2, (1,)), ((0, 5, -1, -31), 30, (0, 5, 30, 0))]
)
def test_layers_are_counted_from_the_embedding_or_from_the_last(declared, num, expected):
    """A file that says -1 means the last one of any model; without a word it is that after a third."""
    assert resolved_layers(declared, num, "m") == expected


def test_a_layer_that_is_not_there_is_told_with_those_that_are():
    """In one line."""
    with pytest.raises(ModelError) as caught:
        resolved_layers([31], 30, "m")
    assert str(caught.value) == (
        "model 'm': there is no layer 31: it has 30 layers\n    known: 0 (the embedding), 1 to 30, -1 (the last) to -30"
    )


def test_only_a_model_on_this_machine_has_states():
    """A script has none, and a server does not show them."""
    assert not isinstance(ScriptedModel().open(Loading()), HasStates)


@pytest.mark.slow
def test_the_skeleton_of_a_later_start_gives_the_same_vectors(tiny_model, cache):
    """The fast start puts the model together without transformers."""
    made = [LocalGenerator(str(tiny_model), Loading(dtype="float32")) for _ in range(2)]
    rows = [made[0].tokenizer.encode(text) for text in ("a lovely film", "27 €", "How many apples are there?")]
    one, other = (each.embed(rows, each.layers([0, 1, -1])) for each in made)
    assert type(made[1].engine.model).__module__.startswith("promptkit.")
    assert one.shape == (3, 3 * 48)
    np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_the_default_models_own_dtype_stays_near_float32():
    """Whatever the processor computes in, near stays near; and the vectors have the length 1."""
    made = [LocalGenerator(DEFAULT_MODEL, Loading(dtype=dtype)) for dtype in ("float32", "bfloat16")]
    texts = ["How many apples are there?", "The film was dull.", "The film was not dull.", "27 + 3 ="]
    rows = [made[0].tokenizer.encode(text) for text in texts]
    one, other = (each.embed(rows, each.layers(())) for each in made)
    np.testing.assert_allclose(np.linalg.norm(one, axis=1), 1, atol=1e-5)
    assert ((one * other).sum(axis=1) > 0.998).all()
