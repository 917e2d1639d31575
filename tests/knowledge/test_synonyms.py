"""Words that mean the same find the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command

from knowledge.models import Synonyms
from knowledge.search import search
from knowledge.search.explain import try_out
from knowledge.search.synonyms import grouped
from knowledge.words import split, word

SHIPPED = Path(settings.BASE_DIR) / "knowledge" / "data" / "synonyms.txt"


def found(text: str) -> list[str]:
    return [hit.article.external_id for hit in search(text)]


@pytest.fixture
def shelf(write):
    write("price", "Стоимость", "Сколько берём за работу мастера.")
    write("hook", "Webhook", "Событие приходит на ваш адрес.")
    write("other", "Прочее", "Мастер приедет и всё починит.")


def test_a_word_that_is_nowhere_finds_by_what_means_the_same_and_at_once(shelf):
    assert found("прейскурант")[:1] == ["other"]  # by some letters

    group = Synonyms.objects.create(words="прейскурант, стоимость")
    assert found("прейскурант")[0] == "price"

    group.words = "прейскурант, webhook"
    group.save()
    assert found("прейскурант")[0] == "hook"

    group.is_active = False
    group.save()
    assert found("прейскурант")[:1] == ["other"]

    group.is_active = True
    group.save()
    group.delete()
    assert found("прейскурант")[:1] == ["other"]


def test_phrases_are_found_in_any_form_and_only_whole(shelf):
    Synonyms.objects.create(words="во что обойдётся; стоимость")

    assert found("а во что обойдется ремонт?")[0] == "price"
    assert "price" not in found("обойдется")


def test_what_was_said_counts_more_than_what_means_the_same(write):
    write("said", "Прайс", "Файл.")
    write("meant", "Стоимость", "Файл.")
    Synonyms.objects.create(words="прайс, стоимость")

    assert found("прайс") == ["said", "meant"]
    assert found("стоимость") == ["meant", "said"]


def test_an_unknown_word_with_a_known_meaning_makes_the_search_no_less_sure(shelf):
    before = search("прейскурант стоимость")[0].share
    Synonyms.objects.create(words="прейскурант, стоимость")

    assert search("прейскурант стоимость")[0].share > before


def test_staff_see_what_a_word_was_taken_to_mean(shelf):
    Synonyms.objects.create(words="прайс, стоимость, цена за работу")

    trial = try_out("прайс")

    assert trial.meant == {"прайс": ("стоимость", "цена", "за", "работу")}
    assert trial.hits[0].hit.article.external_id == "price"


@pytest.mark.parametrize(
    ("question", "answer"), [("skolko", "price"), ("stoimost", "price"), ("мастир", "other"), ("вебхук", "hook")]
)
def test_the_other_alphabet_is_read_by_its_sound(shelf, question, answer):
    if answer == "hook":
        Synonyms.objects.create(words="вебхук, webhook")

    assert found(question)[0] == answer


@pytest.mark.parametrize("words", ["", "один", ",,;", "один, Один и то же и ещё раз снова", "!!!, ???"])
def test_a_group_that_makes_no_sense_is_refused(words):
    with pytest.raises(ValidationError):
        Synonyms(words=words).full_clean()


def test_a_group_is_tidied_when_it_is_saved_by_staff():
    group = Synonyms(words=" цена ,\nстоимость;цена ")

    group.clean()

    assert group.words == "цена, стоимость"


def test_a_word_may_be_in_several_groups():
    groups = grouped(["цена, стоимость", "цена, ценник"])

    heard = groups.of([word(form) for form in split("какая цена")])

    assert [each.text for each in heard["цена"]] == ["стоимость", "ценник"]


def test_the_shipped_groups_load_once_and_a_bad_line_is_named(db, tmp_path, capsys):
    call_command("load_synonyms", str(SHIPPED))
    call_command("load_synonyms", str(SHIPPED))
    lines = [each for each in SHIPPED.read_text().splitlines() if each and not each.startswith("#")]
    assert Synonyms.objects.count() == len(lines) > 40

    (tmp_path / "bad.txt").write_text("один\nраз, два\n")
    with pytest.raises(SystemExit):
        call_command("load_synonyms", str(tmp_path / "bad.txt"))
    assert Synonyms.objects.filter(words="раз, два").exists()
    assert "1" in capsys.readouterr().err
