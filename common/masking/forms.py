"""Personal data that shows by its form: phones, e-mails, cards, papers, plates, pages of persons, dates of birth."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

import phonenumbers
from stdnum.luhn import is_valid as luhn_is_valid
from stdnum.ru import inn

from common.blind_index import normalize_email, normalize_phone
from common.masking.found import Found
from common.masking.places import find_places
from common.masking.spoken import find_spoken

# what people and messengers put between the digits of one number; zero-width characters too
_GAP = "[ \t\u00a0\u202f\u2009.()\u2010-\u2015\\-\u00ad\u200b-\u200f\u2060\ufeff\ufe0f\u20e3]"
#: a number that is joined to a name: «Жанна89601234567»
_JOINED_PHONE = re.compile(r"(?<=[А-Яа-яё])(?:\+7|7|8)[9384]\d{9}(?!\d)|(?<![\w+])80(?:25|29|33|44)\d{7}(?!\d)")
_DIGITS = re.compile(r"\d")
#: a text without this many digits close together holds no phone, card or document
_DENSE = re.compile(r"\d(?:[^\d\n]{0,3}\d){4}")
#: and without this many no phone but a short one, no card, account or number of a person
_LONG = re.compile(r"\d(?:[^\d\n]{0,3}\d){7}")

#: the town's digits in brackets, and strokes behind them
_STROKED_PHONE = re.compile(r"(?<![\d\w+])(?:\+?7|8)[ -]?\(?\d{3}\)?[ -]?\d{3}([ /\\.-])\d{2}\1\d{2}(?!\d)")
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w.+%'-]{1,64}(?:@|\s?(?:\(at\)|\[at\]|\(собака\)"
    r"|\bсобака\b)\s?)[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]{1,24}",
    re.IGNORECASE,
)
_CARD = re.compile(
    r"(?<![\d+])(?:[2-6]\d{3}(?P<gap>[ \u00a0-]?)\d{4}(?P=gap)\d{4}(?P=gap)\d{3,4}(?:(?P=gap)\d{1,3})?"
    r"|3[47]\d{2}[ -]?\d{6}[ -]?\d{5})(?!\d)"
)
#: a slip of the pen makes a card no less secret where the word stands before it
_NAMED_CARD = re.compile(
    r"\b(?:карт(?:[аыеу]|ой|очк\w+)|card)\b[^\d\n]{0,20}(?P<value>\d(?:[ \u00a0-]?\d){14,18})(?!\d)", re.IGNORECASE
)
#: the first part of one that is written over two messages is told by its word
_CARD_PART = re.compile(
    r"\b(?:карт(?:[аыеу]|ой|очк\w+)|card)\b[^\d\n]{0,20}(?P<value>[2-6]\d{3}(?: \d{4}){1,2})(?!\d)", re.IGNORECASE
)
_EXTENSION = r"(?:[ ,]{0,2}(?:доб(?:авочный)?|внутр(?:енний)?|ext)\.?\s?\d{1,5})?"
_RU_PHONE = re.compile(
    rf"(?<![\d\w+])(?:\+{_GAP}{{0,2}}7|[78]){_GAP}{{0,3}}(?:\d{_GAP}{{0,3}}){{9}}\d(?!\d){_EXTENSION}", re.IGNORECASE
)
#: somebody who splits his number by commas or strokes writes all of it so
_SPLIT_PHONE = re.compile(
    r"(?<![\d\w+])(?:\+?7|8)(?P<gap> ?[,/;_|*~=:] ?)\d{3}(?P=gap)\d{3}(?P=gap)\d{2}(?P=gap)\d{2}(?!\d)"
)
_BARE_PHONE = re.compile(rf"(?<![\d\w+])[3489](?:{_GAP}{{0,3}}\d){{9}}(?!\d){_EXTENSION}", re.IGNORECASE)
# numbers abroad have no one length: where another number follows without a comma, both are hidden as one
_FOREIGN_PHONE = re.compile(rf"(?<![\d\w])(?:\+|00){_GAP}{{0,2}}[1-9](?:{_GAP}{{0,3}}\d){{7,40}}")
_SHORT_PHONE = re.compile(
    r"\b(?:тел(?:ефон\w{0,2})?|моб(?:ильный)?|номер телефона|мой номер|phone|call me at|(?:по|пере)?звони\w*"
    r"|набер\w+|городской)\b"
    r"[^\d\n]{0,14}?(?P<value>\d(?:[ -]?\d){4,6})(?!\d)",
    re.IGNORECASE,
)
#: a number of a town, as it is written nowhere else: 555-44-33; an American one
_TOWN_PHONE = re.compile(
    r"(?<![\w.,/-])(?:\d{3}-\d{2}-\d{2}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w/-]|[.,]\d)"
)
_HOME_PHONE = re.compile(r"(?<![\w.,/-])\d{2}-\d{2}-\d{2}(?=[ ,(-]{1,3}(?:дом|гор|раб))", re.IGNORECASE)
_SIX_DIGITS = re.compile(r"(?<![\w.,/-])\d{2}-\d{2}-\d{2}(?![\w/-]|[.,]\d)")
_PASSPORT = re.compile(
    r"(?:пасп\w*\.?|passport|серия(?: и номер)?)[^\d\n]{0,40}"
    r"(?P<value>\d{2}[ -]?(?:\d{2}[^\d\n]{0,12}\d{3}[ ]?\d{3}|[ ]?\d{7}))(?!\d)",
    re.IGNORECASE,
)
#: four digits and six, or two, two and six: nothing else is written so
_PASSPORT_BARE = re.compile(r"(?<![\d\w.,+№-])\d{2} ?\d{2} (?:№ ?)?\d{6}(?![\d\w-]|[.,]\d| ?\d)")
_PASSPORT_LAST = re.compile(
    r"(?<!\d)(?P<value>\d{2}[ -]?\d{2}[ №N-]{0,4}\d{3} ?\d{3})(?!\d)(?=[ ,—(-]{1,3}пасп)", re.IGNORECASE
)
_SERIES = re.compile(r"\bсери[яию]\s{0,2}[:—-]?\s{0,2}(?P<value>\d{2} ?\d{2})(?!\d)", re.IGNORECASE)
_PAPER_NUMBER = re.compile(r"(?:номер|№|N)\s{0,2}(?P<value>\d{3} ?\d{3})(?!\d)", re.IGNORECASE)
_ABROAD = re.compile(
    r"(?:загран\w*|заграничн\w+|passport)[^\d\n]{0,20}(?P<value>(?:[A-Z]{1,2}[ ]?\d|\d{2})[ -]?№?[ ]?\d{6,7})(?!\d)",
    re.IGNORECASE,
)
_SNILS_WRITTEN = re.compile(r"(?<![\d-])\d{3}([-.])\d{3}\1\d{3}[ .-]\d{2}(?![\d-])")
_SNILS = re.compile(
    r"(?:снилс|snils|страхов\w+ (?:свидетельств|номер)\w*)[^\d\n]{0,20}(?P<value>\d(?:[ .-]{0,2}\d){10})(?!\d)",
    re.IGNORECASE,
)
_SNILS_BARE = re.compile(r"(?<![\d\w.,+-])\d{3}([ -]?)\d{3}\1\d{3}[ -]?\d{2}(?![\d\w]|[.,-]\d)")
#: a person's has twelve digits; a company's has ten and is public
_INN = re.compile(r"\bинн\w?\b[^\d\n]{0,40}(?P<value>\d(?:[ -]?\d){11})(?!\d)", re.IGNORECASE)
#: of an entrepreneur: fifteen digits, where a company has thirteen
_OGRNIP = re.compile(r"(?<![\d\w.,+-])[34](?: ?\d){14}(?![\d\w]|[.,-]\d)")
_INN_BARE = re.compile(r"(?<![\d\w.,+-])\d{12}(?![\d\w]|[.,-]\d)|(?<![\d\w.,+-])\d{4} \d{4} \d{4}(?![\d\w]| \d)")
#: accounts of private persons by the Bank of Russia's chart; a company's account is no secret
_ACCOUNT = re.compile(r"(?<!\d)(?:40802|40817|40820|423|426)(?:[ ]?\d){15,17}(?!\d)")
_POLICY = re.compile(r"\bполис\w*[^\d\n]{0,20}(?P<value>\d{4}(?:[ ]?\d{4}){3})(?!\d)", re.IGNORECASE)
_LICENCE = re.compile(
    r"(?:водительск\w+|удостоверени\w+|\bправа\b|\bв/?у\b)[^\d\n]{0,25}?"
    r"(?P<value>\d{2}[ ]?(?:\d{2}|[А-ЯЁA-Z]{2})[ ]?№?[ ]?\d{6})(?!\d)",
    re.IGNORECASE,
)
_PAPER = re.compile(
    r"(?:свидетельств\w+ о (?:рождении|браке|смерти)|военн\w+ билет\w*|вид\w* на жительство|внж)[^\d\n№]{0,10}?"
    r"(?P<value>(?:[IVX]{1,4}-?)?(?:[А-ЯЁ]{2}|\d{2})?[ ]?№?[ ]?\d{6,7})(?!\d)",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"(?<![\w-])[авекмнорстухabekmhopctyx][ ]?\d{3}[ ]?[авекмнорстухabekmhopctyx]{2}[ ]?\d{2,3}(?:[ ]?rus)?(?![\w-])",
    re.IGNORECASE,
)

#: how numbers of MasterCard and Мир begin
_BANKS = frozenset({"51", "52", "53", "54", "55", "22"})
#: a slip of the pen makes a card no less secret, but orders and goods have numbers too
_LIKE_CARD = re.compile(
    r"(?<![\d+])(?<!заказ )(?<!заказа )(?<!артикул )(?<!трек )(?<!order )(?<!№ )(?<!№)"
    r"(?<!номер )[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{4}(?!\d)",
    re.IGNORECASE,
)
_MONEY_FOLLOWS = re.compile(
    r"\s*(?:[.,]\d{1,2}\s*)?(?:₽|руб|р\.|\$|€|%|тыс|млн|диалог|сообщ|запрос|документ|rub\b)", re.IGNORECASE
)
_THOUSANDS = re.compile(r"\d{1,3}(?:[ \u00a0\u202f\u2009]\d{3})+")

_MONTH = (
    r"(?:январ|феврал|март|апрел|ма[йя]|июн|июл|август|сентябр|октябр|ноябр|декабр|янв|фев|мар|апр|авг|сен|окт"
    r"|ноя|дек)[а-я]*\.?"
)
_MONTH_EN = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_YEAR = r"(?:19|20)?\d{2}"
_TENS = r"(?:двадцат|тридцат|сороков|пятидесят|шестидесят|семидесят|восьмидесят|девяност)"
#: «1990 года», «90-го», «тысяча девятьсот восемьдесят пятого»
_YEAR_AFTER = (
    rf"(?:\s+{_YEAR}(?:-?го)?(?:\s?г(?:ода|\.)?)?"
    r"|\s+(?:тысяча\s+девятьсот\s+|две\s+тысячи\s+)?(?:(?:двадцать|тридцать|сорок|пятьдесят|шестьдесят"
    r"|семьдесят|восемьдесят"
    r"|девяносто)\s+)?[а-я]{3,14}(?:ого|его|ьего)(?:\s+года?)?)?"
)
_DATE = (
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-]{_YEAR}|(?:19|20)\d{{2}}[./-]\d{{1,2}}[./-]\d{{1,2}}"
    rf"|\d{{1,2}}[./]\d{{2}}|\d{{1,2}}(?:-?го|-?е)?\s+{_MONTH}{_YEAR_AFTER}"
    rf"|(?:двадцать\s+|тридцать\s+)?[а-я]+(?:ого|его|ое|ье)\s+{_MONTH}{_YEAR_AFTER}"
    rf"|{_MONTH_EN}\s\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s{_YEAR})?|\d{{1,2}}(?:st|nd|rd"
    rf"|th)?\s(?:of\s)?{_MONTH_EN}(?:,?\s{_YEAR})?)(?!\d)"
)
_BORN = re.compile(
    r"\b(?:родил(?:ся|ась|и)|рожд[её]н\w?|(?:дат\w+|год\w?)\s+(?:мо\w+\s+|е[её]\s+|его\s+)?рожд\w*\.?|род\.|д/р"
    r"|д\.?\s?р\.?(?!\w)|днюх\w"
    r"|д(?:ень|ня|ню|н[её]м)\s+рожд[ея]\w+|birthday(?:\s+is)?|date of birth|born|dob\b)(?:\s+(?:реб[её]нка|сына"
    r"|дочери|мужа|жены|клиента|директора))?"
    rf"[\s:,—–-]{{0,4}}(?:(?:у\s+меня|мой|моего|я|был[аи]?|on|is)\s+)?(?P<value>{_DATE}|(?:в\s+)?(?:19"
    rf"|20)\d{{2}}(?:\s+г(?:оду|\.)?)?"
    rf"(?:,?\s+\d{{1,2}}\s+{_MONTH})?)",
    re.IGNORECASE,
)
_OF_BIRTH = re.compile(
    rf"(?<!\d)(?P<value>{_DATE}|(?:19|20)\d{{2}}|\d{{2}}(?=\s?(?:-?го|г)))\s*,?\s?(?:-?го\s)?(?:г\.?\s?р\b\.?"
    rf"|(?:год\w*|г\.?)?\s?рожд(?:ения|\.)"
    r"|(?:я\s)?родил(?:ся|ась)|мой\s+день\s+рожд|(?:у\s+меня\s+)?день\s+рождения|д\.?р\.?(?!\w))",
    re.IGNORECASE,
)
_MAYBE_BORN = ("родил", "рожд", "birth", "born", "dob", "род.", "днюх", "д/р")
_MAYBE_BORN_SHORT = re.compile(r"(?<!\w)[дг]\.?\s?р\b|\dг\.?\s?р\b")

_PAGE = re.compile(
    r"(?:https?://)?(?:www\.|m\.)?(?:t\.me|telegram\.me|vk\.com|vk\.ru|instagram\.com|facebook\.com|fb\.com|ok\.ru"
    r"|linkedin\.com|wa\.me|x\.com|twitter\.com|avito\.ru/(?:user|brands)|tiktok\.com|max\.ru|dzen\.ru"
    r"|youtube\.com/@|threads\.net)"
    r"/?(?:in/|profile/|u/)?@?[\w.%+-]*\w(?:/profile)?/?",
    re.IGNORECASE,
)
_HOSTS = (
    *("t.me/", "telegram.me/", "vk.com/", "vk.ru/", "instagram.", "facebook.", "fb.com/", "ok.ru/", "linkedin."),
    *("wa.me/", "x.com/", "twitter."),
    *("avito.ru/user", "avito.ru/brands", "tiktok.", "max.ru/", "dzen.ru", "youtube.com/@", "threads."),
)
_NICK = re.compile(r"(?<![\w@./-])@[a-z][\w.]{2,30}\w(?!@)", re.IGNORECASE)
_NAMED_NICK = re.compile(
    r"\b(?:ник\w{0,3}|логин\w?|inst\w*|инст\w*|skype|скайп\w?|телег\w*|telegram|тг|tg|вк|vk|вконтакте"
    r"|дискорд\w?|discord|max|макс"
    r"|вайбер\w?|viber|аккаунт\w?|юзер\w*|username|профил\w)\b(?:\s+(?:в|на|мой|моя|ник|это|is)\s+(?:[а-я]+\s)?"
    r"|\s+[а-я]{2,12}\b)?"
    r"\s?[:—–=-]?\s{0,3}(?:собак\w\s"
    r"|собачк\w\s)?(?P<value>[a-z](?=[\w:.]*[\d_.:#])[\w:.]{3,31}\w(?:#\d{4})?)(?![\w@])",
    re.IGNORECASE,
)
_NICK_WORDS = (
    *("ник", "логин", "inst", "инст", "skype", "скайп", "тел", "tel", "тг", "tg", "вк"),
    *("vk", "дискорд", "discord", "max", "макс", "вайбер", "viber", "аккаунт", "юзер", "username", "профил"),
)
#: addresses of nobody in particular
_PUBLIC = re.compile(r"@?(?:support|help|info|admin|all|here|channel|everyone|sales|news)\d*|\w+bot", re.IGNORECASE)
_PUBLIC_PAGE = re.compile(r"/(?:support|help|info|news|share\w*|joinchat|\w*bot)/?$", re.IGNORECASE)


#: digits of other writings, one for one
_OTHER_DIGITS = {
    place: digit
    for start in (0xFF10, 0x0660, 0x06F0, 0x1D7CE)
    for digit, place in zip("0123456789", range(start, start + 10), strict=True)
}


#: a letter that is typed for a nought inside a number
_ROUND = re.compile(r"(?<=\d)[оoОO](?=\d)|(?<=\d\d)[оoОO](?=[)\s-]{1,2}\d)")


def find_personal(text: str) -> Iterator[Found]:
    """Personal data that shows by its form, the surest kinds first; names are told by ``people``."""
    if not text.isascii():
        text = text.translate(_OTHER_DIGITS)
    if _ROUND.search(text) is not None:
        text = _ROUND.sub("0", text)
    small = text.lower()
    if "(dot)" not in small and ("@" in text or "собака" in small or "(at)" in small or "[at]" in small):
        for match in _EMAIL.finditer(text):
            yield Found(*match.span(), "ПОЧТА", normalize_email(match[0]) or match[0].casefold())
    yield from find_spoken(text, small)
    yield from _pages(text, small)
    yield from _births(text, small)
    digits = _DIGITS.search(text) is not None
    if digits:
        yield from _numbers(text, small)
    if digits or ("дом " in small and "кв" in small):
        yield from find_places(text, small)


def _pages(text: str, small: str) -> Iterator[Found]:
    if "/" in text and any(host in small for host in _HOSTS):
        for match in _PAGE.finditer(text):
            if not _PUBLIC_PAGE.search(match[0]):
                yield Found(*match.span(), "АККАУНТ", match[0].casefold())
    if "@" in text:
        for match in _NICK.finditer(text):
            if not _PUBLIC.fullmatch(match[0]):
                yield Found(*match.span(), "АККАУНТ", match[0].casefold())
    if any(word in small for word in _NICK_WORDS):
        for match in _NAMED_NICK.finditer(text):
            yield Found(*match.span("value"), "АККАУНТ", match["value"].casefold())


def _numbers(text: str, small: str) -> Iterator[Found]:
    if _DENSE.search(text) is None:
        rows: tuple[_Row, ...] = _SPARSE
    else:
        rows = (*(_TABLE if _LONG.search(text) is None else _LONG_TABLE), *_LAST)
    rest = text
    for pattern, kind, holds, words in rows:
        if words and not any(word in small for word in words):
            continue
        at = 0
        while match := pattern.search(rest, at):
            start, end = match.span("value") if "value" in pattern.groupindex else match.span()
            value = text[start:end]
            if holds(value, text[end : end + 16]):
                yield Found(start, end, kind, _key(kind, value))
                # what is found is out of the others' way: digits of two neighbours could make a third number
                rest = rest[:start] + "\n" * (end - start) + rest[end:]
                at = end
            else:
                at = match.start() + 1  # a number may begin inside what wasn't one


def _births(text: str, small: str) -> Iterator[Found]:
    if not any(word in small for word in _MAYBE_BORN) and not _MAYBE_BORN_SHORT.search(small):
        return
    for pattern in (_BORN, _OF_BIRTH):
        for match in pattern.finditer(text):
            yield Found(*match.span("value"), "ДАТА", re.sub(r"\s+", " ", match["value"].casefold()))


def _key(kind: str, value: str) -> str:
    digits = "".join(_DIGITS.findall(value))
    if kind == "ТЕЛЕФОН":
        return (normalize_phone(value if len(digits) <= 12 else "") or normalize_phone(digits)) or digits
    return digits if len(digits) > 8 else re.sub(r"[\s№-]", "", value).casefold()


def _is_card(value: str, after: str) -> bool:
    digits = "".join(_DIGITS.findall(value))
    return luhn_is_valid(digits) and not _MONEY_FOLLOWS.match(after)


def _is_document(value: str, after: str) -> bool:
    return not _MONEY_FOLLOWS.match(after)


def _is_like_card(value: str, after: str) -> bool:
    digits = "".join(_DIGITS.findall(value))
    return (len(digits) != len(value) or digits[0] == "4" or digits[:2] in _BANKS) and not _MONEY_FOLLOWS.match(after)


def _is_inn(value: str, after: str) -> bool:
    return inn.is_valid(value.replace(" ", "")) and not _MONEY_FOLLOWS.match(after)


def _is_snils(value: str, after: str) -> bool:
    """Its last two digits are the sum of the others, each times its place from the right; stdnum doesn't know it."""
    digits = [int(each) for each in _DIGITS.findall(value)]
    total = sum(digit * (9 - place) for place, digit in enumerate(digits[:9])) % 101 % 100
    return total == digits[9] * 10 + digits[10] and any(digits[:9]) and not _MONEY_FOLLOWS.match(after)


