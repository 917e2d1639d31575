"""What customers call things: tables of phrases, in the notation of ``phrasebook``.

Names of products, tiers and services come from the catalogue by themselves; here is what people say instead of them.
A table that names a code the catalogue hasn't got is passed over, so staff may rename and remove freely.
"""

from __future__ import annotations

from collections.abc import Iterator

from knowledge.llm.keyless.intents import INTENTS
from knowledge.llm.keyless.morphology import wordset
from knowledge.llm.keyless.phrasebook import Phrasebook, phrases
from pricing.calculator import Product, Rules, Service

PRODUCTS = {
    "ai_manager": """
        ai|бот|робот|чат|виртуальный|цифровой|умный|электронный продавец / бот продавец / ai продажник
        / робот продавец / ai|бот менеджер / менеджер ai|бот|робот / ai по продажа|продажам
        / ai для продажа|продаж / ai sales / бот для продажа|продаж / чат бот / чатбот
        / sales bot|manager|assistant / ai sales manager / ai manager
        / виртуальный|цифровой|умный|электронный менеджер / продажник / менеджер бот / ai консультант
        / бот для|на|в сайт|авито|телеграм|телега|переписка|клиент|ответ|чат / ai managers
    """,
    "ai_lawyer": """
        ai|бот|робот|виртуальный|цифровой|умный|электронный юрист|юрисконсульт|адвокат|договорник
        / юридический бот|робот|помощник|ассистент|ai / бот для договор|юрист / ai для договор|юрист|документ
        / юрист бот|робот|ai / ai lawyer|lawyers|legal / legal ai|bot|assistant / ai юридический / юрисконсульт
    """,
    "ai_analyst": """
        ai|бот|робот|виртуальный|цифровой|умный|электронный аналитик|analytics
        / аналитический бот|робот|помощник|ai / бот для отчет|аналитик / ai для отчет|аналитик
        / аналитик бот|робот|ai / ai analyst|analysts / data analyst
    """,
}

#: words that only hint at a product: what it is spoken of by those who don't know its name
PRODUCT_HINTS = {
    "ai_manager": """
        нужный|хотеть|купить|интересовать|заказать .. бот / отвечать клиент / ответ клиент
        / клиент|покупатель .. писать / писать .. авито|телеграм|чат|мессенджер / успевать .. отвечать|ответить
        / терять|теряться .. заявка|клиент|обращение / много .. сообщение|обращение|переписка / отдел продажа
        / нет .. отвечать / ночью .. отвечать|писать
        / обрабатывать|обработка заявка|лид|обращение / продажа / lead|leads / заявка / переписка с клиент
    """,
    "ai_lawyer": """
        проверка|проверять|проверить|анализ|анализировать|составить|составлять|составление
        .. договор|контракт|документ / договор|документ|контракт .. проверять|проверить|анализировать
        / договорный работа / юридический / legal / contracts
    """,
    "ai_analyst": """
        аналитический|управленческий|еженедельный|ежедневный отчет / строить|сделать|делать|готовить отчет
        / дашборд / анализ данные|продажа|показатель / reports
    """,
}

#: what people count for a product, beside the catalogue's own unit
UNITS = {
    "ai_manager": """
        диалог|чат|обращение|переписка|сообщение|клиент|заявка|лид|разговор|беседа|контакт|запрос
        |dialog*|conversation*|chat|chats|message|messages|lead|leads|request|requests
    """,
    "ai_lawyer": "документ|договор|контракт|соглашение|акт|док|бумага|document|documents|contract|contracts",
    "ai_analyst": "отчет|репорт|дашборд|сводка|выгрузка|report|reports|dashboard|dashboards",
}

TIERS = {
    "start": """
        стартовый|начальный|базовый|минимальный тариф|пакет|версия|план / тариф|пакет стартовый|базовый
        / стартовый|базовый|минимальный / =start / =старте|старта|старту|стартом
    """,
    "business": "=business / =бизнесе / тариф|пакет средний / средний тариф|пакет",
    "pro": """
        =pro / профи / профессиональный / профессиональный тариф|пакет / тариф|пакет|версия|план|на|по =про
    """,
    "enterprise": "=enterprise / энтерпрайз / корпоративный тариф|пакет|план / корпоративный / интерпрайз",
}
#: tiers by their place rather than by name
TIER_PLACES = {
    "cheapest": """
        дешевый тариф|пакет|вариант / самый|наиболее дешевый / младший тариф|пакет / самый маленький|простой
        / cheapest / smallest
    """,
    "largest": """
        самый дорогой|большой|крутой / старший тариф|пакет / максимальный тариф|пакет|версия|комплектация
    """,
}

