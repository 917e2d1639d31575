"""Names that no introduction stands before: how people speak of others, call them, and sign."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from common.masking.lists import (
    BELONGS,
    BRANDS,
    CALLED_AFTER,
    CALLED_BEFORE,
    DOUBTFUL_NAMES,
    FAMOUS,
    FIRST_SURNAMES,
    FUSED,
    HERE_I_AM,
    NICKNAMES,
    NO_NAMES,
    OF_PLACES,
    ON_THE_LINE,
    PLURALS,
    SELVES_LATIN,
    TRADES,
    TRADES_LATIN,
    WEAK,
)
from common.masking.words import (
    CYRILLIC,
    LONGEST,
    MAYBE,
    SPACES,
    SURE,
    SURNAME,
    Kind,
    Token,
    ends_as_surname,
    is_called,
    is_latin_name,
    is_pure,
    kind_of,
)
from common.russian import analyzer

if TYPE_CHECKING:
    from common.masking.people import Reader

_SURNAME_FIRST = re.compile(
    r"(?<![\w.])(?P<name>[А-ЯЁа-яё][а-яё-]{1,30})\s{1,2}(?P<letters>[А-ЯЁа-яё]\.\s?[А-ЯЁа-яё](?:\.|(?!\w))"
    r"|[А-ЯЁ]{2}(?!\w)"
    r"|[А-ЯЁа-яё]\s[А-ЯЁа-яё](?!\w)|[А-ЯЁ](?:\.|(?=\s*(?:[,;)(\n\d+]|$))))"
)
_INITIAL_FIRST = re.compile(
    r"(?<![\w.])[А-ЯЁA-Z]\.\s?(?:[А-ЯЁA-Z]\.\s?)?(?P<name>[А-ЯЁ][а-яё-]{2,30}|[A-Z][a-z-]{2,30})(?!\w)"
)
_LATIN_INITIAL = re.compile(r"(?P<name>[A-Z][a-z]{2,20})\s[A-Z]\.(?!\w)")
_NOT_INITIALS = frozenset("ип рф ао тк он ооо ты мы вы ру вк тг тз кп цб уз и а я у о в с к".split())  # noqa: SIM905
#: what is said of things, plants and beasts as well
_OF_THINGS_WORDS = """
    быть стоить пахнуть цвести расти жить умирать помогать работать мочь начаться есть
    продаваться называться значить подходить получиться закончиться кончиться нужный входить
