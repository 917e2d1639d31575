"""The part of a found passage that answers a question, in the article's own words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from knowledge.llm.keyless import lexicon, morphology
from knowledge.llm.keyless.questions import Question
from knowledge.passages import Piece, cut

#: characters of an answer to one question: what fits a telephone's screen
LENGTH_MOST = 520
#: the same beside other answers, or where a price follows, which must not be pushed out of sight
LENGTH_BESIDE = 380
#: the same for who asks for more
LENGTH_MORE = 1200
#: How much of the possible score a passage must have to be an answer, when half the question's words are in it too.
#: Tried on the demo articles with 46 questions they answer and 28 they don't: one or two foreign ones pass.
SHARE_LEAST = 0.35
#: for a question whose every word is there, and for a long one, which has words around what it asks
SHARE_LONG = 0.26
LONG_FROM = 6
#: for an article far before the next one, and how far that is
SHARE_APART, APART = 0.24, 1.5
#: when the customer didn't clearly ask anything
SHARE_GUESS = 0.4
#: from here on one shared word is enough: search has found a question that the article answers
SHARE_SURE = 0.48
#: an article's first words, short enough to stand before what was asked
LEAD_MOST = 260


@dataclass(frozen=True)
class Answer:
    """Words of an article and where they are from."""

    text: str
    article: str
    title: str
    #: other questions that the article answers
    further: tuple[str, ...] = ()


def choose(
    question: Question, hits: Sequence[Mapping[str, Any]], *, most: int = LENGTH_MOST, said: str = ""
) -> list[Answer]:
    """The best passage, or for a comparison of products one of each; nothing when no passage is about it.

    For «подробнее» it is what of the article isn't in ``said`` yet.
    """
    shares = [float(hit.get("share") or 0) for hit in hits]
    apart = len(shares) > 1 and shares[0] >= SHARE_APART and shares[0] >= shares[1] * APART
    sure = [hit for at, hit in enumerate(hits) if _is_sure(hit, question, apart=apart and at == 0)]
    fitting = [hit for hit in sure if _is_about(hit, question)] or (sure if question.refers else [])
    if not fitting:
        return []
    if question.kind == "about":
        # the article on the product itself, not one on a side of it
        fitting = sorted(fitting, key=lambda hit: _aside(hit, question))
    chosen = fitting[:1]
    if question.kind == "compare" and len(question.products) > 1 and fitting[0].get("product"):
        by_product = {hit.get("product"): hit for hit in reversed(fitting) if hit.get("product") in question.products}
        chosen = [by_product[code] for code in question.products if code in by_product] or chosen
    length = most // len(chosen)
    answers = []
    for hit in chosen:
        text = _rest(hit, said, length) if question.kind == "more" else _words(hit, question, length)
        further = tuple(str(each) for each in hit.get("questions") or ())
        if text and re.search(r"^> *Показательн", str(hit.get("body") or ""), re.MULTILINE):
            text += f"\n\n_{_EXAMPLE}_"
        if text:
            answers.append(Answer(text, str(hit.get("article", "")), hit.get("title", ""), further))
    return answers


def _aside(hit: Mapping[str, Any], question: Question) -> int:
    """How far an article is from being on the product at large: its title says other words before the name."""
    title = str(hit.get("title", ""))
    if content(title) & {"стоимость", "стоить", "тариф"} or hit.get("product") not in question.products:
        return 100
    said = content(question.text)
    words = [word.lemma for word in morphology.cut(title).words if word.kind == "word"]
    return next((place for place, word in enumerate(words) if word in said and word != "ai"), 50)


def _rest(hit: Mapping[str, Any], said: str, most: int) -> str:
    """What of an article comes after what was said, under its headings."""
    parts: list[str] = []
    room = most
    for section in _sections(hit):
        blocks = [block for block in _blocks(section.text) if block not in said and not block.startswith(">")]
        # of a list that was shown in short its lead is in what was said
        text = "\n\n".join(block for block in blocks if _shortest(block) not in said)
        if text and (len(text) <= room or not parts):
            parts.append(_under_heading(section.heading, text))
            room -= len(text)
    return "\n\n".join(parts)


def _sections(hit: Mapping[str, Any]) -> list[Piece]:
    """The sections of a hit's article, without remarks about the article itself, which stand in quotes."""
    pieces = cut(str(hit.get("body") or "")) or [Piece(str(hit.get("passage", "")), str(hit.get("text", "")))]
    return [Piece(piece.heading, text) for piece in pieces if (text := _QUOTED.sub("", piece.text).strip())] or pieces


