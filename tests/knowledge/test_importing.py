"""Articles from files: what comes in, what is named, what happens the second time."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from knowledge.models import Article, Indexing, Passage
from knowledge.search import search
from tests.knowledge.checks import faults

pytestmark = pytest.mark.django_db


def run(path: Path) -> tuple[int, str, list[str]]:
    """Exit status, stdout, lines of stderr."""
    out, err = StringIO(), StringIO()
    try:
        call_command("import_articles", str(path), stdout=out, stderr=err)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue(), err.getvalue().splitlines()
    return 0, out.getvalue(), err.getvalue().splitlines()


@pytest.fixture
def lines(tmp_path: Path):
    def written(*each: object) -> Path:
        path = tmp_path / "articles.jsonl"
        path.write_bytes(b"\n".join(e if isinstance(e, bytes) else json.dumps(e).encode() for e in each))
        return path

    return written


def found(text: str) -> list[str]:
    return [hit.article.external_id for hit in search(text)]


def test_lines_come_in_with_their_ids_and_are_found_when_the_command_returns(lines):
    path = lines(
        {"id": "A-1", "title": "Доставка", "text": "Курьер за день.", "questions": ["Когда привезёте?"]},
        {"id": 17, "title": "Возврат", "text": "Деньги вернём."},
    )

    assert run(path)[0] == 0
    assert found("когда привезёте") == ["A-1"]
    assert found("вернуть деньги")[0] == "17"
    assert set(Article.objects.values_list("status", flat=True)) == {"published"}
    assert faults() == []


def test_a_bad_line_is_named_and_the_good_ones_are_in(lines):
    path = lines(
        {"id": "a", "title": "Первая", "text": "Раз."},
        b'{"id": "b", "title": ',
        b"\xff\xfe not utf-8",
        [1, 2],
        {"title": "Без имени", "text": "Нет id."},
        {"id": True, "title": "Имя не слово", "text": "x"},
        {"id": "c", "title": 5, "text": "x"},
        {"id": "d", "title": "Без текста"},
        {"id": "e", "title": "Вопросы", "text": "x", "questions": "один"},
        {"id": "f", "title": "я" * 501, "text": "x"},
        {"id": "g", "title": "Пустая", "text": ""},
        {"id": "h", "title": "", "text": " "},
        {"id": "  ", "title": "Пробелы", "text": "x"},
        b'{"id": "i", "title": "NaN", "text": "x", "n": NaN}',
        b"[" * 100_000,
        {"id": "z", "title": "Последняя", "text": "Два."},
    )

    status, _out, err = run(path)

    assert status == 1
    assert [line.split(":")[0].split(" (")[0].split()[-1] for line in err] == [
        *("2", "3", "4", "5", "6", "7", "8", "9", "10", "12", "13", "14", "15")
    ]
    assert sorted(Article.objects.values_list("external_id", flat=True)) == ["a", "g", "z"]
    assert faults() == []


def test_titles_of_500_characters_are_taken_and_may_repeat(lines):
    title = "Заголовок " * 50

    assert run(lines(*({"id": f"n{n}", "title": title.strip(), "text": f"Текст{n}."} for n in range(3))))[0] == 0
    assert Article.objects.count() == 3


def test_only_our_own_placeholder_is_parsed(lines, catalogue):
    path = lines(
        {"id": "a", "title": "Скобки", "text": "{{ name }} {% load x %} {0} ${y} {{7*7}} {{ price: }} {{ limit:x y }}"},
        {"id": "b", "title": "Цена", "text": "Стоит {{ price:ai_manager.start }}."},
        {"id": "c", "title": "Мёртвая", "text": "Стоит {{ price:no_such.tier }}."},
    )

    status, _out, err = run(path)

    assert (status, len(err)) == (1, 1)
    assert "{{ price:no_such.tier }}" in err[0]
    assert Article.objects.get(external_id="a").body.startswith("{{ name }} {% load x %}")


def test_blank_lines_and_a_byte_order_mark_are_no_errors(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"id": "a", "title": "T", "text": "x"}\r\n\r\n  \n')

    assert run(path)[::2] == (0, [])
    assert Article.objects.get().external_id == "a"


def test_a_second_run_changes_nothing_and_a_changed_line_only_its_article(lines):
    entries = [{"id": f"n{n}", "title": f"Статья {n}", "text": f"Слово{n}."} for n in range(5)]
    run(lines(*entries))
    before = set(Passage.objects.values_list("id", flat=True))

    run(lines(*entries))
    assert set(Passage.objects.values_list("id", flat=True)) == before

    entries[2]["text"] = "Иначе2."
    run(lines(*entries))

    assert len(before - set(Passage.objects.values_list("id", flat=True))) == 1
    assert Article.objects.get(external_id="n2").version == 2
    assert Article.objects.get(external_id="n2").history.count() == 2
    assert found("иначе2") == ["n2"]
    assert faults() == []


def test_of_two_lines_with_one_id_the_later_counts(lines):
    run(lines({"id": "a", "title": "T", "text": "первый"}, {"id": "a", "title": "T", "text": "второй"}))

    assert Article.objects.get().body == "второй"


def test_unfinished_indexing_of_an_earlier_run_is_finished(lines, monkeypatch):
    from knowledge import importing

    path = lines({"id": "a", "title": "T", "text": "единорог"})
    with monkeypatch.context() as patch:
        patch.setattr(importing.indexing, "index_all_owed", lambda *args, **kwargs: 0)
        run(path)
    assert found("единорог") == []

    run(path)

    assert found("единорог") == ["a"]
    assert not Indexing.objects.exclude(state="kept").exists()


def test_nul_and_lone_surrogates_are_cleaned(lines):
    assert (
        run(lines(b'{"id": "a\\u0000", "title": "T\\ud800", "text": "\\u0000 \\udfff \\u0435\\u0449\\u0451"}'))[0] == 0
    )

    article = Article.objects.get()
    assert "\x00" not in article.external_id + article.title + article.body


def test_a_line_of_many_megabytes_is_named_and_the_next_one_is_in(lines, monkeypatch):
    from knowledge import importing

    monkeypatch.setattr(importing, "BYTES_MOST", 5_000)
    path = lines({"id": "a", "title": "T", "text": "x" * 9_000}, {"id": "b", "title": "T", "text": "x"})

    status, _out, err = run(path)

    assert (status, len(err), Article.objects.get().external_id) == (1, 1, "b")


def test_markdown_files_bring_their_front_matter(tmp_path, catalogue):
    (tmp_path / "deep").mkdir()
    (tmp_path / "full.md").write_text(
        "---\ntitle: 'Цены: все'\nproduct: ai_manager\nquestions:\n  - Почём?\nstatus: draft\nlanguage: en\n---\n"
        "# Раз\nТекст."
    )
    (tmp_path / "deep" / "bare.md").write_text("# Только заголовок\n\nТекст с --- внутри.\n")
    (tmp_path / "none.md").write_text("Без заголовка")
    (tmp_path / "notes.txt").write_text("не статья")

    assert run(tmp_path)[0] == 0

    full = Article.objects.get(external_id="full")
    assert (full.title, full.product, full.status, full.language) == ("Цены: все", "ai_manager", "draft", "en")
    assert list(full.questions.values_list("text", flat=True)) == ["Почём?"]
    assert Article.objects.get(external_id="deep/bare").title == "Только заголовок"
    assert Article.objects.get(external_id="none").title == "none"
    assert Article.objects.count() == 3


@pytest.mark.parametrize(
    "text",
    [
        b"---\ntitle: [\n---\ntext",
        b"---\n- a\n---\ntext",
        b"---\ntitle: 5\n---\ntext",
        b"---\nprice: 5\n---\ntext",
        b"---\nstatus: hidden\n---\ntext",
        b"---\nquestions: [1]\n---\ntext",
        b"\xff\xfe\x00",
        b"---\ntitle: !!python/object/apply:os.system [id]\n---\nx",
    ],
)
def test_a_bad_file_is_named_and_the_others_are_in(tmp_path, text):
    (tmp_path / "bad.md").write_bytes(text)
    (tmp_path / "good.md").write_text("Хорошая статья.")

    status, _out, err = run(tmp_path)

    assert (status, len(err), err[0].split(":")[0]) == (1, 1, "bad.md")
    assert Article.objects.get().external_id == "good"


def test_a_path_with_nothing_to_import_is_said_in_a_sentence(tmp_path):
    with pytest.raises(CommandError):
        call_command("import_articles", str(tmp_path / "nowhere"))
    with pytest.raises(CommandError):
        call_command("import_articles", str(tmp_path))


# --- searching by the command -----------------------------------------------------------------------------------


def ask(path: Path, *more: str) -> tuple[int, list[dict], list[str]]:
    out, err = StringIO(), StringIO()
    status = 0
    try:
        call_command("search_articles", "--queries", str(path), *more, stdout=out, stderr=err)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue().splitlines()


def test_each_question_is_answered_with_ids_best_first(lines, tmp_path):
    run(lines(*({"id": f"n{n}", "title": f"Тема{n}", "text": "Общий текст."} for n in range(5))))
    queries = tmp_path / "q.jsonl"
    queries.write_text(
        '{"id": "q1", "text": "тема3 текст"}\n{"id": 2, "text": ""}\n\n{"id": "q3", "text": "общий", "extra": 1}\n'
    )

    status, answers, err = ask(queries, "--top", "3")

    assert (status, err) == (0, [])
    assert [answer["id"] for answer in answers] == ["q1", 2, "q3"]
    assert answers[0]["results"][0] == "n3"
    assert answers[1]["results"] == []
    assert len(answers[2]["results"]) == len(set(answers[2]["results"])) == 3


def test_a_line_that_is_no_question_is_named_and_the_rest_is_answered(tmp_path):
    queries = tmp_path / "q.jsonl"
    queries.write_bytes(b'{"id": "a"}\n{"text": "x"}\nnull\n\xff\n{"id": "ok", "text": "x"}\n')

    status, answers, err = ask(queries)

    assert (status, answers, len(err)) == (1, [{"id": "ok", "results": []}], 4)
