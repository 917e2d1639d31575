"""Addresses: a street with a house or a flat. A city alone is nobody's address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from common.masking.found import Found
from common.russian import analyzer

#: what an address has before or after a name; with their endings
_KIND = (
    r"(?:улиц[аеуы]й?|ул\.?|проспект[аеуы]?|пр-к?т[аеуы]?\.?|просп\.|переул(?:ок|ка|ке|ку)|пер\.|набережн(?:ая"
    r"|ой|ую)|наб\."
    r"|шоссе|ш\.|бульвар[аеуы]?|б-р[аеуы]?|бул\.|б\.|проезд[аеуы]?|пр-д|пр\.|тупик[аеуы]?|туп\.|алле[яеию]й?"
    r"|площад[ьи]|пл\."
    r"|лини[яиею]|микрорайон[аеуы]?|мкр-?н?\.?|квартал[аеуы]?|тракт[аеуы]?|ulitsa|ul\.|prospekt|pereulok|per\.)"
)
_SETTLED = (
    r"(?:снт|днт|жк|кп|пос(?:[её]лок|[её]лке|\.)|дер(?:евн[яие]|\.)|сел[оае]|с\.|д\.|ст-ца|станица|хутор|аул"
    r"|общежити[еяию]"
    r"|гск|территория)"
)
#: of so many parts and letters, for one way to read a word without end
_WORD = r"[А-ЯЁA-Z][А-ЯЁа-яёA-Za-z]{0,30}(?:-[А-ЯЁа-яёA-Za-z]{1,30}){0,3}\.?"
_ORDINAL = r"\d{1,4}(?:-?(?:я|й|ая|ой|ый|го|му|е))"
_QUOTE = '[«»"“”„]?'
#: capitals, numerals («8 Марта», «3-я»), and the small words between them
_NAME = (
    rf"{_QUOTE}(?:{_ORDINAL}\s+)?(?:\d{{1,4}}\s+(?=[А-ЯЁ]|года|лет))?(?:им\.\s?|имени\s|реки\s)?(?:{_WORD}|года|лет)"
    rf"(?:[ ](?:и\s+|на\s+)?(?:{_WORD}|{_ORDINAL}|км|реки|года)){{0,3}}{_QUOTE}"
)
#: after «ул.» it needs no capital
_ANY_NAME = (
    rf"(?:\d{{1,2}}\s(?:марта|мая|января|октября|июля)|{_ORDINAL}(?:\sВ\.?\s?О\.?)|{_NAME}(?:\s[а-яё]{{4,}})?"
    rf"|[а-яё]{{3,}}(?:-[а-яё]+)?(?:\s+[а-яё]{{4,}})?)"
)
_HOUSE_WORD = (
    r"(?:д(?:ом)?[ае]?(?:\b\.?|(?=\d))|влд\.?|владени[ея]|вл\.|зд(?:ание|\.)|участ(?:ок|ке)|уч\.|стр(?:оение"
    r"|\.)|house|dom|d\.)"
)
_HOUSE = (
    r"№?\s?\d{1,4}\s?(?:[а-дА-Д](?![а-яёА-ЯЁ]))?(?:\s?[/\\-]\s?\d{1,4}[а-яА-Я]?){0,2}"
    r"(?:\s?[кc]\.?\s?\d{1,3})?(?![\d₽%])"
)
_FLAT_WORD = (
    r"(?:кв(?:артир[аеуы])?(?:\b\.?|(?=\d))|оф(?:ис[еа]?)?(?:\b\.?|(?=\d))|корп(?:ус[еа]?)?(?:\b\.?|(?=\d))"
    r"|к(?:омнат[аеу]|омн?\.|\.)|подъезд[еа]?|под\."
    r"|эт(?:аж[еа]?)?\b\.?|стр(?:оение|\.|\b)|с\.|домофон|код|вход|секция|под[ъь]?езд|лит(?:ер[аы]?|\.)"
    r"|пом(?:ещени[ея]|\.)|apt\.?|flat|apartment|kv\.?|квартира)"
)
_FLAT = rf"{_FLAT_WORD}\s?№?\s?(?:\d{{1,4}}[а-яА-Я]?\b|[А-Я]\b)"
_SPELT = r"[а-яё]{3,13}(?:\s[а-яё]{3,9})?"
_SEP = r"\s{0,2}[,;]?\s{0,2}"
#: flats and houses after the first, and a last number that says nothing of itself
_TAIL = rf"(?:{_SEP}(?:{_FLAT}|{_HOUSE_WORD}\s?{_HOUSE})){{0,6}}(?:,\s?\d{{1,4}}(?=\s*(?:[.;\n]|$)))?"
_NUMBERED = rf"(?:{_HOUSE_WORD}\s?{_HOUSE}|{_FLAT}|{_HOUSE})"
_IN_WORDS = rf"д(?:ом)?\.?\s{_WORD}\s{_HOUSE}"

_ALL_IN_WORDS = (
    rf"(?i:дом)\s{_SPELT}(?:{_SEP}(?:(?i:корпус|строение)\s{_SPELT}{_SEP})?(?i:кв(?:артира)?\.?|офис)\s{_SPELT})"
)
_INNER = rf"(?:{_FLAT}|{_HOUSE_WORD}\s?{_HOUSE})"
#: what all writings of a kind of street have in them
_KINDS = (
    "улиц|ул.|ул |просп|пр-|пр.|переул|пер.|пер |набереж|наб.|шоссе|ш.|бульвар|б-р|бул.|б.|проезд|тупик|туп.|алле"
    "|площад|пл.|лини|микрорайон|мкр|квартал|тракт|ulitsa|ul.|prospekt|pereulok|per."
)

#: the way down to the street: postcode, region, town
_BEFORE = (
    rf"(?:(?<!\d)\d{{6}}\b,?\s{{0,2}}(?:{_WORD},\s)?)?(?:(?:(?:{_WORD}\s(?:обл(?:асть|\.)?|край|р-н|район)"
    rf"|обл\.?\s{_WORD}"
    rf"|(?:г(?:ород|\.)|пос\.|дер\.|с\.|пгт|деревня|пос[её]лок|село|хутор|станица|аул)\s?{_WORD}(?:\s{_WORD})?"
    rf"|(?:Москва|Санкт-Петербург|СПб|Россия|РФ)),?\s{{0,2}})){{0,4}}"
)
#: (words of which one is there in small letters, pattern)
_PATTERNS = tuple(
    (tuple(words.split("|")), re.compile(pattern))
    for words, pattern in (
        # кв. 118, д. 7, ул. Королёва; дом 9 по улице Некрасова
        (
            _KINDS,
            rf"(?i:{_INNER}(?:{_SEP}{_INNER}){{0,3}}{_SEP}(?:по\s|на\s)?{_KIND})\s?{_ANY_NAME}",
        ),
        (_KINDS, rf"(?i:{_INNER}(?:{_SEP}{_INNER}){{0,3}}{_SEP}(?:по|на)\s){_NAME}\s(?i:{_KIND})(?!\w){_TAIL}"),
        # ул. Ленина, д. 5, кв. 12; 3-я улица Строителей, дом 25
        (
            _KINDS,
            rf"{_BEFORE}(?<![\w-])(?:{_ORDINAL}\s)?(?i:{_KIND})\s{{0,2}}{_ANY_NAME}{_SEP}(?:{_ALL_IN_WORDS}"
            rf"|{_IN_WORDS}|{_NUMBERED}){_TAIL}",
        ),
        # Невский проспект, 28
        (_KINDS, rf"{_BEFORE}{_NAME}\s(?i:{_KIND})(?:\s{_NAME})?(?!\w){_SEP}{_NUMBERED}{_TAIL}"),
        # СНТ «Берёзка», уч. 12; ЖК Солнечный берег, корпус 4
        (
            "снт|днт|жк|кп|пос|дер|сел|с.|д.|станиц|ст-ца|хутор|аул|общежит|гск|территор",
            rf"(?<![\w-])(?i:{_SETTLED})\s?(?:на\s)?{_NAME}(?:\s[а-яё]{{3,}})?{_SEP}{_NUMBERED}{_TAIL}",
        ),
        # Малышева 36, кв 17
        (
            "кв|подъезд|корп|офис|комнат",
            rf"(?<![\w-]){_NAME}{_SEP}(?:(?i:{_HOUSE_WORD})\s?)?\d{{1,3}}[а-яА-Я]?(?:/\d+)?{_SEP}"
            rf"(?i:кв(?:артира)?\b\.?|подъезд|корп(?:ус|\.)?|офис|комната)\s?№?\s?\d{{1,4}}\b(?!\s?м){_TAIL}",
        ),
        # на Маросейке, дом 13; на Большой Дмитровке, 9, стр. 4
        (
            "дом|д.",
            rf"(?<![\w-])(?:(?i:на|по)\s{_NAME}|{_WORD}),\s{{0,2}}(?i:дом|д\.)\s?\d{{1,4}}[а-яА-Я]?\b{_TAIL}",
        ),
        ("стр", rf"(?<![\w-])(?i:на|по)\s{_NAME},\s\d{{1,4}}[а-яА-Я]?,\s(?i:стр\.|строение)\s?\d{{1,3}}\b"),
        # адрес: Рязань, Есенина, 1
        (
            "адрес|живу|прожива|пропис|доставк",
            rf"(?i:адрес\w*|живу|проживаю|прописан\w?|доставк\w+)[^\n\d]{{0,30}}?[\s:—–-]\s?"
            rf"(?P<value>{_BEFORE}{_NAME}(?:,\s?{_NAME}){{0,2}},?\s{{0,2}}{_NUMBERED}{_TAIL})",
        ),
        (
            "street|str.|st.| str,| st,| st |avenue|ave|road|rd.|lane",
            r"\b\d{1,4}[A-Z]?,?\s(?:[A-Z][a-z]+\s){1,3}(?i:street|str?\.?|avenue|ave\.?|road|rd\.?|lane|drive"
            r"|blvd\.?)"
            r"(?:\s(?:NW|NE|SW|SE|N|S|E|W)\b)?(?:,?\s(?i:apt\.?|flat|unit|apartment|suite)\s?#?\d{1,4})?",
        ),
    )
)
#: a street that is known by its form alone, with a house, and then nothing, a sign or a flat
_STREET = re.compile(
    rf"(?<![\w-])(?P<words>{_WORD}(?:\s{_WORD}){{0,2}}|(?<=[Нн]а )[а-яё]{{4,}}(?:\s[а-яё]{{5,}})?"
    rf"|(?<=[Пп]о )[а-яё]{{4,}})"
    rf"(?:\s{_ORDINAL})?,?\s{{1,2}}(?:{_HOUSE_WORD}\s?)?(?P<house>\d{{1,3}}[а-дА-Д]?(?:\s?[кс]\.?\s?\d{{1,2}})?(?:\s?[/-]\s?\d{{1,4}})?"
    rf"(?:\s?-\s?\d{{1,4}})?)(?P<tail>{_TAIL})(?![\w%₽-])"
)
#: what follows an address, and what follows an amount
_ENDS = re.compile(
    r"\s*(?:$|[,.;:!?)\n(—–-])|\s+(?:вход|офис|этаж|рядом|напротив|во\s|со\s|там|и\s|домофон|код|кв|второй"
    r"|первый|третий"
    r"|возле|около|за\s|по\s|[А-ЯЁ])"
)
_UNITS = (
    r"\s{0,2}(?:мин|час|дн|лет\b|год|раз|шт|руб|₽|%|тыс|млн|человек|сотруд|корпус|квартир|объявл|заяв|диалог"
    r"|офис|магазин|точ|филиал|клиент|документ|договор|польз|менедж|оператор|позици|товар|мест|литр|кг|м2|м²"
    r"|га\b|сот)"
)
_AMOUNT = re.compile(_UNITS, re.IGNORECASE)
#: streets that are called after a thing
_THINGS = frozenset(
    [
        *("мира", "арбат", "труда", "победы", "октября", "мая", "марта", "свободы"),
        *("строителей", "космонавтов", "энтузиастов", "металлургов", "мясницкая", "невский", "лиговский"),
    ]
)
#: what is numbered and has pages
_NOT_STREETS = re.compile(
    r"(?:договор|пункт|стать|приложени|таблиц|глав|раздел|сч[её]т|тариф|акт|пример|шаг|этап|версия|страниц"
    r"|расч[её]т)\w*\b",
    re.IGNORECASE,
)

#: Садовая, Тверская, Садовнической, Лесная
_OF_STREETS = re.compile(r"(?:ский|цкий|ной|ный|вый|вой|ний|чий)$")


def find_places(text: str, small: str) -> Iterator[Found]:
    """Addresses of the text, which has a digit; ``small`` is the same in small letters."""
    for words, pattern in _PATTERNS:
        if not any(word in small for word in words):
            continue
        for match in pattern.finditer(text):
            name = "value" if "value" in pattern.groupindex else 0
            value = match[name].strip(" ,")
            if not _NOT_STREETS.match(value) and not (value[-1].isdigit() and _AMOUNT.match(text, match.end())):
                start = match.start(name) + len(match[name]) - len(match[name].lstrip(" ,"))
                yield Found(start, start + len(value), "АДРЕС", re.sub(r"[\W_]+", " ", value.casefold()))
    for match in _STREET.finditer(text):
        start, end = match.span()
        on_it = text[max(0, start - 3) : start].casefold() in {"на ", "по "} and not _AMOUNT.match(text, end)
        flat = bool(match["tail"]) or (on_it and match["words"].endswith(("ова", "ева", "ина", "ого")))
        if (on_it or _ENDS.match(text, end)) and _is_street(match["words"], flat=flat):
            yield Found(start, end, "АДРЕС", re.sub(r"[\W_]+", " ", text[start:end].casefold()))


@lru_cache(maxsize=5_000)
def _is_street(words: str, *, flat: bool) -> bool:
    """«Большая Садовая», «Баумана», «Арбат»: an adjective as of streets, or a surname in the genitive."""
    if len(words) > 90 or _NOT_STREETS.match(words):
        return False
    last = re.split(r"[\s]", words)[-1].casefold()
    if last in _THINGS:
        return True
    capital = words[0].isupper()
    for part in {last, last.rpartition("-")[2]}:
        for parse in analyzer().parse(part)[:6]:
            tag = parse.tag
            if "Surn" in tag and "gent" in tag and "masc" in tag and "sing" in tag:
                return True
            street = "ADJF" in tag and "femn" in tag and "sing" in tag and _OF_STREETS.search(parse.normal_form)
            if street and capital and "Apro" not in tag and "Anum" not in tag:
                return True
            if "Geox" in tag and capital and "ADJF" not in tag and flat and tag.case == "gent":
                return True
    return False
