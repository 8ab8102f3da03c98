"""The house keeps its shape: imports run downward, torch stays in its room, the faces are as promised."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "promptkit"

# the storeys, from the ground up; rooms on one storey do not know each other
STOREYS = [
    {"text"},
    {"errors", "folders", "version"},
    {"spec"},
    {"data"},
    {"prompt", "generate", "align", "score"},
    {"run"},
    {"report", "api"},
    {"cli"},
]
LEVEL = {room: level for level, rooms in enumerate(STOREYS) for room in rooms}
DATA = ROOT / "pipelines" / "data"
HEAVY = ("torch", "transformers", "datasets", "pyarrow", "pandas", "numpy", "scipy", "huggingface_hub")


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if "shipped" not in path.parts)


def room_of(path):
    part = path.relative_to(PACKAGE).parts[0]
    return part.removesuffix(".py")


def imported(path):
    """The names of all modules that a file imports, late imports included."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_every_room_has_its_storey():
    """A new room must say where it stands."""
    rooms = {room_of(path) for path in modules()} - {"__init__", "__main__"}
    assert rooms == set(LEVEL)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downward(path):
    """The one rule of the house: no room knows a neighbour on its storey, or one above."""
    room = room_of(path)
    if room in ("__init__", "__main__"):
        return
    for name in imported(path):
        parts = name.split(".")
        if parts[0] != "promptkit" or len(parts) == 1 or parts[1] == room:
            continue
        assert LEVEL[parts[1]] < LEVEL[room], f"{room} imports {name}"


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_generate_imports_torch(path):
    """Everything but the model must answer in a moment."""
    if room_of(path) != "generate":
        assert not {"torch", "transformers"} & {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize(
    "verb",
    [
        ["check", "sentiment"],
        ["show", "sentiment"],
        ["card", "sentiment"],
        ["schema"],
        ["explain", "sentiment", "--text", "positive"],
        ["bakeoff", "arithmetic", "gsm8k-cot", "--from", f"{DATA}/arithmetic-test.jsonl", "--field", "rationale"],
    ],
    ids=lambda verb: verb[0],
)
def test_light_verbs_import_nothing_heavy(verb):
    """`check` and `show` are for typing along with: half a second, and no torch.

    `card` counts the parameters of a GGUF file in its header, through a library that imports numpy.
    """
    program = (
        "import sys\nfrom promptkit.cli import make_app\n"
        f"make_app({verb[:1]!r})({verb!r}, standalone_mode=False)\n"
        f"sys.stderr.write(','.join(sorted(set({HEAVY!r}) & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stderr.splitlines()[-1] if done.stderr else ""
    allowed = {"numpy"} if verb[0] == "card" else set()
    assert not set(loaded.split(",")) & (set(HEAVY) - allowed), loaded


@pytest.mark.parametrize("room", ["spec", "data", "prompt", "generate", "align", "score", "run", "report"])
def test_faces_are_sorted_and_whole(room):
    """A package's public names come from its face, sorted, and each is there."""
    face = importlib.import_module(f"promptkit.{room}") if room != "run" else sys.modules["promptkit.run"]
    constants = sorted(name for name in face.__all__ if name.isupper())
    types = sorted(name for name in face.__all__ if not name.isupper() and name[0].isupper())
    functions = sorted(name for name in face.__all__ if name[0].islower())
    assert face.__all__ == [*constants, *types, *functions]
    assert all(hasattr(face, name) for name in face.__all__)


def test_the_public_face_is_pinned():
    """Adding a public name is a decision; losing one breaks users."""
    import promptkit

    assert promptkit.__all__ == ["Pipeline", "PromptkitError", "Record", "Run", "__version__", "load", "run"]
    assert callable(promptkit.run)


def test_the_architecture_page_names_every_room():
    """The page is kept true by this."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    missing = [
        room for room in LEVEL if f"`{room}" not in page and f" {room}/" not in page and f" {room}.py" not in page
    ]
    assert not missing
