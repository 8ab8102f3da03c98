"""Writes `arithmetic-test.jsonl` and `arithmetic-train.jsonl` beside itself: word problems with their solutions.

Run it as `python make_arithmetic.py`. The seed decides every number, name and thing, so the files come out the same.
"""

# ruff: noqa: INP001 - a script among its data, not a package

from __future__ import annotations

import json
import operator
import random
from dataclasses import dataclass
from pathlib import Path

SEED = 20240229
NUM_TEST, NUM_TRAIN = 200, 32

NAMES = (
    *("Ada", "Amir", "Bea", "Carlos", "Dina", "Elif", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kavya", "Lena"),
    *("Mateo", "Nadia", "Omar", "Petra", "Quinn", "Rosa", "Samir", "Tomas", "Uma", "Vera", "Wes", "Yuki", "Zoe"),
)
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
MOST = 5000  # no result is larger


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A kind of problem: its question, its steps, and the range of each number.

    A step is a sentence before an equation, the equation with letters, and what is said after it. `p` and `q` are
    names, `t` is a thing, the other letters are numbers.
    """

    question: str
    steps: tuple[tuple[str, str, str], ...]
    ranges: dict[str, tuple[int, int]]
    things: tuple[str, ...] = ("",)


def one(question: str, step: tuple[str, str, str], things: str = "", **ranges: tuple[int, int]) -> Shape:
    """A shape with one step."""
    return chain(question, step, things=things, **ranges)


def chain(question: str, *steps: tuple[str, str, str], things: str = "", **ranges: tuple[int, int]) -> Shape:
    """A shape with as many steps as are given; `things` are separated by commas."""
    return Shape(question=question, steps=steps, ranges=ranges, things=tuple(things.split(", ")))


SHAPES = (
    # One step.
    one(
        "{p} has {a} {t} and is given {b} more. How many {t} does {p} have now?",
        ("{p} starts with {a} {t} and gets {b} more:", "a + b = x", ""),
        things="stickers, marbles, stamps, seashells",
        a=(12, 90),
        b=(5, 60),
    ),
    one(
        "A shelf holds {a} {t}. {p} takes {b} of them away. How many {t} are left on the shelf?",
        ("From the {a} {t}, {b} are taken:", "a - b = x", ""),
        things="books, jars, records, puzzles",
        a=(30, 95),
        b=(6, 29),
    ),
    one(
        "There are {a} {t} in each box. How many {t} are there in {b} boxes?",
        ("Each of the {b} boxes holds {a} {t}:", "b * a = x", ""),
        things="candles, batteries, light bulbs, tea bags",
        a=(6, 24),
        b=(3, 12),
    ),
    one(
        "{p} shares {a} {t} equally among {b} children. How many {t} does each child get?",
        ("{a} {t} are shared by {b} children:", "a / b = x", "each"),
        things="grapes, crayons, biscuits, balloons",
        a=(12, 120),
        b=(3, 12),
    ),
    one(
        "{p} is {a} cm tall. {q} is {b} cm tall. By how many centimetres is {p} taller than {q}?",
        ("The difference between {a} and {b} is asked for:", "a - b = x", ""),
        a=(150, 195),
        b=(105, 149),
    ),
    one(
        "A train travels {a} km in every hour. How many kilometres does it travel in {b} hours?",
        ("It covers {a} km in each of the {b} hours:", "a * b = x", ""),
        a=(60, 180),
        b=(2, 9),
    ),
    one(
        "{p} walked {a} steps in the morning and {b} steps in the afternoon. How many steps is that in all?",
        ("Both walks together:", "a + b = x", ""),
        a=(800, 2900),
        b=(500, 2000),
    ),
    # Two steps.
    chain(
        "{p} buys {a} {t} for ${b} each and pays with a ${c} note. How many dollars does {p} get back?",
        ("The {t} cost", "a * b = x", "dollars."),
        ("The change is", "c - x = y", "dollars."),
        things="notebooks, mugs, plants, tickets",
        a=(2, 9),
        b=(2, 9),
        c=(100, 100),
    ),
    chain(
        "A bakery bakes {a} trays with {b} {t} on each tray. It sells {c} of them. How many {t} are left?",
        ("The bakery bakes", "a * b = x", "{t}."),
        ("After the sale there are", "x - c = y", "left."),
        things="rolls, muffins, croissants, buns",
        a=(3, 12),
        b=(8, 24),
        c=(15, 90),
    ),
    chain(
        "{p} has {a} {t}. {q} has {b} more than {p}. How many {t} do they have together?",
        ("{q} has", "a + b = x", "{t}."),
        ("Together they have", "a + x = y", ""),
        things="coins, comics, model cars, postcards",
        a=(8, 60),
        b=(3, 25),
    ),
    chain(
        "{p} saves ${a} every week for {b} weeks and then spends ${c}. How many dollars are left?",
        ("The savings come to", "a * b = x", "dollars."),
        ("After the purchase there are", "x - c = y", "dollars."),
        a=(6, 30),
        b=(4, 15),
        c=(10, 80),
    ),
    chain(
        "A farm has {a} brown hens and {b} white hens. The hens are kept in {c} equal groups. "
        "How many hens are in each group?",
        ("There are", "a + b = x", "hens in all."),
        ("In each group there are", "x / c = y", ""),
        a=(10, 60),
        b=(10, 60),
        c=(3, 9),
    ),
    chain(
        "{p} reads {a} pages a day. A book has {b} pages, and {p} has already read {c} of them. "
        "How many days will the rest take?",
        ("The pages left are", "b - c = x", ""),
        ("At {a} pages a day that takes", "x / a = y", "days."),
        a=(8, 30),
        b=(150, 420),
        c=(20, 140),
    ),
    chain(
        "A bus has {a} passengers. At the first stop {b} get off, and at the second stop {c} get on. "
        "How many passengers are on the bus then?",
        ("After the first stop there are", "a - b = x", "passengers."),
        ("After the second stop there are", "x + c = y", ""),
        a=(20, 55),
        b=(4, 19),
        c=(3, 18),
    ),
    chain(
        "{p} picks {a} {t} and {q} picks {b}. They put all of them into bags of {c}. How many bags do they fill?",
        ("Together they pick", "a + b = x", "{t}."),
        ("The number of bags is", "x / c = y", ""),
        things="apples, pears, lemons, walnuts",
        a=(15, 80),
        b=(15, 80),
        c=(4, 12),
    ),
    chain(
        "A hall has {a} rows of {b} seats. At a concert {c} seats stay empty. How many seats are taken?",
        ("The hall has", "a * b = x", "seats."),
        ("Taken are", "x - c = y", ""),
        a=(8, 30),
        b=(10, 28),
        c=(11, 75),
    ),
    chain(
        "{p} earns ${a} an hour and works {b} hours a day. How many dollars does {p} earn in {c} days?",
        ("In one day {p} earns", "a * b = x", "dollars."),
        ("In {c} days that makes", "x * c = y", "dollars."),
        a=(11, 32),
        b=(3, 8),
        c=(2, 6),
    ),
    # Three steps.
    chain(
        "{p} buys {a} pens at ${b} each and {c} folders at ${d} each. How many dollars does {p} spend?",
        ("The pens cost", "a * b = x", "dollars."),
        ("The folders cost", "c * d = y", "dollars."),
        ("Altogether that is", "x + y = z", "dollars."),
        a=(3, 12),
        b=(2, 5),
        c=(2, 9),
        d=(3, 8),
    ),
    chain(
        "A tank holds {a} litres. In the morning {b} litres are used, and in the evening {c} litres. "
        "The rest is filled into cans of {d} litres. How many cans are filled?",
        ("Used are", "b + c = x", "litres."),
        ("Left are", "a - x = y", "litres."),
        ("The number of cans is", "y / d = z", ""),
        a=(120, 400),
        b=(15, 50),
        c=(15, 50),
        d=(4, 15),
    ),
    chain(
        "{p} has {a} {t} and {q} has {b}. They put them together, lose {c}, and share the rest equally between "
        "the 2 of them. How many {t} does each of them get?",
        ("Together they have", "a + b = x", "{t}."),
        ("After the loss there are", "x - c = y", ""),
        ("Each of them gets", "y / 2 = z", ""),
        things="beads, cards, buttons, tokens",
        a=(15, 70),
        b=(15, 70),
        c=(3, 20),
    ),
    chain(
        "A school orders {a} boxes of {b} pencils. {c} pencils are broken. The good ones are given out equally to "
        "{d} classes. How many pencils does each class get?",
        ("The school gets", "a * b = x", "pencils."),
        ("Of these,", "x - c = y", "are good."),
        ("Each class gets", "y / d = z", ""),
        a=(5, 20),
        b=(10, 40),
        c=(4, 30),
        d=(3, 12),
    ),
    chain(
        "{p} cycles {a} km on each of {b} days and {c} km on the day after. {q} cycles {d} km less than {p} in all. "
        "How many kilometres does {q} cycle?",
        ("On the first {b} days {p} cycles", "a * b = x", "km."),
        ("In all {p} cycles", "x + c = y", "km."),
        ("{q} cycles", "y - d = z", "km."),
        a=(8, 40),
        b=(2, 6),
        c=(5, 60),
        d=(4, 25),
    ),
    chain(
        "A shop has {a} {t}. It sells {b} on Monday and twice as many on Tuesday. How many {t} are left?",
        ("On Tuesday it sells", "2 * b = x", "{t}."),
        ("On both days it sells", "b + x = y", ""),
        ("Left are", "a - y = z", ""),
        things="lamps, kites, bicycles, blankets",
        a=(80, 240),
        b=(7, 26),
    ),
    chain(
        "{p} sells {a} cups of lemonade at ${b} each. The lemons cost ${c} and the sugar costs ${d}. "
        "How many dollars of profit does {p} make?",
        ("The sales bring", "a * b = x", "dollars."),
        ("The costs are", "c + d = y", "dollars."),
        ("The profit is", "x - y = z", "dollars."),
        a=(15, 60),
        b=(2, 4),
        c=(6, 15),
        d=(2, 9),
    ),
    chain(
        "Each of {a} tables seats {b} guests, and each of {c} benches seats {d}. How many guests can sit down in all?",
        ("The tables seat", "a * b = x", "guests."),
        ("The benches seat", "c * d = y", "guests."),
        ("Together they seat", "x + y = z", ""),
        a=(4, 15),
        b=(4, 10),
        c=(3, 12),
        d=(2, 5),
    ),
)


def solve(shape: Shape, values: dict[str, int]) -> dict[str, int] | None:
    """`values` and the results of the shape's equations; None where one is no whole number from 2 to MOST."""
    known = dict(values)
    for _, equation, _ in shape.steps:
        left, sign, right, _, result = equation.split()
        terms = [known[term] if term in known else int(term) for term in (left, right)]
        value = OPERATIONS[sign](*terms)
        if value != int(value) or not 2 <= value <= MOST:
            return None
        known[result] = int(value)
    return known


def draw(shape: Shape, chance: random.Random) -> dict[str, str]:
    """One problem of this shape: question, rationale, answer."""
    solved = None
    while solved is None:
        solved = solve(shape, {letter: chance.randint(*limits) for letter, limits in shape.ranges.items()})
    p, q = chance.sample(NAMES, 2)
    words = {"p": p, "q": q, "t": chance.choice(shape.things), **solved}
    sentences = []
    for before, equation, after in shape.steps:
        numbers = " ".join(str(solved.get(part, part)) for part in equation.split())
        sentence = " ".join(part for part in (before.format(**words), numbers, after.format(**words)) if part)
        sentences.append(sentence if sentence.endswith(".") else sentence + ".")
    result = shape.steps[-1][1].split()[-1]
    return {
        "question": shape.question.format(**words),
        "rationale": " ".join(sentences),
        "answer": str(solved[result]),
    }


def problems(count: int, chance: random.Random) -> list[dict[str, str | int]]:
    """`count` different problems. Every shape comes up once before any comes up again."""
    rows: list[dict[str, str | int]] = []
    seen: set[str] = set()
    deck: list[Shape] = []
    while len(rows) < count:
        deck = deck or chance.sample(SHAPES, len(SHAPES))
        row = draw(deck[-1], chance)
        if row["question"] not in seen:
            seen.add(row["question"])
            rows.append({"num_steps": len(deck.pop().steps), **row})
    return rows


def write(folder: Path) -> None:
    """Writes both files into `folder`."""
    chance = random.Random(SEED)  # noqa: S311 - examples, no secrets
    rows = problems(NUM_TRAIN + NUM_TEST, chance)
    for split, part in (("train", rows[:NUM_TRAIN]), ("test", rows[NUM_TRAIN:])):
        lines = [
            json.dumps({"id": f"arithmetic-{split}-{number:03d}", **row}, ensure_ascii=False)
            for number, row in enumerate(part, start=1)
        ]
        text = "\n".join(lines) + "\n"
        (folder / f"arithmetic-{split}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).resolve().parent)
