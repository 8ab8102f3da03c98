"""What is near, and what is chosen of it: each against the definition, written plainly."""

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from pydantic import ValidationError

from promptkit.errors import DataError, ModelError
from promptkit.prompt import Pool
from tests.prompt.selecting import Hashing, chooser, pool, row, rows

ALLOWED = [number for number in range(40) if number % 7]


def ranked(scores, allowed):
    """The allowed rows, the highest score first, ties in the order of the pool."""
    return sorted(allowed, key=lambda number: (-round(scores[number], 5), number))


def cosines(made, example, *, is_standard=True):
    """The cosine of each row with an example, from the model's vectors, one number after the other."""
    model = Hashing()
    vectors = [[float(x) for x in line] for line in model.embed([each.fields["text"] for each in made.rows])]
    asked = [float(x) for x in model.embed([example.fields["text"]])[0]]
    if is_standard:
        columns = list(zip(*vectors, strict=True))
        mean = [sum(column) / len(column) for column in columns]
        deviation = [
            math.sqrt(sum((x - middle) ** 2 for x in column) / len(column))
            for column, middle in zip(columns, mean, strict=True)
        ]

        def move(line):
            return [(x - a) / b for x, a, b in zip(line, mean, deviation, strict=True)]

        vectors, asked = [move(line) for line in vectors], move(asked)
    return [cosine(line, asked) for line in vectors]


def cosine(one, other):
    return sum(x * y for x, y in zip(one, other, strict=True)) / math.sqrt(
        sum(x * x for x in one) * sum(y * y for y in other)
    )


def okapi(documents, query, k1=1.5, b=0.75):
    """BM25 with Lucene's idf, word by word (Robertson and Zaragoza 2009, equation 3.15, without its constant factor)."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        counts = Counter(document)
        score = 0.0
        for word in filter(counts.__contains__, query):
            num = sum(word in each for each in documents)
            idf = math.log(1 + (len(documents) - num + 0.5) / (num + 0.5))
            score += idf * counts[word] / (counts[word] + k1 * (1 - b + b * len(document) / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize("is_standard", [True, False])
def test_knn_takes_the_rows_of_highest_cosine(is_standard):
    """Each query against all rows, with and without the pool's scale."""
    made = pool()
    choose = chooser({"knn": {"standardise": is_standard}}, made)
    for example in made.queries:
        expected = ranked(cosines(made, example, is_standard=is_standard), ALLOWED)[:6]
        assert choose(example, ALLOWED, 6) == expected


def test_knn_embeds_rows_and_queries_in_one_go():
    """A model is fast where it is given much at once; an example that nobody announced is embedded alone."""
    model = Hashing()
    made = pool(frozen=model)
    choose = chooser({"knn": {"layers": [3, -1]}}, made)
    for example in made.queries:
        choose(example, ALLOWED, 4)
    assert model.asked == [("embed", 45, (3, -1))]
    other = rows(1, "other")[0]
    assert choose(other, ALLOWED, 5) == ranked(cosines(made, other), ALLOWED)[:5]
    assert model.asked[1:] == [("embed", 1, (3, -1))]


def test_knn_asks_another_model_where_one_is_named():
    """Its vectors are taken as they are."""
    model = Hashing()
    made = pool(frozen=model)
    choose = chooser({"knn": {"embed": "some/model"}}, made)
    example = made.queries[0]
    assert choose(example, ALLOWED, 5) == ranked(cosines(made, example, is_standard=False), ALLOWED)[:5]
    assert model.asked[0] == ("some/model", 45)


def test_layers_are_the_frozen_models():
    """Another model has layers of its own."""
    with pytest.raises(ValidationError, match="`layers` are those of the frozen model, and 'x' embeds here"):
        chooser({"knn": {"embed": "x", "layers": [1]}}, pool())


def test_knn_without_a_model_says_so():
    """`check` never asks one."""
    with pytest.raises(ModelError, match="asks the model, and there is none here that may be asked"):
        chooser("knn", Pool(rows=rows(3)))


