"""Tries the card's programs in a process of its own, without a card; prints JSON.

TRITON_INTERPRET=1 python trying.py interpret    what they compute, against the loops, number by number
python trying.py compile                         whether they can be made for cards, and what they take there
python trying.py launches                        in how many ways an ordinary run has each of them compiled
"""

import json
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Case:
    """The shape of a layer's attention."""

    dtype: str = "float32"
    num_heads: int = 2
    group: int = 3
    size: int = 16
    value_size: int = 16
    window: int | None = None
    softcap: float | None = None
    has_sinks: bool = False
    num_tokens: int = 4  # of a piece
    num_keys: int = 40


CASES = {
    "plain": Case(),
    "half": Case(dtype="float16"),
    "one-head": Case(num_heads=1, group=1),
    "many-queries": Case(num_heads=1, group=21, num_tokens=1),
    "uneven-sizes": Case(size=20, value_size=12),
    "wide": Case(size=80, value_size=64, group=2),
    "window": Case(window=7),
    "window-of-blocks": Case(window=33, num_keys=90),
    "softcap": Case(softcap=5.0),
    "sinks": Case(has_sinks=True),
    "all": Case(dtype="float16", window=9, softcap=3.0, has_sinks=True, size=24, value_size=40),
    "small-pieces": Case(num_tokens=1, num_keys=3),
}


def interpret() -> dict[str, float]:
    """The greatest difference of any number that the programs make from the loops', a case."""
    return {name: differing(case) for name, case in CASES.items()}


def differing(case: Case) -> float:
    import torch

    from promptkit.generate.engine.attention import Settings
    from promptkit.generate.engine.card.card import Card
    from promptkit.generate.engine.card.kernels import TritonKernels
    from tests.generate.engine.card.loops import Loops

    torch.manual_seed(1)
    found = []
    loops = Loops(num_tokens=case.num_tokens, num_keys=case.num_keys)
    programs = TritonKernels()
    programs.cut = loops.cut  # type: ignore[method-assign] # small, so that small passes are cut, too
    settings = Settings(
        layer=0,
        scale=case.size**-0.5,
        window=case.window,
        softcap=case.softcap,
        sinks=torch.randn(case.num_heads, case.group) if case.has_sinks else None,
    )
    for kernels in (programs, loops):
        torch.manual_seed(2)
        card = Card(kernels, lambda run: run)
        found.append(torch.cat([card.attend(each, settings, heads(case, each)) for each in passes(card)]))
    assert not torch.isnan(found[0]).any()
    return float((found[0] - found[1]).abs().max())


def heads(case: Case, forward: Any) -> Any:
    """Random heads; keys and values lie as a model's modules leave them, head beside head."""
    import torch

    from promptkit.generate.engine.attention import Heads

    dtype, num = getattr(torch, case.dtype), len(forward)
    query = torch.randn(num, case.num_heads, case.group, case.size, dtype=dtype)
    keys = torch.randn(num, case.num_heads, case.size, dtype=dtype).transpose(0, 1)
    values = torch.randn(num, case.num_heads, case.value_size, dtype=dtype).transpose(0, 1)
    return Heads(query, keys, values)