SERVICES = {
    "onboarding": """
        внедрение / внедрить / внедрять / онбординг / onboarding / запуск под ключ / внедрение под ключ
        / настройка под ключ / rollout
    """,
    "crm_integration": """
        интеграция с crm|амо|амоцрм|amocrm|битрикс*|bitrix* / crm интеграция / интеграция crm
        / подключение|подключить|связать|настроить|интегрировать .. crm|амоцрм|amocrm|битрикс*|bitrix*
        / crm integration / integration .. crm / с crm / crm
        / интеграция с битрикс*|bitrix*|амо*|amo* / интеграция|=интегро
    """,
    "knowledge_upload": """
        загрузка|загрузить|залить|заливка|наполнение|перенос .. база|=базу / база знание / загрузка .. документ
        / knowledge base upload|loading / knowledge upload
    """,
    "training": """
        обучение / обучить|обучать .. сотрудник|менеджер|команда|персонал / тренинг / занятие / урок
        / обучение сотрудник|персонал|команда / training|trainings / training sessions|session
    """,
    "custom_dev": """
        доработка / разработка / доработать / час|часы доработка|разработка|работа|программист|разработчик
        / разработка под заказ / индивидуальный|заказной разработка / доработка под заказ|=нас
        / custom development|dev / кастомный|кастом разработка|доработка / кастомизация
    """,
    "extra_channel": """
        дополнительный канал|мессенджер / еще|# канал / лишний|новый|второй канал / канал
        / extra|additional|more channel|channels / добавить .. канал
    """,
    "priority_support": """
        приоритетный|круглосуточный|выделенный|быстрый|vip|премиум поддержка|саппорт
        / поддержка / =приоритетка|=приоритетку|=приоритетки
        / приоритет в|=на поддержка|поддержке / поддержка 24 / priority support / приоритетный техподдержка
    """,
}

PERIODS = {
    "year": """
        на|за|в год / на|за один|1|целый|весь год / на|за =год вперед / годовой / ежегодно / ежегодный
        / раз в год / на|за 12|двенадцать месяц / 12|двенадцать месяц / сразу за год / год вперед / погодно
        / annual / annually / yearly / per|a|for =year / by the year / for|one|1 year / оплата =год
        / =на|за годик / =годом
    """,
    "month": """
        помесячно / помесячный / ежемесячно / ежемесячный / по месяц / месяц за месяц / раз в месяц
        / каждый месяц / на|за месяц / на|за один|1 месяц / оплата|платить|плата .. в месяц / платить .. месяц
        / сколько .. в месяц / месячный / monthly / per|a|by =month / month to month / =помесячная
    """,
    "unsold": """
        поквартально / квартал / ежеквартально / квартальный / раз в квартал|полгода / полгода / полугодие
        / полугодовой / понедельно / еженедельно платить|оплата / посуточно / quarterly / quarter / бессрочно
        / навсегда / пожизненный / половина год
    """,
}

STARTUP = "стартап / startup / start up / стартапер"


#: a message, or what remains of it, that says yes or no and nothing else
YES = wordset(
    "да ага угу давай давать давайте конечно хорошо ок окей ладно согласный подходить подойти пойти отлично"
    " супер го готовить yes ok okay sure yep yeah please пожалуйста хотеть можно нужно оформить подготовить"
    " верно правильно точно так ну разуметься =подготовьте интересно посчитать рассчитать позвать позови"
    " позовите =верно давай-ка оформлять подготавливать делать сделать кидать прислать скинуть годиться"
)
#: heard, and neither yes nor no
SEEN = wordset(
    "понятно ясно понять ясный понятный принять принято так спасибо хорошо ок получить =получил got it see i"
)
NO = wordset("нет не неа нету no nope ненадо нужно надо хотеть спасибо пока подходить устраивать")

#: general words after «AI» that name no profession
NOT_A_PROFESSION = wordset(
    "помощник ассистент агент бот робот сотрудник работник эксперт консультант специалист модель продавец"
    " человек друг клиент пользователь разработчик поставщик конкурент покупатель собеседник кто тот этот наш"
    " ваш"
)
ENGLISH_PROFESSIONS = wordset(
    "accountant recruiter designer translator doctor marketer writer developer teacher secretary receptionist driver"
    " logistician engineer editor copywriter bookkeeper hr programmer nurse cook"
)
#: words that say a person is meant and not our product
PEOPLE = wordset("наш ваш мой свой штатный живой личный персональный твой другой хороший опытный главный который")

