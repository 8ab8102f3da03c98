"""The default model's vectors of real questions."""

import numpy as np
import pytest

pytestmark = pytest.mark.slow

NUM = 24
LAYERS = (0, 10, 30)


def test_vectors_of_real_questions_are_those_of_transformers(generator, plain_model, tasks):
    """Each question alone through transformers' forward pass, its hidden states averaged, in float32."""
    import torch

    from promptkit.data import read_file

    questions = [
        row.fields["question"] for row, _ in zip(read_file(tasks / "gsm8k" / "test.jsonl"), range(NUM), strict=False)
    ]
    model, tokenizer = plain_model
    expected = []
    for question in questions:
        with torch.inference_mode():
            states = model(**tokenizer(question, return_tensors="pt"), output_hidden_states=True).hidden_states
        means = [states[layer][0].mean(dim=0).numpy() for layer in LAYERS]
        expected.append(np.concatenate([mean / np.linalg.norm(mean) for mean in means]) / len(LAYERS) ** 0.5)
    rows = generator.tokenizer.encode_all(questions)
    np.testing.assert_allclose(generator.embed(rows, LAYERS), expected, atol=2e-5)