"""
_OF_THINGS = frozenset(_OF_THINGS_WORDS.split())
_IS_AWAY = re.compile(
    r"\s+(?:(?:уже|ещё|еще|сейчас|пока|сегодня)\s+)?"
    r"(?:в\s+отпуске|на\s+больничном|в\s+декрете|на\s+месте|на\s+обеде|заболел|занят)"
)
_IS_OURS = re.compile(r"\s+(?:аке|ака|апа|наш|наша|мой|моя)(?!\w)")
_TRADE = re.compile(
    r"(?:администратор|менеджер|юрист|бухгалтер|директор|маркетолог|владел|хозя|секретар|продав|дизайнер|курьер)\w*$"
)
_CALLED_SO = re.compile(
    r"\s*[,—–-]?\s*(?:(?:да|это),?\s+)?(?:такая|моя|редкая)\s+фамилия|\s+фамилия\s+моя", re.IGNORECASE
)
#: what people do, and names only of people are said to do
_DOING = re.compile(
    r"(?:с|под|на|за|от|пере|по|при|вы|об|рас|до|у)?(?:сказал|писал|звонил|просил|обещал|говорил|спрашивал"
    r"|спросил|прислал|слал|"
    r"шлёт|шлет|ведёт|ведет|звонит|пишет|говорит|просит|обещает|присылал|отвечал|отвечает|решает|решил|думает"
    r"|думал|советовал|"
    r"посоветовал|консультировал|настраивал|настроил|смотрит|смотрел|работает|работал|уволил|подтвердил"
    r"|согласовал|сообщил)"
    r"(?:а|и|с[яь]|ась|ся)?$"
)
_RUSSIAN = re.compile(r"[а-яё'-]+")
_ZOVUT = frozenset({"зовут", "звать", "звали"})
_WHOM = frozenset({"меня", "мя", "её", "ее", "его", "их", "нас"})
_AND = re.compile(r"\s{0,2},\s{1,2}|\s{1,2}(?:и|или|with|and|&)\s{1,2}|\s{0,2}[/+]\s{0,2}", re.IGNORECASE)
_TRADE_END = re.compile(r"(?:ер|ор|ист|ник|ница|тель|лог|арь|щик|чик|ант|ент)\w{0,2}$")
#: words that tell how far back a role may stand
_BACK = 5


def read(reader: Reader) -> None:
    """Add the names of a text that show by how they are used."""
    _by_themselves(reader)
    _after_trades(reader)
    _told_afterwards(reader)
    _with_initials(reader)
    _called(reader)
    _alone(reader)
    if any(reader.taken) or any(each.word in FIRST_SURNAMES for each in reader.tokens):
        for _ in range(2):
            _beside_names(reader)


def _may_be(token: Token) -> bool:
    """Whether a word with a capital may be of a name where others are expected."""
    if token.word in NO_NAMES or len(token.word) < 2:
        return False
    if not CYRILLIC.search(token.word):
        return token.word not in WEAK
    if not _RUSSIAN.fullmatch(token.word):
        return False  # «AI-юрист»
    kind = kind_of(token.word)
    if kind.name >= MAYBE or kind.surname >= MAYBE or kind.patronymic > 0:
        return True
    return not kind.functional and (not kind.known or ends_as_surname(token.word))


# --- the word itself --------------------------------------------------------------------------------------------------


def _by_themselves(reader: Reader) -> None:
    """First names in small letters, surnames with a capital, and names in Latin letters."""
    for place, token in enumerate(reader.tokens):
        if reader.taken[place] or token.word in NO_NAMES or token.word in BRANDS or len(token.word) < 3:
            continue
        if not CYRILLIC.search(token.word):
            if place + 1 < len(reader.tokens) and OF_PLACES.match(reader.tokens[place + 1].word):
                continue
            if not token.capital and is_latin_name(token.word) and reader.stands_before(place, SELVES_LATIN):
                reader.take_from(place)
            latin = token.capital and token.word not in WEAK and is_latin_name(token.word.split("-")[0])
            if latin and not reader.is_brand(place, kind_of(token.word)):
                reader.take_from(place)
            continue
        kind = kind_of(token.word)
        if FUSED.match(token.word) and (token.capital or not kind.known):
            reader.take(place, place + 1)
            continue
        first, hyphen, _ = token.word.partition("-")
        if token.capital and hyphen and len(first) > 2 and is_pure(first):  # «Кристина-менеджер»
            reader.take_span(token.start, token.start + len(first))
            continue
        if _does(reader, place, kind):
            reader.take_from(place)
            continue
        if not token.capital:
            if token.word == "макс" and place and reader.tokens[place - 1].word in {"про", "pro", "max"}:
                continue
            if is_pure(token.word) and not reader.is_brand(place, kind) and not _belongs_to_town(reader, place):
                reader.take_from(place)
            continue
        if place + 1 < len(reader.tokens) and reader.close(place) and OF_PLACES.match(reader.tokens[place + 1].word):
            continue
        looks = ends_as_surname(token.word) and kind.surname >= SURNAME and kind.place <= SURNAME
        if reader.is_brand(place, kind) or not (looks or (kind.surname >= SURE and kind.other <= 0.25)):
            continue
        starts = not reader.text[: token.start].rstrip(' «"(')[-1:].isalnum()
        if (starts and not looks and (kind.other or kind.place)) or _is_after_somebody(reader, place):
            continue
        reader.take_from(place)


def _does(reader: Reader, place: int, kind: Kind) -> bool:
    """A name that is a word as well, with a capital, and with what only people do beside it: «расписалась Мила»."""
    token = reader.tokens[place]
    surname = ends_as_surname(token.word) and kind.surname >= MAYBE
    if reader.is_brand(place, kind) or (kind.place and not surname):
        return False
    if not token.capital:
        surname = (kind.surname >= SURE and kind.other <= 0.25) or (surname and kind.other - kind.place < 0.1)
        if not surname:
            return False
    elif not surname:
        unknown = not kind.known and _RUSSIAN.fullmatch(token.word) is not None and "-" not in token.word
        named = kind.name >= SURNAME or token.word in DOUBTFUL_NAMES or unknown
        if token.word not in NICKNAMES and not (named and (unknown or is_called(token.word))):
            return False
        starts = not reader.text[: token.start].rstrip(' «"(')[-1:].isalnum()
        if kind.known and starts and _IS_AWAY.match(reader.text, token.end):
            return True
        if starts and _IS_OURS.match(reader.text, token.end):
            return True
    for other, gap in ((place + 1, place), (place - 1, place - 1)):
        if not 0 <= other < len(reader.tokens) or not reader.close(gap):
            continue
        after = reader.tokens[other]
        if _DOING.match(after.word):
            return True
        said = _TRADE.match(after.word) or (kind.known and _is_of_people(after.word))
        if other < place:
            said = kind.known and _is_alive(after.word)  # «кадровик Света»
        if said and not after.capital:
            return True
    return False


@lru_cache(maxsize=5_000)
def _is_alive(word: str) -> bool:
    """Whether a word is of somebody alive first of all, in the nominative."""
    if len(word) > LONGEST:
        return False
    parse = analyzer().parse(word)[0]
    return bool(parse.is_known and {"NOUN", "anim", "nomn", "sing"} <= parse.tag.grammemes and "Name" not in parse.tag)


@lru_cache(maxsize=5_000)
def _is_of_people(word: str) -> bool:
    """«Гуля кассирша», «Лилия ждёт»: somebody alive in the nominative, or what one alone does."""
    if len(word) > LONGEST:
        return False
    parse = analyzer().parse(word)[0]
    if "anim" in parse.tag and "nomn" in parse.tag and "NOUN" in parse.tag:
        return bool(parse.is_known)
    verb = (
        "VERB" in parse.tag
        and "sing" in parse.tag
        and "impr" not in parse.tag
        and ("3per" in parse.tag or "past" in parse.tag)
    )
    return bool(verb and parse.is_known and parse.normal_form not in _OF_THINGS)


def _belongs_to_town(reader: Reader, place: int) -> bool:
    return place > 0 and reader.tokens[place - 1].word in {"город", "городе", "города", "г"}


def _is_after_somebody(reader: Reader, place: int) -> bool:
    """«Школа имени Гагарина», «площадь Ленина»; whom everybody knows is nobody's customer."""
    if place > 0 and reader.tokens[place - 1].word in CALLED_AFTER:
        return True
    return is_famous(reader.tokens[place].word)


