"""Addresses: a street with a house or a flat. A city alone is nobody's address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from common.masking.found import Found

#: what an address has before or after a name; with their endings
_KIND = (
    r"(?:улиц[аеуы]й?|ул\.?|проспект[аеуы]?|пр-к?т[аеуы]?\.?|просп\.|переул(?:ок|ка|ке|ку)|пер\.|набережн(?:ая|ой|ую)|наб\."
    r"|шоссе|ш\.|бульвар[аеуы]?|б-р[аеуы]?|бул\.|б\.|проезд[аеуы]?|пр-д|пр\.|тупик[аеуы]?|туп\.|алле[яеию]й?|площад[ьи]|пл\."
    r"|лини[яиею]|микрорайон[аеуы]?|мкр-?н?\.?|квартал[аеуы]?|тракт[аеуы]?|ulitsa|ul\.|prospekt|pereulok|per\.)"
)
_SETTLED = (
    r"(?:снт|днт|жк|кп|пос(?:[её]лок|[её]лке|\.)|дер(?:евн[яие]|\.)|сел[оае]|с\.|д\.|ст-ца|станица|хутор|аул|общежити[еяию]"
    r"|гск|территория)"
)
_WORD = r"[А-ЯЁA-Z][А-ЯЁа-яёA-Za-z]*(?:-[А-ЯЁа-яёA-Za-z]+)*\.?"
_ORDINAL = r"\d{1,4}(?:-?(?:я|й|ая|ой|ый|го|му|е))"
_QUOTE = '[«»"“”„]?'
#: capitals, numerals («8 Марта», «3-я»), and the small words between them
_NAME = (
    rf"{_QUOTE}(?:{_ORDINAL}\s+)?(?:\d{{1,4}}\s+(?=[А-ЯЁ]|года|лет))?(?:им\.\s?)?(?:{_WORD}|года|лет)"
    rf"(?:[ -](?:и\s+|на\s+)?(?:{_WORD}|{_ORDINAL}|км|реки|года)){{0,3}}{_QUOTE}"
)
#: after «ул.» it needs no capital
_ANY_NAME = rf"(?:{_ORDINAL}(?:\sВ\.?\s?О\.?)|{_NAME}(?:\s[а-яё]{{4,}})?|[а-яё]{{3,}}(?:-[а-яё]+)?(?:\s+[а-яё]{{4,}})?)"
_HOUSE_WORD = (
    r"(?:д(?:ом)?[ае]?\b\.?|влд\.?|владени[ея]|вл\.|зд(?:ание|\.)|участ(?:ок|ке)|уч\.|стр(?:оение|\.)|house|dom|d\.)"
)
_HOUSE = (
    r"№?\s?\d{1,4}\s?(?:[а-дА-Д](?![а-яёА-ЯЁ]))?(?:\s?[/\\-]\s?\d{1,4}[а-яА-Я]?)?(?:\s?[кc]\.?\s?\d{1,3})?(?![\d₽%])"
)
_FLAT_WORD = (
    r"(?:кв(?:артир[аеуы])?\b\.?|оф(?:ис[еа]?)?\b\.?|корп(?:ус[еа]?)?\b\.?|к(?:омнат[аеу]|омн?\.|\.)|подъезд[еа]?|под\."
    r"|эт(?:аж[еа]?)?\b\.?|стр(?:оение|\.)|с\.|лит(?:ер[аы]?|\.)|пом(?:ещени[ея]|\.)|apt\.?|flat|apartment|kv\.?|квартира)"
)
_FLAT = rf"{_FLAT_WORD}\s?№?\s?(?:\d{{1,4}}[а-яА-Я]?\b|[А-Я]\b)"
_SEP = r"\s{0,2}[,;]?\s{0,2}"
#: flats and houses after the first, and a last number that says nothing of itself
_TAIL = rf"(?:{_SEP}(?:{_FLAT}|{_HOUSE_WORD}\s?{_HOUSE})){{0,6}}(?:,\s?\d{{1,4}}(?=\s*(?:[.;\n]|$)))?"
_NUMBERED = rf"(?:{_HOUSE_WORD}\s?{_HOUSE}|{_FLAT}|{_HOUSE})"
_IN_WORDS = rf"д(?:ом)?\.?\s{_WORD}\s{_HOUSE}"

_INNER = rf"(?:{_FLAT}|{_HOUSE_WORD}\s?{_HOUSE})"
#: what all writings of a kind of street have in them
_KINDS = (
    "улиц|ул.|ул |просп|пр-|пр.|переул|пер.|пер |набереж|наб.|шоссе|ш.|бульвар|б-р|бул.|б.|проезд|тупик|туп.|алле"
    "|площад|пл.|лини|микрорайон|мкр|квартал|тракт|ulitsa|ul.|prospekt|pereulok|per."
)

#: the way down to the street: postcode, region, town
_BEFORE = (
    rf"(?:(?<!\d)\d{{6}}\b,?\s{{0,2}}(?:{_WORD},\s)?)?(?:(?:(?:{_WORD}\s(?:обл(?:асть|\.)?|край|р-н|район)|обл\.?\s{_WORD}"
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
            rf"{_BEFORE}(?<![\w-])(?:{_ORDINAL}\s)?(?i:{_KIND})\s{{0,2}}{_ANY_NAME}{_SEP}(?:{_IN_WORDS}|{_NUMBERED}){_TAIL}",
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
            "street|str.|st.| str,|avenue|ave|road|rd.|lane",
            r"\b\d{1,4}[A-Z]?,?\s(?:[A-Z][a-z]+\s){1,3}(?i:street|str?\.?|avenue|ave\.?|road|rd\.?|lane)"
            r"(?:,?\s(?i:apt\.?|flat|unit|apartment|suite)\s?#?\d{1,4})?",
        ),
    )
)
#: what is numbered and has pages
_NOT_STREETS = re.compile(
    r"(?:договор|пункт|стать|приложени|таблиц|глав|раздел|сч[её]т|тариф|акт|пример|шаг|этап|версия|страниц|расч[её]т)\w*\b",
    re.IGNORECASE,
)


def find_places(text: str, small: str) -> Iterator[Found]:
    """Addresses of the text, which has a digit; ``small`` is the same in small letters."""
    for words, pattern in _PATTERNS:
        if not any(word in small for word in words):
            continue
        for match in pattern.finditer(text):
            name = "value" if "value" in pattern.groupindex else 0
            value = match[name].strip(" ,")
            if not _NOT_STREETS.match(value):
                start = match.start(name) + len(match[name]) - len(match[name].lstrip(" ,"))
                yield Found(start, start + len(value), "АДРЕС", re.sub(r"[\W_]+", " ", value.casefold()))
