"""Reading a dataset: what is right becomes a case, what is wrong is named with its file, line and field."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from knowledge.evaluation.cases import BrokenDataset, Case, Pattern, ToolWanted, TurnCase, read, to_json
from knowledge.evaluation.forbidden import KINDS

FULL = {
    "id": "full",
    "tags": ["prices"],
    "note": "why",
    "turns": [
        {
            "say": ["раз", "два"],
            "must": ["335 040", {"re": "руб|₽"}],
            "must_not": ["скидка 90"],
            "any_of": ["а", "б"],
            "tools": [{"name": "pricing__quote", "arguments": {"billing_period": "year"}}],
            "no_tools": ["sales__call_person"],
            "total": "335040.00",
            "outcome": ["answer", "ask"],
            "chips": ["год"],
            "citations": ["prices"],
            "cards": ["quote"],
            "no_cards": ["document"],
        }
    ],
}


def write(folder: Path, *rows: Any, name: str = "cases.jsonl") -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    (folder / name).write_text("\n".join(lines), encoding="utf-8")
    return folder / name


def problems(path: Path) -> list[str]:
    with pytest.raises(BrokenDataset) as broken:
        read(path)
    return broken.value.problems


def test_a_line_becomes_a_case(tmp_path: Path) -> None:
    (case,) = read(write(tmp_path, FULL))

    assert case == Case(
        id="full",
        tags=("prices",),
        note="why",
        source="cases.jsonl, line 1",
        turns=(
            TurnCase(
                say=("раз", "два"),
                must=(Pattern("335 040"), Pattern("руб|₽", is_regex=True)),
                must_not=(Pattern("скидка 90"),),
                any_of=(Pattern("а"), Pattern("б")),
                tools=(ToolWanted("pricing__quote", {"billing_period": "year"}),),
                no_tools=("sales__call_person",),
                total=Decimal("335040.00"),
                outcome=("answer", "ask"),
                chips=(Pattern("год"),),
                citations=("prices",),
                cards=("quote",),
                no_cards=("document",),
            ),
        ),
    )


def test_a_case_is_written_as_it_was_read(tmp_path: Path) -> None:
    (case,) = read(write(tmp_path, FULL))

    assert to_json(case) == FULL


def test_a_case_with_a_scene_is_written_as_it_was_read(tmp_path: Path) -> None:
    scene = {
        "id": "scene",
        "setup": {
            "name": "Анна",
            "company": "ООО «Пример»",
            "articles": [{"title": "График", "body": "Круглые сутки", "questions": ["Когда?"]}],
            "earlier": [{"author": "operator", "text": "Скоро буду"}],
        },
        "turns": [{"say": "Когда?", "totals": ["1.00", "2.00"], "forbidden": "all"}],
    }

    (case,) = read(write(tmp_path, scene))

    assert to_json(case) == scene
    assert case.setup.earlier == (("operator", "Скоро буду"),)
    assert case.turns[0].forbidden == KINDS


def test_all_files_of_a_folder_are_read_and_comments_passed_over(tmp_path: Path) -> None:
    write(tmp_path, "# prices", "", {"id": "a", "turns": [{"say": "x"}]}, name="a.jsonl")
    (tmp_path / "more").mkdir()
    write(tmp_path / "more", {"id": "b", "turns": [{"say": "y"}]}, name="b.jsonl")

    assert [(case.id, case.source) for case in read(tmp_path)] == [("a", "a.jsonl, line 3"), ("b", "b.jsonl, line 1")]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("{", "cases.jsonl, line 1: this is no JSON: "),
        ({"id": "a", "turns": [{"say": "x"}], "setup": []}, "cases.jsonl, line 1, setup: an object is expected"),
        ({"id": "a", "turns": [{"say": "x"}], "setup": {"age": 1}}, "cases.jsonl, line 1, setup.age: there is no such"),
        ({"id": "a", "turns": [{"say": "x"}], "setup": {"name": 1}}, "cases.jsonl, line 1, setup.name: a text is"),
        (
            {"id": "a", "turns": [{"say": "x"}], "setup": {"earlier": [{"author": "God", "text": "x"}]}},
            "cases.jsonl, line 1, setup.earlier[0].author: one of customer,",
        ),
        (
            {"id": "a", "turns": [{"say": "x", "forbidden": ["sins"]}]},
            "cases.jsonl, line 1, turns[0].forbidden: one of",
        ),
        ({"id": "a", "turns": [{"say": "x", "totals": ["1"]}]}, "cases.jsonl, line 1, turns[0].totals[0]: '1' is no"),
        ("[]", "cases.jsonl, line 1: a case is an object: {…}"),
        ({"turns": [{"say": "x"}]}, "cases.jsonl, line 1, id: a case needs an id"),
        ({"id": "a b", "turns": [{"say": "x"}]}, "cases.jsonl, line 1, id: a case needs an id"),
        ({"id": "a"}, "cases.jsonl, line 1, turns: a case needs at least one turn"),
        ({"id": "a", "turns": [], "extra": 1}, "cases.jsonl, line 1, extra: there is no such field"),
        ({"id": "a", "turns": ["x"]}, "cases.jsonl, line 1, turns[0]: a turn is an object"),
        ({"id": "a", "turns": [{}]}, "cases.jsonl, line 1, turns[0].say: a text is expected"),
        ({"id": "a", "turns": [{"say": []}]}, "cases.jsonl, line 1, turns[0].say: a text is expected"),
        ({"id": "a", "turns": [{"say": " "}]}, "cases.jsonl, line 1, turns[0].say: a customer never says nothing"),
        ({"id": "a", "turns": [{"say": "x" * 4001}]}, "cases.jsonl, line 1, turns[0].say: at most 4000"),
        ({"id": "a", "turns": [{"say": "x", "mast": ["y"]}]}, "cases.jsonl, line 1, turns[0].mast: there is no such"),
        ({"id": "a", "turns": [{"say": "x", "must": 1}]}, "cases.jsonl, line 1, turns[0].must: a list of texts"),
        ({"id": "a", "turns": [{"say": "x", "must": ["ok", ""]}]}, "cases.jsonl, line 1, turns[0].must[1]: a text"),
        (
            {"id": "a", "turns": [{"say": "x", "must": [{"re": "("}]}]},
            "cases.jsonl, line 1, turns[0].must[0]: no regular",
        ),
        ({"id": "a", "turns": [{"say": "x", "total": 100}]}, "cases.jsonl, line 1, turns[0].total: 100 is no amount"),
        (
            {"id": "a", "turns": [{"say": "x", "total": "1,5"}]},
            "cases.jsonl, line 1, turns[0].total: '1,5' is no amount",
        ),
        (
            {"id": "a", "turns": [{"say": "x", "outcome": "win"}]},
            "cases.jsonl, line 1, turns[0].outcome: one of answer",
        ),
        ({"id": "a", "turns": [{"say": "x", "cards": ["video"]}]}, "cases.jsonl, line 1, turns[0].cards: one of quote"),
        ({"id": "a", "turns": [{"say": "x", "tools": ["q"]}]}, 'cases.jsonl, line 1, turns[0].tools[0]: {"name"'),
        (
            {"id": "a", "turns": [{"say": "x", "tools": [{"name": "quote"}]}]},
            "cases.jsonl, line 1, turns[0].tools[0].name",
        ),
        ({"id": "a", "turns": [{"say": "x", "no_tools": "a__b"}]}, "cases.jsonl, line 1, turns[0].no_tools: names of"),
        ({"id": "a", "tags": "x", "turns": [{"say": "x"}]}, "cases.jsonl, line 1, tags: a list of texts"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_field(tmp_path: Path, row: Any, problem: str) -> None:
    assert any(each.startswith(problem) for each in problems(write(tmp_path, row)))


def test_all_problems_are_named_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "a", "turns": [{"say": 1}]}, {"id": "b", "turns": [{"say": "x", "total": "1"}]})

    assert [each.split(":")[0] for each in problems(path)] == [
        "cases.jsonl, line 1, turns[0].say",
        "cases.jsonl, line 2, turns[0].total",
    ]


def test_an_id_is_used_once(tmp_path: Path) -> None:
    row = {"id": "a", "turns": [{"say": "x"}]}

    assert problems(write(tmp_path, row, row)) == ["cases.jsonl, line 2, id: 'a' is taken by cases.jsonl, line 1"]


def test_nothing_to_read_is_a_problem_too(tmp_path: Path) -> None:
    assert problems(tmp_path) == [f"{tmp_path}: there are no *.jsonl files here"]
    assert problems(tmp_path / "none.jsonl") == [f"{tmp_path / 'none.jsonl'}: No such file or directory"]
    assert problems(write(tmp_path, "# empty")) == ["there is no case in it"]
    (tmp_path / "latin.jsonl").write_bytes(b'{"id": "\xe9"}')
    assert problems(tmp_path / "latin.jsonl") == ["latin.jsonl, line 1: this is no UTF-8"]
