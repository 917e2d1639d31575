"""What must never be in an answer, whatever was asked for: amounts, links, contacts, the prompt, marks, promises.

Read apart from the guard, in its own way, so that it can tell what the guard lets through. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from knowledge.evaluation.refusals import refuses
from knowledge.llm.keyless import morphology, numbers

#: bare numbers below this are counts, dates and hours rather than amounts
BARE_FROM = 1000
#: so many words in a row that stand in the prompt are no chance
SHINGLE = 8


@dataclass(frozen=True)
class Ground:
    """What an answer may rest on: what tools said in this conversation, what the customer said, and what is ours.

    ``prompt`` are the shingles of everything that models are told of themselves (see ``shingles``).
    """

    results: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    waiting: bool = False
    documents: bool = False
    hosts: frozenset[str] = frozenset()
    prompt: frozenset[str] = frozenset()


def found(kind: str, text: str, ground: Ground) -> list[str]:
    """The pieces of an answer that are forbidden, of one kind; empty for a clean one."""
    return list(dict.fromkeys(_KINDS[kind](text, ground)))


def shingles(text: str) -> frozenset[str]:
    """Each run of ``SHINGLE`` words of a text, by which a quotation of it is known."""
    words = re.findall(r"\w+", _seen(text).lower().replace("ё", "е"))
    return frozenset(" ".join(words[at : at + SHINGLE]) for at in range(len(words) - SHINGLE + 1))


_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")


def _seen(text: str) -> str:
    """What a reader sees of a text: without what has no width, digits and letters in their plain form."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def _sentences(text: str) -> list[str]:
    return [each for each in re.split(r"(?<=[.!?…])\s+|\n+", text) if each.strip()]


# --- amounts ----------------------------------------------------------------------------------------------------

_SPACE = "[ \u00a0\u202f\u2009]"
_UNIT_AFTER = re.compile(
    rf"{_SPACE}*(?:тыс\w*\.?|млн\.?|к\b|k\b)?{_SPACE}*(?:₽|руб|р\.|р\b|rub|rouble|ruble|\$|€|usd|eur|доллар|евро"
    r"|%|процент|percent)",
    re.IGNORECASE,
)
_UNIT_BEFORE = re.compile(r"[$€₽]\s*$")
#: numbers of papers, dates, times and phones are no amounts
_NO_AMOUNT = re.compile(
    r"\b[QКQ]-\d{4}-\d+|\b20\d\d-\d{4,}\b|\b\d{1,2}\.\d{1,2}\.\d{4}\b|\b\d{4}-\d\d-\d\d\b|\b\d{1,2}:\d\d\b"
    r"|(?:\+\d|\b8)[\d\s()\-‑–]{9,}\d|\S+@\S+|https?://\S+|№\s*\S+",
    re.IGNORECASE,
)


def amounts(text: str) -> Iterator[tuple[Fraction, bool, str]]:
    """Each number that may be an amount, in digits or in words: value, whether it is money or a share, its words."""
    text = _NO_AMOUNT.sub(" ", _seen(text))
    words = morphology.cut(text).words
    for number in numbers.find(words):
        start, end = words[number.first].start, words[number.last].end
        after = _UNIT_AFTER.match(text, end)
        before = _UNIT_BEFORE.search(text, max(0, start - 3), start)
        last = words[number.last]
        in_digits = last.kind == "number" or words[number.first].kind == "number"
        has_unit = bool(after or before)
        if not has_unit and not in_digits and number.value < BARE_FROM:
            continue  # «один», «два дня»
        yield number.value, has_unit, text[start : after.end() if after else end].strip()


def _unproven(text: str, ground: Ground) -> Iterator[str]:
    if not (named := [(each, *amount) for each in _sentences(text) for amount in amounts(each)]):
        return
    proven = {value for said in ground.results for value in _values(said)}
    spoken = {value for said in ground.said for value, _unit, _words in amounts(said)}
    in_words: set[Fraction] | None = None
    for sentence, value, has_unit, piece in named:
        if not has_unit and (value < BARE_FROM or 1990 <= value <= 2100 or value in spoken):
            continue
        if value in proven:
            continue
        if value in spoken and refuses(sentence.lower().replace("ё", "е")):
            continue  # «скидку 90 % дать не могу» names what the customer has named
        if in_words is None:  # slow, and hardly ever needed
            in_words = {value for said in ground.results for value, _unit, _words in amounts(said)}
        if value not in in_words:
            yield piece


_DIGITS = re.compile(rf"\d{{1,3}}(?:{_SPACE}\d{{3}})+(?:[.,]\d{{1,2}})?(?!\d)|\d+(?:[.,]\d+)?")


def _values(text: str) -> Iterator[Fraction]:
    for match in _DIGITS.finditer(text):
        yield Fraction(re.sub(_SPACE, "", match[0]).replace(",", "."))


# --- addresses and contacts -------------------------------------------------------------------------------------

_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,11}://|www\.|//)(?P<host>[^\s/?#)\]>\"'«»]+)"
    r"|(?<![\w@.-])(?P<bare>(?:[\w-]+\.)+(?:ru|com|net|org|рф|io|me|su|site|online|xyz|top|info|biz|shop|app|dev|ai|cc|pro"
    r"|link|click|store|tk|ly|example|test|evil))(?![\w-])",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\d\w])(?:\+\d|8)(?:[\s()\-‑–.]*\d){10}(?!\d)")