@pytest.mark.parametrize(("k1", "b"), [(1.5, 0.75), (0.9, 0.4), (2.0, 0.0), (0.0, 0.5)])
def test_bm25_takes_the_rows_of_highest_bm25(k1, b):
    """The library's index against the formula."""
    made = pool()
    documents = [each.fields["text"].split() for each in made.rows]
    choose = chooser({"bm25": {"k1": k1, "b": b}}, made)
    for example in made.queries:
        scores = okapi(documents, example.fields["text"].split(), k1, b)
        chosen = choose(example, ALLOWED, 6)
        assert [round(scores[each], 4) for each in chosen] == [
            round(scores[each], 4) for each in ranked(scores, ALLOWED)[:6]
        ]


def test_bm25_finds_words_as_declared():
    """Small letters and `\\w+` if nothing is said; a pattern may say otherwise."""
    made = Pool(
        rows=[row("a", text="x-ray Film"), row("b", text="xray film"), row("c", text="FILM ray")],
        text_of=lambda each: each.fields["text"],
    )
    asked = row("q", text="X-RAY")
    assert chooser("bm25", made)(asked, range(3), 2) == [0, 2]
    assert chooser({"bm25": {"words": r"[\w-]+"}}, made)(asked, range(3), 1) == [0]
    assert chooser({"bm25": {"lower": False}}, made)(asked, range(3), 1) == [0]  # no word is shared: the pool's order


@pytest.mark.parametrize("asked", ["", "unheard"])
def test_where_no_word_is_shared_the_pool_decides(asked):
    """Its order, as for all ties."""
    made = pool()
    assert chooser("bm25", made)(row("q", text=asked), ALLOWED, 4) == ALLOWED[:4]


def test_bm25_of_rows_without_words_is_the_pools_order():
    """There is nothing to index."""
    made = Pool(rows=[row("a", text=""), row("b", text="?!")], text_of=lambda each: each.fields["text"])
    for select in ("bm25", {"mmr": {"of": "bm25"}}):
        assert chooser(select, made)(row("q", text="film"), range(2), 2) == [0, 1]


def test_equal_rows_come_in_the_order_of_the_pool():
    """On any machine."""
    made = Pool(
        rows=[row(f"r{number}", text="dull film" if number % 2 else "warm book") for number in range(10)],
        queries=[row("q", text="dull film")],
        text_of=lambda each: each.fields["text"],
        frozen=Hashing(),
    )
    for select in ("bm25", "knn"):
        assert chooser(select, made)(made.queries[0], range(10), 7) == [1, 3, 5, 7, 9, 0, 2]


@pytest.mark.parametrize("select", ["bm25", "knn"])
def test_by_says_what_is_compared(select):
    """A template over the fields; a row that does not have them is named."""
    made = pool()
    by_label = chooser({select: {"by": "{{ label }}"}}, made)(made.queries[0], range(40), 3)
    assert len({made.rows[each].fields["label"] for each in by_label}) == 1
    with pytest.raises(DataError, match=r"t-0:1: .*undefined name 'topic'"):
        chooser({select: {"by": "{{ topic }}"}}, made)


def among(made, kind):
    """How near the rows are to each other, (n, n), in plain loops."""
    if kind == "knn":
        return np.array([cosines(made, each) for each in made.rows])
    documents = [each.fields["text"].split() for each in made.rows]
    words = sorted({word for document in documents for word in document})
    worth = [okapi(documents, [word]) for word in words]
    lines = list(zip(*worth, strict=True))
    return np.array([[cosine(one, other) for other in lines] for one in lines])


def near(made, kind, example):
    if kind == "knn":
        return cosines(made, example)
    scores = okapi([each.fields["text"].split() for each in made.rows], example.fields["text"].split())
    return [each / max(scores) for each in scores]


@pytest.mark.parametrize(("kind", "weight"), list(product(["knn", "bm25"], [0.0, 0.3, 0.5, 1.0])))
def test_mmr_takes_the_most_marginal_row_each_time(kind, weight):
    """Carbonell and Goldstein 1998, the formula of section 2."""
    made = pool()
    example, similar = made.queries[1], among(made, kind)
    scores = near(made, kind, example)
    some = ranked(scores, ALLOWED)[:15]
    taken: list[int] = []
    for _ in range(6):
        left = [each for each in some if each not in taken]
        value = {
            each: round(weight * scores[each] - (1 - weight) * max((similar[each][t] for t in taken), default=0), 5)
            for each in left
        }
        taken.append(max(left, key=value.__getitem__))
    select = {"mmr": {"of": kind, "lambda": weight, "candidates": 15}}
    assert chooser(select, made)(example, ALLOWED, 6) == taken