@lru_cache(maxsize=10_000)
def is_famous(word: str) -> bool:
    """Whether a surname is of somebody whom everybody knows."""
    if word in FAMOUS or len(word) > LONGEST:
        return word in FAMOUS
    return any(each.normal_form in FAMOUS and "Surn" in each.tag for each in analyzer().parse(word))


# --- the words before -------------------------------------------------------------------------------------------------


def _after_trades(reader: Reader) -> None:
    for place, token in enumerate(reader.tokens):
        if reader.taken[place] or len(token.word) < 2:
            continue
        short = token.word in FIRST_SURNAMES and token.capital and place > 0 and reader.tokens[place - 1].word == "ип"
        if short:
            reader.take(place, place + 1)
        if token.word in NO_NAMES:
            continue
        if not CYRILLIC.search(token.word):
            may = token.capital and len(token.word) > 2 and token.word not in WEAK
            if may and reader.stands_before(place, TRADES_LATIN) and not reader.is_brand(place, kind_of(token.word)):
                reader.take_from(place)
            continue
        kind = kind_of(token.word)
        if token.capital:
            may = _may_be(token)
        else:
            may = len(token.word) > 2 and (kind.name >= SURE or kind.surname >= SURE) and not kind.place
        if (may or _is_entrepreneur(reader, place, kind)) and reader.stands_before(place, TRADES):
            reader.take_from(place)


