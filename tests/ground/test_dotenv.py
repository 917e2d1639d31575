"""Reading `.env`: what can be read is, what can't be is named by its line and never quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.embedded.dotenv import BadLine, load, parse

GOOD = {
    "A=1": "1",
    "  A = 1  ": "1",
    "export A=1": "1",
    "A=": "",
    "A=one two": "one two",
    "A=one # a comment": "one",
    "A=one#two": "one#two",
    "A=#": "",
    "A='one # two'": "one # two",
    'A="one # two" # three': "one # two",
    'A="line\\nnext \\"quoted\\" \\\\"': 'line\nnext "quoted" \\',
    "A='as \\n it is'": "as \\n it is",
    "A=postgresql://u:p@h:5432/d?x=y": "postgresql://u:p@h:5432/d?x=y",
    "# only\n\nA=привет": "привет",
}
BAD = {
    "A": "expected NAME=value",
    "1A=x": "expected NAME=value",
    "A-B=x": "expected NAME=value",
    "=secret": "expected NAME=value",
    "A='secret": "never closed",
    'A="secret\\"': "never closed",
    "A='one' secret": "after the closing quote",
}


@pytest.mark.parametrize("text", GOOD)
def test_a_line_that_can_be_read_is(text: str) -> None:
    assert parse(text) == {"A": GOOD[text]}


@pytest.mark.parametrize("text", BAD)
def test_a_line_that_cannot_be_read_is_named_and_not_quoted(text: str) -> None:
    with pytest.raises(BadLine) as caught:
        parse(f"# first\nGOOD=1\n{text}\n")

    assert ".env, line 3" in str(caught.value)
    assert BAD[text] in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(("content", "line"), [(b"A=1\nB=\xff\xfe\n", 2), (b"A=1\nB=2\nC=\x00\n", 3)])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes, line: int) -> None:
    (tmp_path / ".env").write_bytes(content)

    with pytest.raises(BadLine, match=f"line {line}"):
        load(tmp_path / ".env", {})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("\ufeffA=file\nB=file\n")
    env = {"A": "environment"}

    load(tmp_path / ".env", env)

    assert env == {"A": "environment", "B": "file"}


def test_no_file_is_no_variables(tmp_path: Path) -> None:
    env: dict[str, str] = {}

    load(tmp_path / ".env", env)

    assert env == {}