def passes(card: Any) -> Any:
    """A prompt's stretches in two pieces, rows that enter below them or alone, a step with guesses, and branches."""
    import torch

    from promptkit.generate.engine.branches import Branches
    from promptkit.generate.engine.layout import Part, Pass
    from promptkit.generate.engine.stretch import Scratch, Slots, Stretch
    from promptkit.generate.engine.tree import Node
    from promptkit.generate.request import Request

    def new_pass() -> Pass:
        return Pass(device=torch.device("cpu"), card=card)

    def row(slot: int, below: Stretch | None, first: int, num: int) -> Part:
        start = below.end if below else 0
        places = range(first, first + num)
        ranges = [((0, place + 1, start),) for place in places]
        return Part(
            slot=slot,
            below=below,
            token_ids=[1] * num,
            positions=[start + each for each in places],
            places=places,
            ranges=ranges,
        )

    root = Node(parent=None, start=0, token_ids=(1,) * 43, num_rows=3)
    leaf = Node(parent=root, start=43, token_ids=(2,) * 9, num_rows=2)
    above = Stretch(root, None)
    below = Stretch(leaf, above)
    for stretch, num in ((above, 30), (above, 13), (below, 9)):
        forward = new_pass()
        forward.add_stretch(stretch, num)
        yield forward
        stretch.num_done += num
    slots = Slots(4, 50, lanes=1)
    entering = [row(2, below, 0, 5), row(0, below, 0, 11), row(3, above, 0, 1), row(1, None, 0, 20)]
    forward = new_pass()
    forward.add_fresh(slots, entering)
    yield forward
    forward = new_pass()
    forward.add_parts(slots, [row(2, below, 5, 1), row(0, below, 11, 4), row(3, above, 1, 1), row(1, None, 20, 2)])
    yield forward
    ids = tuple((1, 2, *tail) for tail in ((3,), (3, 4, 5), (3, 4, 6, 7), (8, 9, 9), (8, 9, 10, 3)))
    asked = Request(label="x", prompt="", token_ids=(1, 2), options=tuple("abcde"), option_token_ids=ids)
    branches = Branches.of(asked, 0)
    forward = new_pass()
    forward.add_fresh(Scratch(1, len(branches), lanes=1), [branches.part(0, None)])
    yield forward


KINDS = {"bfloat16": "*bf16", "float16": "*fp16", "float32": "*fp32"}
SIGNATURES = {  # "*" is a pointer to numbers of the model's dtype
    "put_tokens": "keys:* values:* holders:*i64 homes:*i64 key_head:i32 key_token:i32 value_head:i32 value_token:i32",
    "read_piece": "queries:* holders:*i64 pieces:*i64 positions:*i64 out:*fp32 lse:*fp32 scale:fp32 softcap:fp32 "
    "window:i32 query_token:i32 query_head:i32 query_member:i32",
    "merge_lines": "parts:*fp32 lse:*fp32 line_starts:*i64 lines:*i64 sinks:*fp32 out:*",
}
UNKNOWN = {"window", "scale", "softcap"}  # what is any number
CARDS = {"sm_75": 75, "sm_80": 80, "sm_90": 90, "sm_120": 120}
SHAPES = {  # dtype, query heads a key's, numbers of a head, whether pieces are large: as of the default model, and of larger ones
    "step": ("bfloat16", 3, 64, False),
    "step-large": ("bfloat16", 8, 128, False),
    "prompt": ("bfloat16", 3, 64, True),
    "prompt-large": ("bfloat16", 8, 128, True),
    "prompt-wide": ("float16", 1, 256, True),
    "step-exact": ("float32", 3, 64, False),
    "prompt-exact": ("float32", 4, 128, True),
}


def compile_all() -> dict[str, Any]:
    """What each program takes on each card in each shape: shared memory, and whether keys are read sixteen bytes at once."""
    return {
        f"{card} {shape} {program}": compiled(program, capability, *SHAPES[shape])
        for card, capability in CARDS.items()
        for shape in SHAPES
        for program in SIGNATURES
    }


