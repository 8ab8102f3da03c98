"""The wheel: what `pip install promptkit` puts on a machine is all that the light verbs need."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from the working tree without a network."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return path


def names(folder):
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file())


def test_the_wheel_holds_what_is_shipped(wheel):
    """Pipelines with their data, templates, the mark of typed code; and neither tests nor benchmarks."""
    with zipfile.ZipFile(wheel) as opened:
        inside = set(opened.namelist())
    shipped = [name for name in names("pipelines") + names("templates") if "__pycache__" not in name]
    assert shipped
    assert {f"promptkit/shipped/{name}" for name in shipped} == {
        name for name in inside if name.startswith("promptkit/shipped/")
    }
    assert set(names("promptkit/report/page/files")) <= inside
    assert "promptkit/py.typed" in inside
    assert {name.split("/")[0].partition("-")[0] for name in inside} == {"promptkit"}


@pytest.fixture(scope="module")
def unpacked(wheel, tmp_path_factory):
    """The wheel's files alone on the path, and an empty folder to work in."""
    site = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(site)
    return site


PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import promptkit
from promptkit.cli import main
assert promptkit.__file__.startswith(sys.argv[1]), promptkit.__file__
del sys.argv[1]
try:
    main()
finally:
    assert "torch" not in sys.modules
"""


@pytest.mark.parametrize(
    "verb", [["check", "sentiment"], ["show", "sentiment"], ["check", "gsm8k-cot"], ["card", "arithmetic"]]
)
def test_shipped_pipelines_are_found_by_name(unpacked, tmp_path, verb):
    """From any folder, with the templates and the data that they name, and without torch."""
    program = [sys.executable, "-P", "-c", PROGRAM, str(unpacked), *verb]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_module_is_the_command(unpacked, tmp_path):
    """`python -m promptkit` where no script is on the path."""
    done = subprocess.run(
        [sys.executable, "-m", "promptkit", "check", "sentiment"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(unpacked)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "ok   sentiment: 5 of 5 examples hold\n"