_QUOTED = re.compile(r"^>.*\n?", re.MULTILINE)
#: what such a remark says of a made-up case must not be lost
_EXAMPLE = "Это показательный пример: компания и цифры вымышлены."


def _words(hit: Mapping[str, Any], question: Question, most: int) -> str:
    """What of a hit answers: the sections of its article that say most, or its passage where that is all there is."""
    sections = _sections(hit)
    asked = content(question.text) - lexicon.AT_LARGE
    title = content(str(hit.get("title", "")))
    named = [word for word in asked if _among(word, title)]
    headings = [content(section.heading.rpartition(" › ")[2]) for section in sections]
    headed = any(_shared(asked, heading) for heading in headings)
    if question.kind == "about" or (len(asked) == len(named) == 1 and not question.products and not headed):
        # «какие есть скидки?» asks for the whole article, which begins with what matters most
        return _beginning(sections, question.text, most=most)
    ranks = _ranks(sections, asked, hit, title, question)
    kept: list[int] = []
    room = most
    for at in sorted(range(len(sections)), key=lambda at: (-ranks[at], at)):
        if not kept or (ranks[at] >= max(ranks) * _NEARLY and len(sections[at].text) <= room):
            kept.append(at)
            room -= len(sections[at].text)
    return _together([sections[at] for at in sorted(kept)], question.text, most=most)


def _beginning(sections: Sequence[Piece], asked: str, *, most: int) -> str:
    """The lead, and the section behind it as far as there is room, a list with every item in short."""
    kept: list[Piece] = []
    room = most
    for section in sections[:2]:
        text = section.text if len(section.text) <= room else ""
        if not text and room >= LEAD_MOST:
            text = excerpt(section.text, asked, most=room)
        if not text:
            break
        kept.append(Piece(section.heading, text))
        room -= len(text)
    return _together(kept or sections[:1], asked, most=most)


def _together(sections: Sequence[Piece], asked: str, *, most: int) -> str:
    """Sections one after another, under their headings where there are several."""
    texts = [excerpt(section.text, asked, most=most) for section in sections]
    if len(texts) == 1:
        return _with_subject(sections[0].heading, texts[0], content(asked))
    return "\n\n".join(_under_heading(each.heading, text) for each, text in zip(sections, texts, strict=True))


def _with_subject(heading: str, text: str, asked: frozenset[str]) -> str:
    """A section that goes on from its heading («Почти никогда. …») is shown under it."""
    begins = content(text[:_SUBJECT_WITHIN])
    about = content(heading.rpartition(" › ")[2])
    said_in_heading, said_at_once = _shared(asked, about), _shared(asked, begins)
    return _under_heading(heading, text) if said_in_heading and not said_at_once else text


_SUBJECT_WITHIN = 120
#: how near to the best section another must come to be shown with it
_NEARLY = 0.9
#: what it is worth that a question is one of an article's first
_LEAD = 0.8


def _ranks(
    sections: Sequence[Piece], asked: frozenset[str], hit: Mapping[str, Any], title: frozenset[str], question: Question
) -> list[float]:
    """How much of what was asked each section has: words that few sections have count more, and search has a say.

    A word of the title is what the whole article is about, and its lead says the most important of that. So is the
    lead likely where the question is one of the first that the article answers.
    """
    words = [content(section.text) | content(section.heading) for section in sections]
    headings = [content(section.heading) for section in sections]
    found = str(hit.get("text", "")).strip()
    ranks = [0.5 * (section.text.strip() == found) for section in sections]
    matched = _matched(asked, hit.get("questions") or ())
    if matched in _FIRST_QUESTIONS:
        ranks[0] += _LEAD
    for word in asked:
        headed = [at for at, there in enumerate(headings) if _among(word, there)]
        named = _among(word, title)
        if named:
            ranks[0] += 0.2 if question.products else 0.7  # a product's name says little in an article on it
        else:
            holding = {at for at, there in enumerate(words) if _among(word, there)}
            for at in holding - set(headed):
                ranks[at] += 1 / len(holding)
        for at in headed:
            ranks[at] += (1 if named else 2) / len(headed)
    if re.search(r"\bне (?:дела|уме|мож)", question.text, re.IGNORECASE):
        # what something does not do stands under a heading of its own
        denied = [bool(re.search(r"\bне\b", section.heading, re.IGNORECASE)) for section in sections]
        ranks = [rank + 2 * no for rank, no in zip(ranks, denied, strict=True)]
    return ranks


