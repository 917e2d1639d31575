"""Embeddings of OpenAI, and of all who speak its API, through the official SDK. Knows nothing of articles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings

from common.problems import LastingProblem, TemporaryProblem
from knowledge.embedding.protocol import WIDTH, BadAnswer, Limits, NoAnswer, Vector, checked

#: what the models that can give fewer numbers give when they aren't asked
_NATIVE = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
#: a text may have 8,192 tokens, a request 2,048 texts and 300,000 tokens; fewer texts make a lost request cheaper
LIMITS = Limits(texts=128, bytes_each=8_000, bytes_together=250_000)


def embedder(rest: str) -> OpenAIEmbedder | None:
    """The embedder called ``openai/<rest>``; none without a key, or when the rest is no model and size."""
    model, _, dimensions = rest.rpartition("/")
    if not settings.OPENAI_API_KEY or not model or not dimensions.isdigit() or not 0 < int(dimensions) <= WIDTH:
        return None
    # the SDK takes a second to be read and to make its first client: not while the clock of a question runs
    _client(settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL)
    return OpenAIEmbedder(model, int(dimensions))


class OpenAIEmbedder:
    """One model at one size. What the account, the key and the address are is the installation's."""

    limits = LIMITS

    def __init__(self, model: str, dimensions: int) -> None:
        self.model, self.dimensions = model, dimensions
        self.name = f"openai/{model}/{dimensions}"

    def embed(self, texts: Sequence[str], *, seconds: float) -> list[Vector]:
        client = _client(settings.OPENAI_API_KEY, settings.OPENAI_BASE_URL)
        asked: dict[str, Any] = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        if _NATIVE.get(self.model, self.dimensions) != self.dimensions:
            asked["dimensions"] = self.dimensions  # others who speak this API may not know the word
        with _told_plainly(seconds):
            answer = client.embeddings.create(**asked, timeout=seconds)
            given = {each.index: each.embedding for each in answer.data}
            if len(given) != len(answer.data):
                raise BadAnswer("two vectors came for one text")
        return checked(given, count=len(texts), dimensions=self.dimensions)


@contextmanager
def _told_plainly(seconds: float) -> Iterator[None]:
    """What goes wrong in the SDK, in our words: what may pass by waiting, and what won't."""
    import openai  # slow: half a second, and only where there is a key

    from common import wire  # slow

    try:
        with wire.within(seconds):
            yield
    except openai.APITimeoutError:
        raise NoAnswer(f"OpenAI didn't answer in {seconds:g} s") from None
    except openai.APIConnectionError:
        raise TemporaryProblem("there is no connection to OpenAI") from None
    except openai.APIStatusError as problem:
        code = wire.code(problem.code)
        words = f"OpenAI answers {problem.status_code}{f' ({code})' if code else ''}"
        # an account without money answers as one that asks too much, and waiting doesn't help it
        passes = problem.status_code in {408, 409, 429} or problem.status_code >= 500
        if passes and problem.code != "insufficient_quota":
            raise TemporaryProblem(words, retry_after=wire.retry_after(problem.response.headers)) from None
        raise LastingProblem(words) from None
    except openai.OpenAIError as problem:  # an answer that the SDK can't read
        raise BadAnswer(f"OpenAI's answer can't be read: {type(problem).__name__}") from None
    except (ValueError, TypeError, AttributeError):
        # the SDK checks no answer: what is missing shows when it is looked for
        raise BadAnswer("OpenAI's answer is no list of vectors") from None


@lru_cache(maxsize=4)
def _client(key: str, address: str) -> Any:
    """One client a process and account: it keeps its connections. A worker makes it after its fork, at first use."""
    import openai  # slow

    from common import wire  # slow

    # repeats are ours: two clocks for one promise are hard to reason about
    return openai.OpenAI(api_key=key, base_url=address, max_retries=0, http_client=wire.client())