def _is_phone(value: str, after: str) -> bool:
    if _THOUSANDS.fullmatch(value):
        return False  # an amount: nobody writes a phone in threes from the end
    return bool(normalize_phone("".join(_DIGITS.findall(value.partition("доб")[0])[:11])))


def _is_no_date(value: str, after: str) -> bool:
    """«33-45-67» is a phone of a small town, «25-11-26» may be a day, and «90-60-90» is neither."""
    first, second, third = map(int, value.split("-"))
    return (first > 31 or second > 12) and (first, second) != (first, first) and first != third


def _is_foreign_phone(value: str, after: str) -> bool:
    digits = "".join(_DIGITS.findall(value)).removeprefix("00")
    return any(int(digits[:size]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE for size in (1, 2, 3))


class _Row(NamedTuple):
    """A pattern, what it finds, what else must hold, and words of which one must be there for it."""

    pattern: re.Pattern[str]
    kind: str
    holds: Callable[[str, str], bool]
    words: tuple[str, ...] = ()


_SPARSE = (_Row(_PLATE, "ДОКУМЕНТ", _is_document),)
#: the surest first; ``_LONG`` ones follow those that need no ten digits
_TABLE = (
    _Row(_PASSPORT_LAST, "ДОКУМЕНТ", _is_document, ("пасп",)),
    _Row(_PASSPORT, "ДОКУМЕНТ", _is_document, ("пасп", "passport", "серия")),
    _Row(_SERIES, "ДОКУМЕНТ", _is_document, ("сери",)),
    _Row(_PAPER_NUMBER, "ДОКУМЕНТ", _is_document, ("сери", "пасп")),
    _Row(_ABROAD, "ДОКУМЕНТ", _is_document, ("загран", "passport")),
    _Row(_LICENCE, "ДОКУМЕНТ", _is_document, ("водител", "удостовер", "права", "ву", "в/у")),
    _Row(_PAPER, "ДОКУМЕНТ", _is_document, ("свидетельств", "билет", "жительств", "внж")),
    *_SPARSE,
)
_LONG_TABLE = (
    _Row(_ACCOUNT, "ДОКУМЕНТ", _is_document),
    _Row(_NAMED_CARD, "КАРТА", _is_document, ("карт", "card")),
    _Row(_CARD_PART, "КАРТА", _is_document, ("карт", "card")),
    _Row(_POLICY, "ДОКУМЕНТ", _is_document, ("полис",)),
    _Row(_CARD, "КАРТА", _is_card),
    _Row(_LIKE_CARD, "КАРТА", _is_like_card),
    *_TABLE,
    _Row(_SNILS_WRITTEN, "ДОКУМЕНТ", _is_document),
    _Row(_SNILS, "ДОКУМЕНТ", _is_document, ("снилс", "snils", "страхов")),
    _Row(_INN, "ДОКУМЕНТ", _is_document, ("инн",)),
    _Row(_OGRNIP, "ДОКУМЕНТ", _is_document),
    _Row(_RU_PHONE, "ТЕЛЕФОН", _is_phone),
    _Row(_STROKED_PHONE, "ТЕЛЕФОН", _is_phone),
    _Row(_JOINED_PHONE, "ТЕЛЕФОН", _is_document),
    _Row(_SPLIT_PHONE, "ТЕЛЕФОН", _is_phone),
    _Row(_FOREIGN_PHONE, "ТЕЛЕФОН", _is_foreign_phone),
    _Row(_PASSPORT_BARE, "ДОКУМЕНТ", _is_document),
    _Row(_BARE_PHONE, "ТЕЛЕФОН", _is_phone),
    _Row(_TOWN_PHONE, "ТЕЛЕФОН", _is_document),
    _Row(_INN_BARE, "ДОКУМЕНТ", _is_inn),
    _Row(_SNILS_BARE, "ДОКУМЕНТ", _is_snils),
)
_LAST = (
    _Row(_HOME_PHONE, "ТЕЛЕФОН", _is_document, ("дом", "гор", "раб")),
    _Row(_SIX_DIGITS, "ТЕЛЕФОН", _is_no_date),
    _Row(_TOWN_PHONE, "ТЕЛЕФОН", _is_document),
    _Row(_SHORT_PHONE, "ТЕЛЕФОН", _is_document, ("тел", "моб", "phone", "номер", "звон", "call", "набер", "город")),
)