def _matched(asked: frozenset[str], questions: Sequence[str]) -> int | None:
    """Which of the article's questions is most like the one asked, if any is half alike."""
    best, most = None, 0.5
    for place, each in enumerate(questions):
        words = content(str(each))
        shared = _shared(asked, words)
        likeness = 2 * shared / max(1, len(asked) + len(words))
        if likeness > most:
            best, most = place, likeness
    return best


#: an article's lead answers its first questions, sections the rest
_FIRST_QUESTIONS = (0, 1)


def _under_heading(heading: str, text: str) -> str:
    name = heading.rpartition(" › ")[2]
    return f"**{name}**\n\n{text}" if name else text


def _is_about(hit: Mapping[str, Any], question: Question) -> bool:
    product = hit.get("product")
    return not product or not question.products or product in question.products


def _is_sure(hit: Mapping[str, Any], question: Question, *, apart: bool = False) -> bool:
    """Whether a hit is an answer: by its share of the possible score, and by how much of the question is in it."""
    share = float(hit.get("share") or 0)
    asked = content(question.text) - lexicon.AT_LARGE
    there = content(" ".join(str(hit.get(part, "")) for part in ("title", "passage", "text", "question")))
    shared = _shared(asked, there)
    if question.kind == "ware" and not re.search("₽|бесплатн", hit.get("text", "")):
        return False
    if asked and not shared:
        return False
    if share >= SHARE_SURE:
        return True
    # one article far before all others, or one that has nearly every word
    nearly = shared * 3 >= len(asked) * 2 > 3 or (apart and shared * 3 >= len(asked) > 1)
    if nearly and question.kind != "guess" and share >= SHARE_APART:
        return True
    if shared == len(asked) > 1 or len(asked) >= LONG_FROM:
        return share >= SHARE_LONG and shared * 2 >= len(asked)
    return share >= (SHARE_GUESS if question.kind == "guess" else SHARE_LEAST) and shared * 2 >= len(asked)


def _alike(word: str, other: str) -> bool:
    """Same word or same root: «интеграция» and «интегрируется»."""
    return word == other or (len(word) >= 6 and len(other) >= 6 and word[:5] == other[:5])


def _among(word: str, words: Iterable[str]) -> bool:
    return any(_alike(word, other) for other in words)


def _shared(asked: Iterable[str], words: Collection[str]) -> int:
    """How many of the words that were asked are among these."""
    return sum(_among(word, words) for word in asked)


#: words that mean the same to a customer and to the author of an article
_SAME = {
    "кейс": "пример",
    "цена": "стоимость",
    "договориться": "договор",
    "оплачивать": "оплатить",
    "сроки": "срок",
    **dict.fromkeys(("лежать", "держать", "складываться", "складывать", "находиться", "храниться"), "хранить"),
    **dict.fromkeys(("инфа", "инф", "информация", "инфо"), "данные"),
    **dict.fromkeys(("нейронка", "нейросетка", "ии", "ai"), "нейросеть"),
    **dict.fromkeys(("длиться", "долго", "время", "быстро", "скоро", "занимать"), "срок"),
    **dict.fromkeys(("внедряться", "внедрить", "внедрять", "запуск", "запустить", "запускать"), "внедрение"),
    **dict.fromkeys(("подключение", "заработать", "установка"), "внедрение"),
    **dict.fromkeys(("наврать", "соврать", "врать", "ошибиться", "ошибаться", "ерунда", "накосячить"), "ошибка"),
    **dict.fromkeys(("учиться", "обучаться", "тренироваться"), "обучение"),
    **dict.fromkeys(("скан", "сканировать"), "скан"),
    **dict.fromkeys(("заграница", "рубеж", "зарубежный"), "граница"),
    "хранение": "хранить",
    "рф": "россия",
    "лимит": "объем",
    "превысить": "закончиться",
}


def query_of(text: str) -> str:
    """What is searched for: the question, and what its words are called in articles where that is another word."""
    words = [word for word in morphology.cut(morphology.tidy(text)).words if word.kind == "word"]
    others = dict.fromkeys(_SAME[word.lemma] for word in words if word.lemma in _SAME)
    return " ".join([text, *others])


def content(text: str) -> frozenset[str]:
    """The dictionary forms that carry meaning."""
    words = morphology.cut(morphology.tidy(text)).words
    return frozenset(
        _SAME.get(word.lemma, word.lemma)
        for word in words
        if word.kind == "word" and word.lemma not in lexicon.FILLERS and len(word.lemma) > 1
    )


