"""The one command, as far as it goes without serving; tests/e2e starts it whole."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


def refusal(*flags: str) -> str:
    """What `python app.py` says when it will not start."""
    ended = subprocess.run(
        [sys.executable, "app.py", *flags], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode != 0
    return ended.stderr.strip()


@pytest.mark.parametrize("port", ["0", "70000"])
def test_an_impossible_port_gets_one_sentence(tmp_path, port):
    said = refusal("--port", port, "--data-dir", str(tmp_path))
    assert said.startswith("BioInstruct Studio cannot start. port:")
    assert "\n" not in said


def test_a_port_in_use_gets_one_sentence_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = refusal("--port", str(taken.getsockname()[1]), "--data-dir", str(tmp_path))
    assert "give another with --port" in said
    assert "\n" not in said
    assert not (tmp_path / "studio.db").exists()


def test_a_data_folder_that_cannot_be_written_gets_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    said = refusal("--data-dir", str(tmp_path / "file" / "data"))
    assert said.startswith("BioInstruct Studio cannot start. data_dir:")
    assert "\n" not in said
