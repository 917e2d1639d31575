"""What a draft promises: free things, special discounts, refunds, guarantees, and what somebody is said to have done.

A promise needs a sentence of a passage, a tool, staff or an earlier reply that says the same: with the same kind of
word, of the same thing, with the same numbers. What a tool does needs the tool's result.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sales.assistant.guard.denial import around, denied, denies
from sales.assistant.guard.evidence import Known, Segment, stems, unmarked
from sales.assistant.guard.text import plain
from sales.assistant.guard.verdict import Finding, Kind

_I = re.IGNORECASE
#: passages are in Russian: an English sentence shares no words with them
_CYRILLIC = re.compile("[а-яё]", _I)

_WHY_FREE = "no passage says that this is free; say what it costs by a tool or leave it out"
_WHY_DISCOUNT = (
    "no rule and no passage contains this discount or condition; name those that the tools give, or leave it out"
)
_WHY_REFUND = "no passage found in this conversation promises this; look it up with knowledge__search or leave it out"
_WHY_TRANSFER = "nobody has been called; call sales__call_person in this turn or don't say so"
_WHY_DONE = "no tool has done this in this conversation; do it with the tool or don't say so"

FREE = re.compile(
    r"\bбесплатн\w*|\bдаром\b|\bв подарок\b|\bподар(?:им|ю|ок|ки|ком)\b|\bдарим\b|\bбонус\w*|\bза наш сч[её]т\b"
    r"|\bбез (?:доплат\w*"
    r"|оплаты)\b|\bне (?:нужно|надо|придётся|придется) (?:ничего )?(?:до)?плач?т?ить\b|\bне возьм[её]м\b"
    r"|\bза (?:один )?рубль\b"
    r"|\bза копейк\w+|\bсимволическ\w+ (?:плат|цен|сумм)\w*|\bбезвозмездн\w*|\bпо цене (?:одного|одной|двух)\b"
    r"|\bfree of charge\b|\bfor free\b"
    r"|\bcomplimentary\b"
    r"|\bgratis\b|(?<!feel )(?<!-)\bfree\b(?! to\b)|\bon the house\b|\b(?:no|without|at no) (?:extra )?c(?:harge"
    r"|ost)\b|\bгратис\b",
    _I,
)
SPECIAL = re.compile(
    r"\b(?:персональн|индивидуальн|особ|эксклюзивн|дополнительн|специальн|секретн|вип|льготн"
    r"|выгодн)\w*\s+(?:\w+\s+)?(?:скидк|услови|цен[аыу]"
    r"|предложени)\w*|\bспецпредложени\w*|\bспеццен\w*|\bспецуслови\w*|\bпромокод\w*|\bкупон\w*|\bакци(?:я|и|ю"
    r"|ей)\b|\bк[эе]шб[эе]к\w*"
    r"|\bраспродаж\w*|\bрассрочк\w*|\bотсрочк\w*|\bзаморож?з?\w+ цен\w*|\bpromo ?codes?\b|\bcoupons?\b"
    r"|\bcash ?back\b|\binstal?lments?\b"
    r"|\b(?:special|extra|personal|individual|exclusive) (?:price|offer|discount|terms|deal)s?\b|\bmatch (?:the"
    r"|their|any) price\b",
    _I,
)
OFFERS = re.compile(
    r"\b(?:сдела(?:ю|ем)|да(?:м|дим)|предостав(?:лю|им)|выб[ьи]\w+|проб[ьи]\w+|накин\w+|скин(?:у|ем)|сниж(?:у|ем)"
    r"|снизим|уступ(?:лю|им)"
    r"|согласу(?:ю|ем)|договор(?:юсь|имся)|оформ(?:лю|им)|могу (?:сделать|дать|предложить)|можем (?:сделать|дать"
    r"|предложить))\b"
    r"[^.!?]{0,40}\b(?:скидк\w*|дешевле|цену|стоимость|услови\w+)|\b(?:i|we)(?:['’]ll| will| can) (?:give|offer"
    r"|make|arrange|lower|knock)\b"
    r"[^.!?]{0,40}\b(?:discount|off|cheaper|price)\b",
    _I,
)
ONLY = re.compile(
    r"\bтолько (?:для вас|сегодня|сейчас|до конца)\b|\b(?:специально|лично|исключительно) для вас\b"
    r"|\bв виде исключения\b|\bкак исключение\b"
    r"|\bнавсегда\b|\bпожизненн\w*|\bforever\b"
    r"|\bпоследн\w+ (?:мест|шанс)\w*|\bпо секрету\b|\bэксклюзив\w*|\b(?:only|just) (?:for you|today)\b"
    r"|\bas an exception\b|\bexclusive\w*",
    _I,
)
REFUND = re.compile(
    r"\bверн[её]м\b|\bверну\b|\bвернут\b|\bвернуть\b|\bвозврат\w*|\bвозвраща(?:ем|ю|ет|ют|ются|ется)\b"
    r"|\bвозмест\w+|\bвозмеща\w+|\bкомпенс\w+"
    r"|\brefund\w*|\bmoney[ -]?back\b|\breimburs\w*",
    _I,
)
GUARANTEE = re.compile(
    r"\bгарант\w+|\bобеща(?:ю|ем)\b|\bобязуемся\b|\bобязуюсь\b|\bруча(?:юсь|емся)\b|\bточно (?:сработает|выраст\w+"
    r"|окуп\w+|увелич\w+)"
    r"|\b(?:100|сто) ?(?:%|процент\w*) (?:результат|гарант|окуп|успе)\w*|\bguarantee\w*|\b(?:i|we) promise\b"
    r"|\bwarrant\w*",
    _I,
)
QUALIFIED = re.compile(
    r"\bполност|\bлюб|\bвсю\b|\bвсе деньги|\bвесь\b|\bбез вопрос|\bсразу\b|\bв тот же|\bнавсегда|\bв полном"
    r"|\bfull(?!\s+(?:\w+\s+)?months?)"
    r"|\bany|\ball\b|\binstant",
    _I,
)
DISCOUNT = re.compile(r"\bскид(?:к|ок)\w*|\bdiscount\w*|\bсниж\w+|\bдешевле\b|\b% off\b|\bльгот\w*", _I)
_REASON = re.compile(
    r"\bскид(?:к|ок)\w*(?:\s+(?:в|на|–|до)?\s*\d+(?:[.,]\d+)?\s*(?:%|процент\w*))?\s*(?:(?:действует"
    r"|распростран\w+|применяется|положена)\s+)?\b(?:за|при"
    r"|для|на|по|от)\s+((?:[^\W\d_]+\s+){0,2}[^\W\d_]{4,})"
    r"|\b(?:за|при|для)\s+((?:[^\W\d_]+\s+){0,2}[^\W\d_]{4,})\s+(?:действует\s+|да[её]м\s+|есть\s+"
    r"|положена\s+)?скидк\w*",
    _I,
)

#: things that are free, refunded or guaranteed each by itself: a sentence on one of them says nothing of another
_GOODS = stems(
    "внедрение интеграция обучение загрузка доработка канал каналы поддержка подписка пилот подключение"
    " консультация аудит перенос сопровождение демонстрация пробный доставка сервер обновление продление месяц"
    " тариф тестовый доступ договор услуга услуги занятие продажи рост результат окупаемость срок доступность"
    " onboarding training integration support trial demo upload month setup"
)
#: passages speak of them in Russian
_IN_RUSSIAN = {
    "onboa": "внедр",
    "integ": "интег",
    "train": "обуч",
    "suppo": "подд",
    "trial": "пробн",
    "demo": "демон",
    "uploa": "загр",
    "month": "месяц",
    "setup": "настр",
}
_GENERIC = stems(
    "можем можно будет будут если также наших наши наша нашей вашей ваших ваша ваши вашего этого этот эта это"
    " такой такая такие после перед когда только просто который которые клиент клиенты компания компании чтобы"
    " нужно надо хотите очень всегда каждый каждая сейчас сегодня есть нет так или для при вас вам нас нам они"
    " его все всё еще ещё уже тоже цена цены цену стоимость скидка скидки скидку скидок деньги оплата оплаты"
    " сумма сумму предложение предложения условия тариф тарифа продукт продукты продукта подписка подписку"
    " подписки ассистент менеджер сотрудник помощь сразу действует действуют один одного два двух три трёх"
    " четыре пять более больше two three paying buying the and you your our with for can will that this have"
    " are from"
)


def check(sentence: str, known: Known, *, before: str = "") -> Iterator[Finding]:
    """Findings on one sentence; ``before`` is the one it goes on from."""
    text = unmarked(sentence)
    yield from _promised(text, known)
    if not text.rstrip(' »"*)').endswith("?"):
        yield from _done(text, known, before)


def _promised(text: str, known: Known) -> Iterator[Finding]:
    for trigger, why, kind in _TRIGGERS:
        for found in trigger.finditer(text):
            if _negative(text, *found.span()) or _denied(text, *found.span(), trigger=trigger):
                continue
            if trigger is REFUND and _BACK.match(found[0]) and not _OF_MONEY.search(text):
                continue
            if not _supported(found[0], text, found.span(), kind, known):
                yield Finding(Kind.PROMISE, found[0], why)
                break
    for found in ONLY.finditer(text):
        if plain(found[0]) not in known.words:
            yield Finding(Kind.PROMISE, found[0], _WHY_DISCOUNT)
    yield from _reasons(text, known)


def _denied(text: str, start: int, end: int, *, trigger: re.Pattern[str]) -> bool:
    if trigger is FREE:  # «бесплатно, карта не нужна» says no to the card
        begin, over = text.rfind(",", 0, start) + 1, text.find(",", end)
        text = text[begin : over if over >= 0 else len(text)]
        start, end = start - begin, end - begin
    return denied(text, start, end)


_TRIGGERS = (
    (FREE, _WHY_FREE, FREE),
    (SPECIAL, _WHY_DISCOUNT, SPECIAL),
    (OFFERS, _WHY_DISCOUNT, DISCOUNT),
    (REFUND, _WHY_REFUND, REFUND),
    (GUARANTEE, _WHY_REFUND, GUARANTEE),
)


#: «вернуть» is said of tiers too
_BACK = re.compile(r"верн(?:[её]м|у|ут|уть)$", _I)
_OF_MONEY = re.compile(r"деньг|денеж|денег|средств|оплат|плат[её]ж|сумм|стоимост|₽|руб|процент|разниц", _I)


def _supported(piece: str, text: str, span: tuple[int, int], kind: re.Pattern[str], known: Known) -> bool:
    """Whether a sentence that proves says the same of the same thing."""
    clause = around(text, *span)
    near = _near(text, *span)
    wanted = stems(clause) - _GENERIC - stems(piece)
    goods = frozenset(_IN_RUSSIAN.get(stem, stem) for stem in stems(near) & _GOODS - stems(piece))
    qualified = {each.lower() for each in QUALIFIED.findall(clause)} if kind in {REFUND, GUARANTEE, FREE} else set()
    own = stems(piece)
    for segment in known.segments:
        found = kind.search(segment.text)
        if found is None or all(_negative(segment.text, *each.span()) for each in kind.finditer(segment.text)):
            continue
        if kind is SPECIAL and not own <= segment.stems:
            continue
        if goods and not goods <= stems(segment.text):
            continue
        if any(each not in segment.text.lower() for each in qualified):
            continue
        if not wanted or wanted & segment.stems or not _CYRILLIC.search(text):
            return True
    return False


def _near(text: str, start: int, end: int) -> str:
    """Five words on either side, of the same sentence."""
    before = re.findall(r"\w+", text[:start])[-5:]
    after = re.findall(r"\w+", text[end:])[:5]
    return " ".join([*before, *after])


def _negative(text: str, start: int, end: int) -> bool:
    """Whether what stands here is said not to be."""
    before = re.search(r"\b(?:не|нет|без|ни|никак\w+|никто|no|not|never|without)\s+(?:\w+\s+){0,2}$", text[:start], _I)
    if before and not re.search(r"\bне (?:беспоко|сомнева|волну|только|пережива|бойтесь)\w*", before[0], _I):
        return True
    after = re.match(
        r"[\s\w,]{0,30}?\b(?:нет|не (?:предусмотр|быва|да[еёмю]|дад|предостав|дела|возвращ|обеща|гарант|действ"
        r"|распростран|предлага|вход|можем"
        r"|могу|полож|будет|планир|существ|получ|примен|работ)\w*|(?:is|are) not|isn['’]t|aren['’]t|not available)\b",
        text[end:],
        _I,
    )
    return bool(after) and not re.search(r"\bне (?:беспоко|сомнева|волну|только|пережива)\w*", text[end : end + 30], _I)


def _reasons(text: str, known: Known) -> Iterator[Finding]:
    """«Скидка за отзыв»: a discount has the reasons that the rules give it, and no other."""
    for found in _REASON.finditer(text):
        if text.rstrip().endswith("?") or _negative(text, *found.span()) or denied(text, *found.span()):
            continue
        reason = stems(found[1] or found[2]) - _GENERIC
        if not reason:
            continue
        told = {
            stem
            for segment in known.segments
            if (DISCOUNT.search(segment.text) or "%" in segment.text) and not denies(segment.text)
            for stem in segment.stems
        }
        if not reason & told:
            yield Finding(Kind.PROMISE, found[0], _WHY_DISCOUNT)


# --- what somebody is said to have done, or to be about to do ---

_PERSON = (
    r"(?:коллег|менеджер|сотрудник|специалист|оператор|человек|людям|руковод|начальник|отдел|директор|юрист"
    r"|бухгалтер|инженер|эксперт|техподдержк|поддержк)\w*"
)
_PERSON_EN = (
    r"(?:colleague|manager|human|person|team|specialist|operator|agent|supervisor|expert|someone"
    r"|representative|staff)s?"
)
_TRANSFER = re.compile(
    rf"\b(?:переда(?:л|ла|ли|ю|но|на|н|дим|м)|позва(?:л|ла|ли|н)|зову|пригласил\w?|приглаш[её]н\w*|сообщил\w?"
    rf"|уведомил\w?|уведомл[её]н\w*|направил\w?"
    rf"|направля(?:ю|ем)|переключ(?:аю|ил\w?|у|им)|перев(?:ожу|[её]л\w?|еду)|соединя(?:ю|ем)|соединил\w?|соединю"
    rf"|подключ(?:аю|ил\w?|у)|вызвал\w?"
    rf"|эскалир\w+|поставил\w? задачу)\b[^.!?]{{0,50}}?\b{_PERSON}"
    rf"|\b{_PERSON}\s+(?:уже\s+|сейчас\s+|скоро\s+|обязательно\s+|вам\s+|сам\w*\s+|с\s+вами\s+|наш\w*\s+"
    rf"|в\s+ближайшее\s+время\s+|сегодня\s+|завтра\s+"
    r"|лично\s+){0,4}(?:позвон\w+|перезвон\w+|свяж[еу]\w*|напиш[еу]т|ответ[ия]т|подключ[иа]тся|подключится"
    r"|приглаш[её]н\w*|уведомл[её]н\w*|вызван\w*|в курсе"
    r"|выйдет на связь|вернётся с ответом|получил\w? (?:ваш|запрос|вопрос)\w*)"
    r"|\b(?:вам|с вами)\s+(?:сегодня\s+|завтра\s+|скоро\s+|обязательно\s+|в ближайшее время\s+){0,2}(?:позвонят"
    r"|перезвонят|позвоним|перезвоним|свяжутся|свяжемся|ответят|напишут)"
    r"|\b(?:перезвоню|позвоню|перезвоним|позвоним|свяжусь|свяжемся)\b"
    rf"|\b(?:i|we)(?:['’]ve| have|['’]m| am|['’]ll| will)? (?:just )?(?:passed|pass|forwarded|forwarding"
    rf"|transferred|transferring|transfer|connecting|connected|called|notified|escalated"
    rf"|handed)\b[^.!?]{{0,60}}?\b{_PERSON_EN}\b"
    rf"|\b{_PERSON_EN} (?:will|is going to|has been|have been|is on|['’]ll) (?:\w+ )?(?:call|contact|get back"
    rf"|reach|reply|answer|be in touch|write|join|notified|called|informed|the way)\b",
    _I,
)
_OFFERED = re.compile(
    r"\b(?:если|хотите|могу|можем|можно|готов\w* \w+ть|при желании|когда|как только|чтобы|оставьте|напишите|пришлите"
    r"|укажите|скажите|назовите|нужно ли|давайте"
    r"|предлагаю|лучше|стоит|смогу|сможем|сможет|после того|по вашей просьбе|дайте знать|if|would you|shall i|can"
    r"|could|may|when|leave|once|want|let me know)\b",
    _I,
)
_ASKS = re.compile(r"\b(?:оставьте|напишите|пришлите|укажите|назовите|leave|send)\b", _I)

_PAPERS = {
    "proposal": r"(?:коммерческ\w+ )?предложени\w*|\bкп\b|\bproposal\b|\bпрезентаци\w+",
    "invoice": r"сч[её]т(?:а|ов|-фактур\w+)?\b|\binvoices?\b",
    "contract": r"договор\w*|\bконтракт\w*|\bcontract\b|\bоферт\w+",
    "act": r"\bакт(?:ы|ов)?\b",
    "": r"\bдокумент\w*|\bpdf\b|\bфайл\w*|\bdocument\b|\bfile\b|\bссылк\w+|\bвложени\w+",
}
_MADE = (
    r"(?:готов[аоы]?|отправил\w?|отправлен\w?|прикрепил\w?|прикрепл[её]н\w?|прикладываю|приложил\w?|высылаю"
    r"|выслал\w?|подготовил\w?|подготовлен\w?|сформировал\w?"
    r"|сформирован\w?|выставил\w?|выставлен\w?|оформил\w?|оформлен\w?|составил\w?|сделал\w?|во вложении"
    r"|ниже по ссылке|по кнопке|подписан\w?|is ready|attached"
    r"|sent|prepared|issued|created)"
)
_PAPER = {
    kind: re.compile(rf"\b(?:{words})[^.!?\n]{{0,40}}?\b{_MADE}\b|\b{_MADE}\b[^.!?\n]{{0,40}}?(?:\b(?:{words}))", _I)
    for kind, words in _PAPERS.items()
}
_MEETING = re.compile(
    r"\b(?:забронировал\w?|назначил\w?|запланировал\w?)\b[^.!?]{0,40}\b(?:встреч|звон|созвон|демонстрац|демо|время"
    r"|календар|консультац)\w*"
    r"|\b(?:записал\w?|записываю|внёс|внесла|поставил\w?)\s+(?:вас\s+|вашу?\s+)?(?:на|в)\s+(?:\w+\s+)?(?:встреч"
    r"|звон|созвон|демонстрац|демо|календар|консультац|\d)\w*"
    r"|\b(?:встреча|созвон|звонок|демонстрация|демо|консультация)\b[^.!?]{0,25}\b(?:назначен|подтвержд|заброниров"
    r"|запланирован|состоится)\w*|\bжд[уёе]м вас\b"
    r"|\b(?:meeting|call|demo)\b[^.!?]{0,25}\b(?:is|has been) (?:booked|scheduled|confirmed)\b|\bi(?:['’]ve"
    r"| have)? (?:booked|scheduled)\b",
    _I,
)
_PAYMENT = re.compile(
    r"\b(?:оплат\w+|плат[её]ж\w*|деньги)\b[^.!?]{0,25}\b(?:прош[её]?л\w*|получен\w*|поступил\w*|зачислен\w*"
    r"|принят\w*)\b|\b(?:получил\w?|вижу) (?:вашу )?(?:оплату|плат[её]ж)\b"
    r"|\bссылк\w+ (?:на|для) оплат\w+\b[^.!?]{0,30}|\bоплатит?ь?е? (?:можно )?по (?:этой |следующей )?ссылке"
    r"|\bpayment link\b|\bpayment (?:was|has been) received\b"
    r"|\b(?:возврат|деньги|средства)\b[^.!?]{0,25}\b(?:оформлен|отправлен|возвращен|возвращён)\w*",
    _I,
)
_SENT = re.compile(
    r"\b(?:отправил\w?|выслал\w?|отправ(?:лю|им)|пришл(?:ю|[её]м)|вышл(?:ю|ем)|направил\w?|направ(?:лю|им)"
    r"|продублир\w+)\b[^.!?]{0,40}"
    r"(?:\bна (?:ваш\w* )?(?:почт|e-?mail|имейл|адрес|телефон|номер)\w*|\bпо (?:почте|sms|смс)\b|\bв (?:whats|вотс"
    r"|ватс|telegram|телеграм|смс)\w*|\[(?:ПОЧТА|ТЕЛЕФОН))"
    r"|\b(?:emailed|texted)\b|\bsent (?:it )?to your (?:e-?mail|phone)",
    _I,
)
_CHANGED = re.compile(
    r"\b(?:активировал\w?|применил\w?|зафиксировал\w?|закрепил\w?|открыл\w?|включил\w?|подключил\w?|продлил\w?"
    r"|отменил\w?|удалил\w?|изменил\w?|пересчитал\w? цен\w*|согласовал\w?"
    r"|одобрил\w?|договорил\w+)\b[^.!?]{0,30}\b(?:скидк|цен|тариф|доступ|подписк|данн|промокод|услови|пробн"
    r"|аккаунт|услуг|оплат)\w*"
    r"|\b(?:скидка|цена|доступ|условия|подписка)\b[^.!?]{0,20}\b(?:согласован|одобрен|активирован|подключен"
    r"|подключён|закреплен|закреплён|открыт|применена)\w*",
    _I,
)


def _done(text: str, known: Known, before: str) -> Iterator[Finding]:
    called = known.waiting or known.made("call_person")
    if not called:
        for found in _TRANSFER.finditer(text):
            if not _only_offered(text, found) and not _stands(text, found, known):
                yield Finding(Kind.PROMISE, found[0][:80], _WHY_TRANSFER)
                break
    for kind, pattern in _PAPER.items():
        paper = pattern.search(text)
        if paper and not _has_paper(kind, known) and not _only_offered(text, paper):
            yield Finding(Kind.PROMISE, paper[0][:80], _WHY_DONE)
    for pattern, proof in (
        (_MEETING, known.made("meeting", "calendar", "book", "slot") or known.has("meeting", "starts_at")),
        (_PAYMENT, known.made("pay") or known.has("pay_url", "payment", "paid")),
        (_SENT, known.made("mail", "send")),
        (_CHANGED, False),
    ):
        done = pattern.search(text)
        if done and not proof and not _only_offered(text, done) and not _stands(text, done, known):
            yield Finding(Kind.PROMISE, done[0][:80], _WHY_DONE)


def _has_paper(kind: str, known: Known) -> bool:
    made = {
        str(result.data.get("kind", ""))
        for result in known.results
        if not result.failed and result.data.get("document")
    }
    kinds = made | known.documents
    if not kinds:
        return False
    return not kind or kind in kinds or "" in made


def _only_offered(text: str, found: re.Match[str]) -> bool:
    """Whether it is only said that it may be done, or what it takes, or that it isn't done."""
    clause = around(text, *found.span())
    if (
        _negative(text, *found.span())
        or denied(text, *found.span())
        or re.search(r"\bне\s+(?:\w+\s+)?$", text[: found.start()], _I)
    ):
        return True
    if re.search(r"\bне\b", found[0], _I):
        return True
    return bool(_OFFERED.search(clause)) or bool(_ASKS.search(text[: found.start()]))


def _stands(text: str, found: re.Match[str], known: Known) -> bool:
    """Whether a passage says just so: half of the words of the clause are in one of its sentences."""
    wanted = stems(around(text, *found.span())) - _GENERIC
    core = stems(found[0])
    return bool(wanted) and any(_covers(segment, wanted, core) for segment in known.segments)


def _covers(segment: Segment, wanted: Iterable[str], core: frozenset[str]) -> bool:
    wanted = frozenset(wanted)
    own = stems(segment.text)
    return len(wanted & own) * 2 >= len(wanted) + 1 and len(core & own) * 2 >= len(core)