def _is_entrepreneur(reader: Reader, place: int, kind: Kind) -> bool:
    """An ИП is always called by a surname, whatever else it means."""
    return (
        place > 0
        and reader.tokens[place - 1].word == "ип"
        and reader.tokens[place].capital
        and not kind.functional
        and not reader.in_quotes(place)
    )


def _told_afterwards(reader: Reader) -> None:
    """«Дилноза меня зовут», «его Саид зовут», «султанов на связи», «Катин телефон»."""
    for place, token in enumerate(reader.tokens):
        if token.word in _ZOVUT and place >= 2:
            for before, whom in ((place - 1, place - 2), (place - 2, place - 1)):
                if reader.tokens[whom].word in _WHOM and not reader.taken[before] and _can_be_told(reader, before):
                    reader.take(before, before + 1)
                    break
            continue
        if reader.taken[place] or token.word in NO_NAMES or len(token.word) < 3 or not CYRILLIC.search(token.word):
            continue
        kind = kind_of(token.word)
        likely = (kind.name >= SURNAME or kind.surname >= SURNAME) and not kind.place
        likely = likely or (token.capital and ends_as_surname(token.word) and not kind.functional)
        if not kind.known and not _RUSSIAN.fullmatch(token.word):
            continue  # «AI-Менеджер пишет»
        starts = place == 0 or not reader.text[: token.start].rstrip(" ")[-1:].isalnum()
        if starts and token.capital and _CALLED_SO.match(reader.text, token.end):
            reader.take(place, place + 1)
            continue
        if not (likely or (starts and token.capital and not kind.known)) or not (token.capital or starts):
            continue
        if not token.capital and not ends_as_surname(token.word) and not is_called(token.word):
            continue  # «любой из двух»
        if ON_THE_LINE.match(reader.text, token.end):
            reader.take(place, place + 1)
    for match in BELONGS.finditer(reader.text):
        stem = match["name"].casefold()
        if any(kind_of(stem + ending).name >= MAYBE for ending in ("а", "я")):
            place_ = reader.at.get(match.start())
            if place_ is not None:
                reader.certain.add((reader.tokens[place_].start, reader.tokens[place_].end))
                reader.take(place_, place_ + 1)


def _can_be_told(reader: Reader, place: int) -> bool:
    token = reader.tokens[place]
    kind = kind_of(token.word)
    return token.word not in NO_NAMES and (not kind.functional or kind.name >= MAYBE) and len(token.word) > 1


# --- initials ---------------------------------------------------------------------------------------------------------


def _with_initials(reader: Reader) -> None:
    for match in _SURNAME_FIRST.finditer(reader.text):
        word, letters = match["name"].casefold(), match["letters"]
        if word in NO_NAMES or (letters.casefold() in _NOT_INITIALS and "." not in letters):
            continue
        kind = kind_of(word)
        capital = match["name"][0].isupper()
        if "." in letters and len(letters) > 2:
            fits = (
                kind.surname >= MAYBE or word in FIRST_SURNAMES or ends_as_surname(word) or (capital and not kind.known)
            )
        elif len(letters) <= 2:  # «Милова Д», «Ксения Б.», «Петров ИС»
            fits = capital and (kind.surname >= MAYBE or kind.name >= SURE or word in FIRST_SURNAMES)
        else:
            fits = kind.surname >= SURNAME
        if fits:
            reader.take_span(*match.span())
    for match in _INITIAL_FIRST.finditer(reader.text):
        word = match["name"].casefold()
        kind = kind_of(word)
        if word in NO_NAMES or word in WEAK or kind.functional or kind.place > 0.3:
            continue
        latin = not CYRILLIC.search(word)
        if (
            latin
            or kind.surname >= MAYBE
            or not kind.known
            or ends_as_surname(word)
            or word.endswith(("ая", "ий", "ой"))
        ):
            reader.take_span(*match.span())
    for match in _LATIN_INITIAL.finditer(reader.text):
        if is_latin_name(match["name"].casefold()):
            reader.take_span(*match.span())