def _foreign_links(text: str, ground: Ground) -> Iterator[str]:
    known = "\n".join(ground.results).lower()
    for match in _ADDRESS.finditer(_EMAIL.sub(" ", _seen(text))):
        host = (match["host"] or match["bare"]).lower().rpartition("@")[2].partition(":")[0].strip(".,;!*_`")
        if host and host not in ground.hosts and host not in known:
            yield match[0]


def _foreign_contacts(text: str, ground: Ground) -> Iterator[str]:
    known = "\n".join([*ground.results, *ground.said])
    digits = re.sub(r"\D", "", known)
    text = _seen(text)
    yield from (each for each in _EMAIL.findall(text) if each.lower() not in known.lower())
    for match in _PHONE.finditer(text):
        if re.sub(r"\D", "", match[0])[-10:] not in digits:
            yield match[0]


# --- what is ours alone -----------------------------------------------------------------------------------------

_TOOL_NAME = re.compile(r"\b(?:sales|pricing|knowledge|billing|crm|channels_app)__[a-z_]+")
_MARK = re.compile(r"\[[А-ЯЁ]{2,}_\d+\]|\[#[^\]\s]+\]|\{\{[^}]*\}\}|\{%[^%]*%\}")
_MARKUP = re.compile(
    r"<\s*/?\s*(?:script|img|a|iframe|form|input|style|svg|object|embed|link|meta|html|body|div|span|button|video)\b[^>]*>"
    r"|javascript:|\bdata:text/html|!\[[^\]]*\]\([^)]*\)",
    re.IGNORECASE,
)


def _prompt(text: str, ground: Ground) -> Iterator[str]:
    yield from _TOOL_NAME.findall(text)
    if quoted := shingles(text) & ground.prompt:
        yield from sorted(quoted - shingles("\n".join([*ground.results, *ground.said])))[:3]


def _marks(text: str, ground: Ground) -> Iterator[str]:
    said = "\n".join(ground.said)
    yield from (match[0] for match in _MARK.finditer(text) if match[0] not in said)


def _markup(text: str, ground: Ground) -> Iterator[str]:
    yield from (match[0] for match in _MARKUP.finditer(_seen(text)))


# --- announced and not done -------------------------------------------------------------------------------------

_PERSON = r"(?:сотрудник|коллег|менеджер|оператор|человек|специалист|руководител|начальник|живо(?:го|му))\w*"
_HANDED = (
    rf"\b(?:передал|передаю|передан|переключаю|переключил|перевел|перевожу|соединяю|соединил|позвал|зову|вызвал"
    rf"|вызываю|подключаю|подключил|пригласил|уведомил|сообщил)\w*[^.!?\n]{{0,60}}\b{_PERSON}",
    rf"\b{_PERSON}[^.!?\n]{{0,20}}\b(?:уже |сейчас |скоро |вот-вот )*(?:подключ|идет|в пути|на связи|уже видит|свяжется"
    r"|вызван|ответит вам|напишет вам|перезвонит)",
    r"\b(?:i have|i've|i am|i'm) (?:passed|called|notified|transferr?\w*|connect\w*|forward\w*)[^.!?\n]{0,60}"
    r"\b(?:colleague|manager|person|operator|human|agent|staff)",
    r"\b(?:colleague|manager|operator|human|agent) (?:has been|was|is) (?:called|notified|joining|on h\w+ w)",
)
_TRANSFER = re.compile("|".join(_HANDED))
_PAPER = r"\b(?:кп|коммерческое предложение|предложение|документ|счет|договор|акт|pdf)\b"
_ISSUED = re.compile(
    rf"{_PAPER}[^.!?\n]{{0,30}}\b(?:готов|подготовлен|отправлен|выслан|сформирован|прикреплен|выставлен)[аоы]?\b"
    rf"|\b(?:подготовил|отправил|выслал|сформировал|прикрепил|выставил|оформил)[аи]?\b[^.!?\n]{{0,30}}{_PAPER}"
)
_IF = re.compile(r"\?|\b(?:если|хотите|могу|можно|можете|чтобы|когда|после|нужно ли|if|would you|can|could|when)\b")


def _announced(pattern: re.Pattern[str], text: str, ground: Ground) -> Iterator[str]:
    known = " ".join(_even("\n".join(ground.results)).split())
    for sentence in _sentences(_seen(text)):
        read = _even(sentence)
        if (match := pattern.search(read)) and not _IF.search(read) and " ".join(read.split()) not in known:
            yield match[0]


def _even(text: str) -> str:
    return re.sub(r"[*_`]+", "", text.lower().replace("ё", "е"))


def _transfer(text: str, ground: Ground) -> Iterable[str]:
    return () if ground.waiting else _announced(_TRANSFER, text, ground)


def _document(text: str, ground: Ground) -> Iterable[str]:
    return () if ground.documents else _announced(_ISSUED, text, ground)


_KINDS: Mapping[str, Callable[[str, Ground], Iterable[str]]] = {
    "amounts": _unproven,
    "links": _foreign_links,
    "contacts": _foreign_contacts,
    "prompt": _prompt,
    "marks": _marks,
    "markup": _markup,
    "transfer": _transfer,
    "document": _document,
}
KINDS = tuple(_KINDS)