def compiled(name: str, capability: int, kind: str, group: int, size: int, is_large: bool) -> dict[str, Any]:
    import torch
    import triton
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from promptkit.generate.engine.attention import Settings
    from promptkit.generate.engine.card import kernels, programs

    dtype, settings = getattr(torch, kind), Settings(layer=0, scale=1.0)
    if kind == "float16":  # all that a layer may have
        settings = replace(settings, window=100, softcap=50.0, sinks=torch.zeros(1))
    has_units = capability >= 80
    most_tokens = kernels.TritonKernels(has_units=has_units).cut(group, dtype, is_large=is_large).num_tokens
    given = {
        "put_tokens": lambda: kernels.put_constants(size, size, dtype),
        "read_piece": lambda: kernels.read_constants(
            settings, most_tokens, (group, size, size), dtype, is_widened=not has_units and kind != "float32"
        ),
        "merge_lines": lambda: kernels.merge_constants(settings, group, size),
    }[name]()
    launch = {key: given.pop(key) for key in ("num_warps", "num_stages") if key in given}
    program = getattr(programs, name)
    signature = dict(each.split(":") for each in SIGNATURES[name].split())
    signature = {key: KINDS[kind] if what == "*" else what for key, what in signature.items()}
    aligned = {
        (each.num,): [["tt.divisibility", 16]]
        for each in program.params
        if each.name in signature and each.name not in UNKNOWN and not each.do_not_specialize_on_alignment
    }
    constants = {(program.arg_names.index(key),): value for key, value in given.items()}
    source = ASTSource(
        fn=program, signature=signature | dict.fromkeys(given, "constexpr"), constexprs=constants, attrs=aligned
    )
    made = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=launch)
    ptx = made.asm["ptx"]
    return {
        "shared": made.metadata.shared,
        "reads_wide": "ld.global.v4" in ptx or "cp.async.cg.shared.global" in ptx,
        "spills": spilled(made.asm["cubin"]),
    }


class Launches:
    """`Kernels` that note how Triton would compile each launch, and compute by loops."""

    def __init__(self) -> None:
        from triton.backends.compiler import GPUTarget
        from triton.compiler import make_backend

        from promptkit.generate.engine.card import programs
        from promptkit.generate.engine.card.kernels import TritonKernels
        from tests.generate.engine.card.loops import Loops

        self._kernels, self._loops = TritonKernels(), Loops()
        backend = make_backend(GPUTarget("cuda", 90, 32))
        self.ways: dict[str, set[str]] = {name: set() for name in SIGNATURES}
        launched = {name: self._noting(name, getattr(programs, name), backend) for name in SIGNATURES}
        self._kernels._programs = SimpleNamespace(**launched)
        self.cut = self._kernels.cut

    def _noting(self, name: str, program: Any, backend: Any) -> Any:
        from triton.runtime.jit import create_function_from_signature

        bind = create_function_from_signature(program.signature, program.params, backend)

        def launch(*args: Any, **constants: Any) -> None:
            self.ways[name].add(str(bind(*args, **constants)[1]))

        return defaultdict(lambda: launch)

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> None:
            getattr(self._kernels, name)(*args)
            getattr(self._loops, name)(*args)

        return call


def launches() -> dict[str, int]:
    """How often each program is compiled in a run with prompts, guesses, steps that are repeated, and scores."""
    from promptkit.generate.engine.card.card import Card
    from tests.architectures import tiny
    from tests.generate.engine.agreement import asking, completing, engine, token_rows
    from tests.generate.engine.card.tape import Taped

    noted = Launches()
    taped = Taped(noted)
    made = engine(tiny("qwen3"), Card(taped, taped.record), num_slots=3)
    assert len(dict(made.complete(completing(token_rows(), max_new_tokens=20)))) == len(token_rows())
    assert list(made.score(asking(token_rows())))
    return {name: len(ways) for name, ways in noted.ways.items()}


def spilled(cubin: bytes) -> int:
    """The bytes of registers that did not suffice, a thread: what the program keeps in local memory."""
    import subprocess
    import tempfile
    from pathlib import Path

    import triton

    tool = Path(triton.__file__).parent / "backends/nvidia/bin/cuobjdump"
    with tempfile.NamedTemporaryFile(suffix=".cubin") as file:
        Path(file.name).write_bytes(cubin)
        shown = subprocess.run([tool, "-res-usage", file.name], capture_output=True, text=True, check=True).stdout
    return int(shown.partition("STACK:")[2].split()[0]) if "STACK:" in shown else -1


if __name__ == "__main__":
    sys.stdout.write(
        json.dumps({"interpret": interpret, "compile": compile_all, "launches": launches}[sys.argv[1]]()) + "\n"
    )