def excerpt(text: str, question: str, *, most: int = LENGTH_MOST) -> str:
    """The blocks of a Markdown passage that say most about the question, in order; lists and tables stay whole."""
    blocks = _blocks(text)
    if sum(map(_is_question, blocks)) >= 2:
        return _answers(blocks, content(question), most=most)
    if sum(map(len, blocks)) <= most:
        return "\n\n".join(blocks)
    asked = content(question)
    ranked = sorted(range(len(blocks)), key=lambda at: (-len(asked & content(blocks[at])), at))
    kept: list[int] = []
    room = most
    for at in ranked:
        if len(blocks[at]) <= room:
            kept.append(at)
            room -= len(blocks[at]) + 2
    if not kept or ranked[0] not in kept:
        return _shortened(blocks[ranked[0]], asked, most=most)
    return "\n\n".join(blocks[at] for at in sorted(kept))


def _is_question(block: str) -> bool:
    """Whether a block is a question in bold with its answer, as lists of frequent questions have them."""
    return bool(re.match(r"\*\*[^*]+\?\*\*", block))


def _answers(blocks: Sequence[str], asked: frozenset[str], *, most: int) -> str:
    """Of a list of frequent questions those that come nearest to what was asked."""
    shared = [_shared(asked, content(block)) for block in blocks]
    best = max(shared)
    kept = [block for block, count in zip(blocks, shared, strict=True) if count and count == best][:2]
    return "\n\n".join(kept or blocks[:1])[:most]


def _blocks(text: str) -> list[str]:
    """Paragraphs, lists and tables; a line that announces a list belongs to it, headings are left out."""
    blocks: list[str] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.rstrip() for line in block.splitlines() if not re.match(r"\s{0,3}#{1,6}\s", line)]
        block = _unwrapped(lines)
        if not block:
            continue
        if blocks and blocks[-1].endswith(":") and not blocks[-1].lstrip().startswith("|"):
            blocks[-1] += "\n\n" + block
        else:
            blocks.append(block)
    return blocks


def _unwrapped(lines: Sequence[str]) -> str:
    """A block without the line breaks of its source: they would stand in a chat message as they are."""
    joined: list[str] = []
    for line in lines:
        starts = not joined or re.match(r"\s*(?:[-*+]|\d+[.)])\s|\s*\|", line) or joined[-1].lstrip().startswith("|")
        if starts:
            joined.append(line.rstrip())
        else:
            quoted = joined[-1].lstrip().startswith(">")
            joined[-1] += " " + (line.strip().lstrip(">").lstrip() if quoted else line.strip())
    return "\n".join(joined).strip()


_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s", re.MULTILINE)


def _shortest(block: str) -> str:
    """A list with each item cut to its first words in bold, or its first sentence; other blocks as they are."""
    if not _ITEM.search(block):
        return block
    return "\n".join(_first_words(line) if _ITEM.match(line) else line for line in block.splitlines())


def _first_words(item: str) -> str:
    bold = re.match(r"(\s*(?:[-*+]|\d+[.)])\s+\*\*[^*]+\*\*)(?:\s+(?:–|—|-)\s|[.:]|\s)", item)
    sentence = re.split(r"(?<=[.!?…])\s+(?=[А-ЯЁA-Z«\"])", item)[0]
    if bold is None or len(sentence) <= _ITEM_MOST:
        return sentence
    return bold[1].replace("**", "").rstrip(".:")


#: characters of a list's item that need no cutting
_ITEM_MOST = 110


def _shortened(block: str, asked: frozenset[str], *, most: int) -> str:
    """The sentences of one long block that say most about the question; of a list every item in short."""
    is_list = bool(_ITEM.search(block))
    if block.lstrip().startswith("|"):
        return block
    if is_list and len(short := _shortest(block)) <= most * 1.5:
        return short
    pieces = block.splitlines() if is_list else re.split(r"(?<=[.!?…])\s+(?=[А-ЯЁA-Z«\"])", block)
    ranked = sorted(range(len(pieces)), key=lambda at: (-len(asked & content(pieces[at])), at))
    kept: set[int] = set()
    room = most
    for at in ranked:
        if len(pieces[at]) <= room:
            kept.add(at)
            room -= len(pieces[at]) + 1
    joined = ("\n" if is_list else " ").join(pieces[at] for at in sorted(kept))
    return joined or block[:most].rsplit(" ", 1)[0] + "…"