# --- the place --------------------------------------------------------------------------------------------------------


def _called(reader: Reader) -> None:
    """«Юль, привет», «Спасибо, Кать!», «Добрый вечер! Фаррух.»"""
    for match in HERE_I_AM.finditer(reader.text):
        at = reader.at.get(match.start("name"))
        if at is not None and not reader.taken[at] and reader.tokens[at].word not in NO_NAMES:
            kind, word = kind_of(match["name"].casefold()), match["name"].casefold()
            unknown = not kind.known and match["name"][0].isupper() and word not in BRANDS
            if unknown or kind.surname >= SURE or ((kind.name >= MAYBE or word in DOUBTFUL_NAMES) and is_called(word)):
                reader.take(at, at + 1)
    for place, token in enumerate(reader.tokens):
        if reader.taken[place] or token.word in NO_NAMES or len(token.word) < 2 or not CYRILLIC.search(token.word):
            continue
        after = reader.text[token.end : token.end + 2].lstrip(" ")[:1]
        if after not in {"", ",", "!", ".", "?", ")", "\n"}:
            continue
        kind = kind_of(token.word)
        may = kind.name >= (MAYBE if token.capital else SURNAME) or token.word in DOUBTFUL_NAMES
        if not may or kind.place > 0.3 or token.word in BRANDS or not is_called(token.word):
            continue
        before = reader.text[max(0, token.start - 40) : token.start]
        if not token.capital and not is_pure(token.word) and _is_noun_next(reader, place):
            continue  # «май, июнь, июль»
        listed = place + 1 < len(reader.tokens) and reader.tokens[place + 1].word in DOUBTFUL_NAMES  # «вера, надежда»
        called = (after == "," and not listed and CALLED_BEFORE.search(before)) or (
            before.rstrip(" ").endswith(",") and after in {"", "!", "?", "."} and place < 4 and token.capital
        )
        if called and not reader.in_quotes(place):
            reader.take(place, place + 1)


def _is_noun_next(reader: Reader, place: int) -> bool:
    return place + 1 < len(reader.tokens) and _is_thing(reader.tokens[place + 1].word)[1]


def _alone(reader: Reader) -> None:
    """A message, or its last lines, that is nothing but a name."""
    at = 0
    lines = reader.text.split("\n")
    for number, line in enumerate(lines):
        start, at = at, at + len(line) + 1
        words = line.strip(" .,!()-—–")
        if not words or len(words) > 60 or (number and number < len(lines) - 4) or re.search(r"[\d?:«»\"/]", words):
            continue
        first = reader.place_after(start)
        places = []
        while first < len(reader.tokens) and reader.tokens[first].end <= start + len(line):
            places.append(first)
            first += 1
        if not 1 <= len(places) <= 3 or any(not reader.close(each) for each in places[:-1]):
            continue
        if not all(_signs(reader.tokens[each], last=number > 0, several=len(places) > 1) for each in places):
            continue
        if any(is_famous(reader.tokens[each].word) for each in places):
            continue
        reader.take(places[0], places[-1] + 1)


def _signs(token: Token, *, last: bool, several: bool) -> bool:
    if token.word in NO_NAMES or token.word in WEAK or token.word in BRANDS:
        return False
    if not CYRILLIC.search(token.word):
        return token.capital and is_latin_name(token.word)
    kind = kind_of(token.word)
    if kind.place > 0.3:
        return False
    if not token.capital:
        return kind.name >= SURE or (several and (kind.surname >= SURNAME or kind.patronymic > 0))
    if kind.name >= SURNAME or kind.surname >= SURNAME or kind.patronymic > 0 or token.word in PLURALS:
        return True
    if several or last:
        return (kind.name >= MAYBE or ends_as_surname(token.word) or not kind.known) and not kind.functional
    return False


