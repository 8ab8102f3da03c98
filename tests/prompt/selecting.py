"""Pools of hand-made rows, and a frozen model that answers by hash."""

import hashlib
from types import MappingProxyType

import numpy as np

from promptkit.data import Example
from promptkit.prompt import Demonstrations, Pool

WORDS = ["red", "green", "blue", "film", "book", "plot", "slow", "fine", "dull", "warm", "cold", "long"]


def row(name, **fields):
    return Example(id=name, fields=MappingProxyType(fields), origin=f"{name}:1")


def drawn(purpose, num):
    """A whole number below `num` that the purpose alone decides."""
    return int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:8], "big") % num


def texts(num, purpose="t"):
    """Texts of three to seven words each; some of them come twice."""
    return [
        " ".join(WORDS[drawn(f"{purpose}{number}{place}", 12)] for place in range(3 + drawn(f"{purpose}{number}", 5)))
        for number in range(num)
    ]


def rows(num, purpose="t"):
    return [
        row(f"{purpose}-{number}", text=text, label="xyz"[drawn(f"{purpose}{number}l", 3)])
        for number, text in enumerate(texts(num, purpose))
    ]


class Hashing:
    """A frozen model whose vectors and answers follow from a hash of what it is asked. It counts how often it is asked."""

    def __init__(self, size=8):
        self.size = size
        self.asked = []

    def embed(self, texts, layers=()):
        self.asked.append(("embed", len(texts), tuple(layers)))
        vectors = np.array([self.numbers(text) for text in texts], np.float32).reshape(len(texts), self.size)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def embed_with(self, name, texts):
        self.asked.append((name, len(texts)))
        return self.embed(texts)

    def choices(self, asked):
        self.asked.append(("choices", len(asked)))
        return [
            [
                -drawn("/".join([each.id for each in shown] + [example.id, str(option)]), 500) / 100
                for option in range(3)
            ]
            for shown, example in asked
        ]

    def numbers(self, text):
        return [drawn(f"{text}{place}", 2000) / 1000 - 1 for place in range(self.size)]


def pool(num=40, num_queries=5, frozen=None):
    return Pool(
        rows=rows(num),
        queries=rows(num_queries, "q"),
        text_of=lambda each: each.fields["text"],
        target_of=lambda each: each.fields.get("label"),
        frozen=frozen or Hashing(),
    )


def chooser(select, made, seed=0):
    """The chooser of a selector as a file writes it."""
    step = Demonstrations.model_validate({"from": "train", "template": "{{ text }}", "select": select})
    return step.select.chooser(made, seed)
