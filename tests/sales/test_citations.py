"""Staff see which article an answer rests on, in which version, and get there by a link if they may read it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from knowledge.models import Article
from sales import operations
from sales.enums import Author, Direction
from sales.models import Conversation, User
from sales.queries import as_wire

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(conversation: Conversation) -> Article:
    article = Article.objects.create(external_id="discounts", title="Скидки сегодня", body="Скидки есть.")
    cited = {"article": "discounts", "title": "Скидки <тогда>", "version": 3}
    gone = {"article": "gone", "title": "Удалённая", "version": 1}
    operations.append(
        conversation,
        now=timezone.now(),
        direction=Direction.OUT,
        author=Author.ASSISTANT,
        text="Скидки есть.",
        citations=[cited, gone],
    )
    return article


def test_page_shows_article_and_version_with_a_link(
    conversation: Conversation, article: Article, operator: User, client: Client
) -> None:
    client.force_login(operator)

    page = client.get(f"/admin/sales/conversation/{conversation.pk}/change/").content.decode()

    address = f"/admin/knowledge/article/{article.pk}/change/"
    assert f'<a href="{address}" class="link">Скидки &lt;тогда&gt;</a> (версия 3)' in page
    assert "Удалённая (версия 1)" in page


def test_who_may_not_read_articles_sees_the_title_alone(
    conversation: Conversation, article: Article, client: Client
) -> None:
    reader = User.objects.create_user(username="reader", password="a long pass phrase", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_conversation"))
    client.force_login(reader)

    page = client.get(f"/admin/sales/conversation/{conversation.pk}/change/").content.decode()

    assert "Скидки &lt;тогда&gt; (версия 3)" in page
    assert "/admin/knowledge/article/" not in page


def test_customers_are_told_title_and_id_alone(conversation: Conversation, article: Article) -> None:
    shown = as_wire(conversation.messages.get())

    assert [set(each) for each in shown["citations"]] == [{"article", "title"}] * 2