def _beside_names(reader: Reader) -> None:
    """What stands beside a name, or in one row with it."""
    for place, token in enumerate(reader.tokens):
        if reader.taken[place] or token.word in WEAK or len(token.word) < 2:
            continue
        kind = kind_of(token.word)
        if token.word not in NO_NAMES and (_in_row(reader, place, kind) or _touches(reader, place, kind)):
            reader.take(place, place + 1)
            continue
        if token.word in FIRST_SURNAMES and token.capital and place + 1 < len(reader.tokens) and reader.close(place):
            end = place + 1
            while end < min(len(reader.tokens), place + 3) and reader.close(end - 1) and _is_short(reader.tokens[end]):
                end += 1
            if end > place + 1:
                reader.taken[place:end] = [False] * (end - place)
                reader.take(place, end)


def _is_short(token: Token) -> bool:
    if token.capital and token.word in FIRST_SURNAMES:
        return True
    return token.capital and len(token.word) < 8 and not kind_of(token.word).functional and token.word not in NO_NAMES


def _in_row(reader: Reader, place: int, kind: Kind) -> bool:
    """«Я, Толик и Жанна»."""
    token = reader.tokens[place]
    if not token.capital or token.word in BRANDS or token.word in NO_NAMES or (kind.place > 0.3 and kind.name < SURE):
        return False
    if not _may_be(token) and (kind.functional or not _is_thing(token.word)[0]):
        return False
    for other in (place - 1, place + 1):
        if 0 <= other < len(reader.tokens) and reader.taken[other] and reader.tokens[other].capital:
            first, last = sorted((token, reader.tokens[other]))
            if _AND.fullmatch(reader.text, first.end, last.start):
                return True
    # «А и Б», where «и» is a word of its own
    for step in (-1, 1):
        other, between = place + 2 * step, place + step
        if (
            0 <= other < len(reader.tokens)
            and reader.taken[other]
            and reader.tokens[between].word in {"и", "или", "and"}
        ):
            first, last = sorted((token, reader.tokens[other]))
            if len(reader.text[first.end : last.start]) < 6:
                return True
    return False


@lru_cache(maxsize=10_000)
def _is_thing(word: str) -> tuple[bool, bool]:
    """Whether a word may be of somebody alive, and whether it is a noun or an adjective first of all."""
    if len(word) > LONGEST:
        return (False, False)
    parses = analyzer().parse(word)
    alive = any("anim" in each.tag and "nomn" in each.tag for each in parses)
    return alive, alive or any("NOUN" in each.tag or "ADJF" in each.tag for each in parses[:1])


def _touches(reader: Reader, place: int, kind: Kind) -> bool:
    """A surname before or behind a first name: «Сокол Виктор», «ольга смирнова»."""
    token = reader.tokens[place]
    for other, gap in ((place + 1, place), (place - 1, place - 1)):
        if not 0 <= other < len(reader.tokens) or not reader.taken[other] or not reader.close(gap):
            continue
        name = reader.tokens[other]
        if not CYRILLIC.search(token.word) and (other > place or CYRILLIC.search(name.word)):
            continue  # «Saved Анна», «Saved Anna»
        if not token.capital:
            small = not name.capital and (
                kind.surname >= SURNAME or (ends_as_surname(token.word) and not kind.functional)
            )
            if small and kind_of(name.word).name >= SURE:
                return True
            continue
        if not name.capital:
            continue
        is_alive, is_noun = _is_thing(token.word)
        if kind.functional and not is_alive:
            continue
        if _may_be(token):
            return True
        sure = kind_of(name.word).name >= SURE or kind_of(name.word).patronymic > 0
        if sure and CYRILLIC.search(token.word) and is_noun and not _TRADE_END.search(token.word) and not kind.place:
            return other == place + 1 or SPACES.fullmatch(reader.text, name.end, token.start) is not None
    return False