#: what may be asked of a product without asking anything in particular
AT_LARGE = wordset(
    "уметь делать рассказать подробный работать интересовать описать возможность функция продукт tell describe"
)
#: words that ask for nothing in particular
VAGUE = wordset(
    "взять мочь выбрать купить подойти посоветовать предложить предлагать получить сделать делать вариант дальше"
    " взамен решить смочь хватить"
)
PRONOUNS = wordset("он она оно они его ее ему ей него нее нем ней ним них их это этот тот")

#: words without meaning of their own, for judging what a question is about
FILLERS = wordset(
    "а и но или же ли бы б вот ну так то это этот тот в во на по за к ко с со у о об от до из для при под над"
    " про без не ни да нет я мы ты вы он она оно они мой наш ваш твой свой что как какой который чем кто где"
    " когда сколько можно мочь быть пожалуйста подсказать сказать здравствуйте привет добрый день хотеть нужный"
    " надо узнать понять интересовать есть там тут здесь еще уже только очень если чтобы тоже также все весь"
    " рассказать"
    " спасибо куда после через чтоб the a an of to in on and or for is are do does can you your i we me my it what how"
    " please"
)


_latest: tuple[Rules, Phrasebook] | None = None


def phrasebook(catalogue: Rules) -> Phrasebook:
    """Everything that can be understood with this catalogue; made again when another one comes."""
    global _latest
    latest = _latest
    # by identity first: to compare or to hash a whole catalogue costs more than to read a message
    if latest is None or (latest[0] is not catalogue and latest[0] != catalogue):
        latest = _latest = catalogue, Phrasebook(_all_phrases(catalogue), YES | NO | SEEN)
    return latest[1]


def _all_phrases(catalogue: Rules) -> Iterator[tuple[str, str, str]]:
    products = {product.code for product in catalogue.products}
    services = {service.code for service in catalogue.services}
    for product in catalogue.products:
        yield from _names_of_product(product)
        for tier in product.tiers:
            yield from _names_of_tier(tier.code, {tier.name.ru, tier.name.en})
    for service in catalogue.services:
        yield from _names_of_service(service)
    yield from phrases({code: words for code, words in PRODUCTS.items() if code in products}, kind="product")
    yield from phrases({code: words for code, words in PRODUCT_HINTS.items() if code in products}, kind="hint")
    yield from phrases({code: words for code, words in UNITS.items() if code in products}, kind="unit")
    yield from phrases({code: words for code, words in SERVICES.items() if code in services}, kind="service")
    yield from phrases(TIERS, kind="tier")
    yield from phrases(TIER_PLACES, kind="tier")
    yield from phrases(PERIODS, kind="period")
    yield from phrases({"startup": STARTUP}, kind="startup")
    yield from phrases(INTENTS, kind="intent")


_AI = {"ai", "ии"}


def _names_of_product(product: Product) -> Iterator[tuple[str, str, str]]:
    """The whole name, its core after «AI», and its head word alone, which may also mean a person."""
    for name in {product.name.ru, product.name.en} - {""}:
        words = [word for word in _plain(name) if word not in _AI]
        if not words:
            continue
        head = words[-1] if name.isascii() else words[0]
        yield "product", product.code, f"ai|бот|робот {' '.join(words)}"
        yield "product", product.code, f"ai|бот|робот {head}"
        if len(words) > 1:
            yield "product", product.code, " ".join(words)
        yield "head", product.code, head
    unit = _plain(product.unit.ru)[:1] + _plain(product.unit.en)[:1]
    for word in unit:
        yield "unit", product.code, word


def _names_of_tier(code: str, names: set[str]) -> Iterator[tuple[str, str, str]]:
    for name in names - {""}:
        words = _plain(name)
        yield "tier", code, " ".join(f"={word}" for word in words)
        yield "tier", code, "тариф|пакет|план|версия " + " ".join(f"={word}|{word}" for word in words)


def _names_of_service(service: Service) -> Iterator[tuple[str, str, str]]:
    for name in {service.name.ru, service.name.en} - {""}:
        words = _plain(name)
        if words:
            yield "service", service.code, " ".join(words)


def _plain(name: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in name.lower().replace("ё", "е")).split()