def test_mmr_that_looks_at_the_example_alone_is_the_nearest():
    """lambda 1."""
    made = pool()
    example = made.queries[2]
    assert chooser({"mmr": {"lambda": 1.0}}, made)(example, ALLOWED, 8) == chooser("knn", made)(example, ALLOWED, 8)


@pytest.mark.parametrize(("kind", "weight"), list(product(["knn", "bm25"], [0.05, 0.1, 1.0])))
def test_dpp_takes_the_row_that_makes_the_greatest_determinant_each_time(kind, weight):
    """The kernel of Ye et al. 2023 written out, its determinants computed one by one."""
    made = pool()
    example, similar = made.queries[0], among(made, kind)
    scores = near(made, kind, example)
    some = ranked(scores, ALLOWED)[:15]
    quality = np.exp([(scores[each] + 1) / 2 / (2 * weight) for each in some])
    kernel = quality[:, None] * (np.array([[similar[a][b] for b in some] for a in some]) + 1) / 2 * quality
    taken: list[int] = []
    for _ in range(5):
        left = [place for place in range(15) if place not in taken]
        value = {place: np.linalg.slogdet(kernel[np.ix_([*taken, place], [*taken, place])])[1] for place in left}
        taken.append(max(left, key=value.__getitem__))
    select = {"dpp": {"of": kind, "lambda": weight, "candidates": 15}}
    assert chooser(select, made)(example, ALLOWED, 5) == [some[place] for place in taken]


def test_dpp_takes_copies_only_when_nothing_else_is_left():
    """A set with a row twice has the determinant zero; the number asked for is given all the same."""
    made = Pool(
        rows=[row(f"r{number}", text=text) for number, text in enumerate(["dull film"] * 3 + ["warm book"] * 3)],
        queries=[row("q", text="dull film")],
        text_of=lambda each: each.fields["text"],
        frozen=Hashing(),
    )
    chosen = chooser("dpp", made)(made.queries[0], range(6), 4)
    assert chosen[:2] == [0, 3]
    assert chosen[2:] == [1, 2]


@pytest.mark.parametrize("kind", ["mmr", "dpp", "votek", "mdl"])
def test_of_names_a_selector_that_knows_what_is_near(kind):
    """A random choice is near to nothing."""
    with pytest.raises(ValidationError, match="'random' does not say how near rows are"):
        chooser({kind: {"of": "random"}}, pool())


@pytest.mark.parametrize(("kind", "num_neighbours"), list(product(["knn", "bm25"], [1, 4, 60])))
def test_votek_takes_the_row_with_the_most_votes_each_time(kind, num_neighbours):
    """Su et al. 2022, section 2.2, vote by vote."""
    made = pool()
    edges = {}
    for voter, each in enumerate(made.rows):
        scores = near(made, kind, each)
        edges[voter] = ranked(scores, [other for other in range(40) if other != voter])[:num_neighbours]
    taken: list[int] = []
    for _ in range(7):
        left = [number for number in ALLOWED if number not in taken]
        votes = {
            number: round(
                sum(10.0 ** -len(set(edges[voter]) & set(taken)) for voter in left if number in edges[voter]), 9
            )
            for number in left
        }
        taken.append(max(left, key=votes.__getitem__))
    select = {"votek": {"of": kind, "neighbours": num_neighbours}}
    assert chooser(select, made)(None, ALLOWED, 7) == taken


def test_votek_never_sees_the_examples_that_are_asked_about():
    """It annotates a pool; a choice that looked at the test rows would have to say so."""
    model = Hashing()
    chooser("votek", pool(frozen=model))
    assert model.asked == [("embed", 40, ())]


def test_a_pool_of_one_row_is_chosen_whole():
    """No deviation, no neighbours, no candidates."""
    made = pool(1)
    for select in ("knn", "bm25", "mmr", "dpp", "votek", "mdl", "balanced"):
        assert list(chooser(select, made)(made.queries[0], [0], 3)) == [0], select
