"""What the knowledge base offers to the assistant: search."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import Left

from common.fields import readable
from knowledge import reading
from knowledge.embedding import registry
from knowledge.gaps.likeness import nearest
from knowledge.models import Article, ArticleQuestion
from knowledge.search import UNSURE, Hit
from knowledge.search import search as find
from pricing import sold
from pricing.queries import current_rules
from sales.assistant.tools import ToolContext, ToolFailed, ToolOutput, tool
from sales.models import Lead

#: passages handed to a model: more cost tokens and bury the best
HITS = 5
#: what of a question is searched for
QUERY_MOST = 1000
#: how many articles go whole with their passage, and how much of each
BODIES = 3
BODY_MOST = 6000
#: how many of the questions that such an article answers go with it: what may be asked next
QUESTIONS = 8
#: how many articles a model reads whole instead of their passage, and how long such an article may be
WHOLES = 2
WHOLE_MOST = 1500

NOTHING = (
    "Nothing was found. Search once more in other words if the question can be put differently; else say plainly that"
    " you have no answer to it, without a marker."
)
DOUBTFUL = (
    "None of these answers the query for sure: they may be about something else. Use only what does answer it; if"
    " nothing does, say plainly that you have no answer."
)


def _names(context: ToolContext) -> list[str]:
    """Who is named in this conversation: an argument comes with the name, and the embedder may not hear it."""
    lead = Lead.objects.filter(pk=context.lead_id).only("name").first()
    called = str(readable(lead, "name")) if lead is not None else ""
    return [*filter(None, [called]), *context.privacy.names]


@tool
def search(*, context: ToolContext, query: str) -> ToolOutput:
    """Search the company's knowledge base: products, prices, cases, roll-out, security, payment, support, contracts.

    ``query`` is one question in Russian, whole and in the customer's words, with what it is about named instead of
    "it" or "that"; for several questions call it once each. Each passage found begins with its marker [#id]. Answer
    only from what is found, name nothing it doesn't, and put its marker after each statement taken from it. Don't
    search for what has been found in this turn already, nor for greetings and thanks.
    """
    if not query.strip():
        raise ToolFailed("The query is empty. Give the customer's question in their own words.")
    hits = find(query[:QUERY_MOST], limit=HITS, names=_names(context) if registry.configured() else ())
    if not hits:
        return ToolOutput(text=NOTHING, data={"hits": []})
    render = reading.reader(context.language)
    found = [
        {
            "article": hit.article.external_id,
            "title": render(hit.article.title),
            "passage": hit.passage.heading,
            "text": render(hit.passage.text),
            "score": round(hit.score, 3),
            "share": round(hit.share, 3),
            "product": hit.article.product,
        }
        for hit in hits
    ]
    # a passage may need the one beside it: whoever composes without a model picks from the best articles' sections
    asked = ArticleQuestion.objects.filter(article=OuterRef("pk")).order_by("position", "id").values("text")
    whole = {
        pk: (body, questions)
        for pk, body, questions in Article.objects.filter(pk__in=[hit.article.pk for hit in hits[:BODIES]])
        .annotate(beginning=Left("body", BODY_MOST), asked=ArraySubquery(asked))
        .values_list("pk", "beginning", "asked")
    }
    for each, hit in zip(found[:BODIES], hits, strict=False):
        body, questions = whole.get(hit.article.pk, ("", []))
        each |= {"body": render(body), "questions": questions[:QUESTIONS]}
        # an article may answer what its text doesn't name: then one of its questions does
        each["question"] = nearest(query, questions)
    return ToolOutput(
        text="\n\n".join(
            [*([DOUBTFUL] if hits[0].share < UNSURE else []), *(_words(each, at) for at, each in enumerate(found))]
        ),
        data={"hits": found, "sold": _sold(hits, [body for body, _questions in whole.values()])},
        citations=[
            {"article": each["article"], "title": each["title"], "version": hit.article.version}
            for each, hit in zip(found, hits, strict=True)
        ],
    )


def _sold(hits: Sequence[Hit], bodies: Iterable[str]) -> dict[str, Any]:
    """Whose the prices are that stand in what was found."""
    texts = [*(hit.passage.text for hit in hits), *bodies]
    return sold.of_texts(texts, current_rules()) if any("{{" in text for text in texts) else {}


def _words(hit: dict[str, Any], at: int) -> str:
    """One passage as a model reads it, with the marker by which it is cited; the best articles are shown whole."""
    if at < WHOLES and 0 < len(hit.get("body", "")) <= WHOLE_MOST:
        heading, text = "", hit["body"]
    else:
        heading, text = f" – {hit['passage']}" if hit["passage"] else "", hit["text"]
    return f"[#{reading.label(hit['article'])}] {hit['title']}{heading}\n{text.strip()}"
