"""Runs with other models, drafts of articles and of prices; a release that is held up; replay of real conversations."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from common.promise import State
from knowledge.enums import Status
from knowledge.evaluation.running import hold
from knowledge.llm import dialects
from knowledge.llm.chat import Answer
from knowledge.llm.models import ModelProfile
from knowledge.models import Article
from knowledge.operations import Draft, save_article
from pricing.models import Tier
from sales import operations
from sales.models import Conversation, Message, Turn
from tests.evaluation.conftest import ROOT

PRICED = {"id": "priced", "turns": [{"say": "AI-менеджер на 1800 диалогов в месяц"}]}
ASKED: dict[str, Any] = {"id": "asked", "turns": [{"say": "Есть ли у вас попугаи?", "must": ["жёлтые попугаи"]}]}


@pytest.fixture
def dearer(tmp_path: Path) -> Path:
    """A draft of the catalogue in which one price is another."""
    text = (ROOT / "pricing" / "data" / "catalog.yaml").read_text(encoding="utf-8")
    path = tmp_path / "next-year.yaml"
    path.write_text(text.replace("34900.00", "36900.00"), encoding="utf-8")
    return path


@pytest.fixture
def parrots(shop: None) -> Article:
    draft = Draft(
        "Попугаи",
        "Да, у нас есть жёлтые попугаи.",
        questions=("Есть ли у вас попугаи?",),
        external_id="parrots",
        status=Status.DRAFT,
    )
    return save_article(draft=draft, by=None)


def replay(**options: Any) -> tuple[int, str, dict[str, Any]]:
    out, code = StringIO(), 0
    report: Path = options["report"]
    try:
        call_command("replay", stdout=out, **options)
    except CommandError as ended:
        code = ended.returncode
    return code, out.getvalue(), json.loads(report.read_text(encoding="utf-8"))


def test_a_draft_of_prices_is_tried_and_nothing_of_it_stays(
    shop: None, evaluate: Callable[..., Any], dearer: Path
) -> None:
    ended = evaluate(PRICED, catalogue=dearer)

    assert ended.report["runs"]["priced"]["totals"] == ["36900.00"]
    assert ended.report["tried"]["catalogue"] == "next-year.yaml"
    assert evaluate(PRICED).report["runs"]["priced"]["totals"] == ["34900.00"]
    assert not Tier.objects.filter(price_month=36900).exists()


def test_drafts_of_articles_count_as_published_in_the_run_only(parrots: Article, evaluate: Callable[..., Any]) -> None:
    assert evaluate(ASKED).code == 1

    ended = evaluate(ASKED, drafts=True)

    assert (ended.code, ended.report["tried"]["drafts"]) == (0, ["parrots"])
    parrots.refresh_from_db()
    assert parrots.status == Status.DRAFT
    assert evaluate(ASKED).code == 1


def test_another_chain_is_tried_with_its_prompt(
    shop: None, evaluate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Parrot:
        def ask(self, prompt: Any, **kwargs: Any) -> Answer:
            return Answer(text="Жёлтые попугаи.")

    ModelProfile.objects.create(
        slug="parrot",
        dialect="openai",
        model="parrot",
        base_url="http://127.0.0.1:9/v1",
        is_active=False,
    )
    monkeypatch.setattr(dialects, "by_name", lambda name: Parrot())

    assert evaluate(ASKED, chain="parrot").report["models"] == {"parrot": 1}
    assert evaluate(ASKED, ASKED | {"id": "again"}, chain="parrot,keyless", jobs=2).report["models"] == {"parrot": 2}
    assert evaluate(ASKED, chain="keyless").report["models"] == {"keyless": 1}
    assert evaluate(ASKED, chain="parrot", prompt="1").report["tried"]["prompt"] == "1"


def test_what_cannot_be_tried_ends_with_2(shop: None, evaluate: Callable[..., Any], dearer: Path) -> None:
    assert evaluate(PRICED, chain="nobody").code == 2
    assert evaluate(PRICED, prompt="nonsense").code == 2
    assert evaluate(PRICED, drafts=True).code == 2
    assert evaluate(PRICED, catalogue=Path("/nowhere.yaml")).code == 2
    assert evaluate(PRICED, catalogue=dearer, jobs=2).code == 2
    assert evaluate(PRICED, no_worse=True).code == 2


def test_a_release_is_held_up_by_a_case_that_fails_now_and_by_another_total(
    parrots: Article, evaluate: Callable[..., Any], dearer: Path, tmp_path: Path
) -> None:
    earlier = tmp_path / "earlier.json"
    good = evaluate(ASKED, PRICED, drafts=True)
    earlier.write_text(json.dumps(good.report), encoding="utf-8")
    held: dict[str, Any] = {"against": earlier, "no_worse": True, "threshold": 0.0}

    same = evaluate(ASKED, PRICED, drafts=True, **held)
    failing = evaluate(ASKED, PRICED, **held)
    other_total = evaluate(PRICED, catalogue=dearer, **held)

    assert (good.code, same.code, same.report["against"]["worse"]) == (0, 0, [])
    assert (failing.code, failing.report["against"]["worse"]) == (1, ["asked"])
    assert (other_total.code, other_total.report["against"]["worse"]) == (1, ["priced"])
    assert "34900.00 → 36900.00" in other_total.out


@pytest.fixture
def talked(shop: None) -> Conversation:
    """A conversation that was really held."""
    now = timezone.now()
    talk = operations.open_conversation(channel="webchat", external_id="real", now=now, name="Ольга Смирнова")
    hold(talk, ["AI-менеджер на 1800 диалогов в месяц"])
    hold(talk, ["Меня зовут Ольга, телефон +7 916 123-45-67"])
    return talk


def test_replay_says_what_would_be_answered_otherwise(talked: Conversation, dearer: Path, tmp_path: Path) -> None:
    before = Message.objects.count(), Turn.objects.count(), Conversation.objects.count()

    _code, out, same = replay(report=tmp_path / "same.json")
    code, dear_out, dear = replay(report=tmp_path / "dear.json", catalogue=dearer, fail_on=["total"])

    assert (same["conversations"], same["answers"], same["same"]) == (1, 2, 2)
    assert "1 conversations, 2 answers, 2 of them the same" in out
    assert (code, dear["changed"]["total"]) == (1, 1)
    assert "total: 34900.00 → 36900.00" in dear_out
    assert (Message.objects.count(), Turn.objects.count(), Conversation.objects.count()) == before
    assert not Turn.objects.exclude(state=State.KEPT).exists()


def test_replay_tells_nobody_who_it_was(talked: Conversation, tmp_path: Path) -> None:
    _code, out, made = replay(report=tmp_path / "made.json", conversations=5)

    told = f"{out}{json.dumps(made, ensure_ascii=False)}"
    assert "[ТЕЛЕФОН_1]" in told
    assert [each for each in ("916 123", "Ольга", "Смирнова") if each in told] == []


def test_replay_takes_the_conversations_it_is_told(talked: Conversation, tmp_path: Path) -> None:
    Conversation.objects.filter(pk=talked.pk).update(last_message_at=timezone.now() - timedelta(days=9))

    with pytest.raises(CommandError):
        call_command("replay", since=timezone.localdate(), stdout=StringIO())
