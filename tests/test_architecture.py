"""Who may import whom: app -> bioui -> db <- trainer."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
FORBIDDEN = {
    "db": {"bioui", "trainer", "gradio", "torch", "transformers", "peft"},
    "bioui": {"trainer", "torch", "transformers", "peft", "accelerate", "datasets", "sqlalchemy"},
    "trainer": {"bioui", "gradio"},
}


def imported(path: Path) -> set[str]:
    """The top-level packages a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_it_may(room):
    files = list((REPOSITORY / room).rglob("*.py"))
    assert files
    broken = {
        str(path): imported(path) & FORBIDDEN[room] for path in files if imported(path) & FORBIDDEN[room]
    }
    assert broken == {}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("bioui.server", "torch"),
        ("bioui.server", "transformers"),
        ("trainer.worker", "torch"),
        ("app", "gradio"),
    ],
)
def test_a_light_process_stays_light(module, absent):
    code = f"import sys, {module}; sys.exit({absent!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY).returncode == 0


def test_stored_text_reaches_a_page_only_through_the_view_that_makes_it_safe():
    raw = [
        str(path)
        for path in (REPOSITORY / "bioui").rglob("*.py")
        if path.name != "view.py" and "gr.HTML(" in path.read_text(encoding="utf-8")
    ]
    assert raw == []


def test_the_top_level_holds_only_its_rooms_and_tool_files():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    allowed = {"app.py", "bioui", "trainer", "db", "tests", "requirements.txt", "README.md"}
    tools = {
        "Makefile",
        "pyproject.toml",
        ".ci",
        "docs",
        "LICENSE",
        "CHANGELOG.md",
        ".gitignore",
        ".gitattributes",
    }
    assert {name.split("/")[0] for name in tracked} <= allowed | tools


def test_no_wall_clock_is_read_naively():
    naive = [
        str(path)
        for room in FORBIDDEN
        for path in (REPOSITORY / room).rglob("*.py")
        if any(call in path.read_text(encoding="utf-8") for call in ("datetime.utcnow", "datetime.now()"))
    ]
    assert naive == []
