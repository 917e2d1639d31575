"""One message at a time: what of it a quote is made of."""

from __future__ import annotations

from typing import Any

import pytest

from knowledge.llm.keyless.understanding import Understood, understand
from tests.knowledge_llm.stage import CATALOGUE

#: what customers write, and all that is understood of it for a quote and a lead. A product's size is its volume,
#: its tier, or None where nothing was said
SAID: tuple[tuple[str, dict[str, Any]], ...] = (
    ("добрый день! сколько стоит ваш ии-менеджер?", {"products": {"ai_manager": None}}),
    ("Почём бот для продаж?", {"products": {"ai_manager": None}}),
    ("хочу чат-бота на сайт, 300 диалогов", {"products": {"ai_manager": 300}}),
    ("нужен юрист на 40 договоров в месяц", {"products": {"ai_lawyer": 40}}),
    ("нам бы проверять по 40 договоров в месяц", {"products": {"ai_lawyer": 40}}),
    ("юриста на 180 бумаг в месяц посчитай", {"products": {"ai_lawyer": 180}}),
    ("юрист, сто пятьдесят договоров, раз в год платим", {"products": {"ai_lawyer": 150}, "period": "year"}),
    (
        "прикидываем бюджет: бот-менеджер, порядка 1700 обращений, оплатим год сразу",
        {"products": {"ai_manager": 1700}, "period": "year"},
    ),
    ("AI-аналитик, 100 отчётов, помесячно", {"products": {"ai_analyst": 100}, "period": "month"}),
    (
        "Сколько будет стоить менеджер + юрист + аналитик на год?",
        {"products": {"ai_manager": None, "ai_lawyer": None, "ai_analyst": None}, "period": "year"},
    ),
    (
        "менеджер 1800 диалогов, юрист 120 документов, аналитик 50 отчётов за год",
        {"products": {"ai_manager": 1800, "ai_lawyer": 120, "ai_analyst": 50}, "period": "year"},
    ),
    (
        "1800 диалогов и 120 документов, годовая оплата",
        {"products": {"ai_manager": 1800, "ai_lawyer": 120}, "period": "year"},
    ),
    ("аналитик на тарифе бизнес", {"products": {"ai_analyst": "business"}}),
    ("Мне нужен тариф Бизнес для AI-менеджера", {"products": {"ai_manager": "business"}}),
    ("какой тариф выбрать для 3000 диалогов?", {"products": {"ai_manager": 3000}}),
    ("два занятия по обучению и интеграция с CRM", {"services": {"training": 2, "crm_integration": None}}),
    ("обучение x3", {"services": {"training": 3}}),
    ("обучение 2", {"services": {"training": 2}}),
    ("3 доп. канала", {"services": {"extra_channel": 3}}),
    ("10 часов доработки", {"services": {"custom_dev": 10}}),
    ("нужна приоритетная поддержка", {"services": {"priority_support": None}}),
    ("без внедрения", {"dropped": ["onboarding"]}),
    ("уберите обучение", {"dropped": ["training"]}),
    ("не нужен юрист", {"dropped": ["ai_lawyer"]}),
    ("юрист пока не нужен", {"dropped": ["ai_lawyer"]}),
    ("а если без аналитика и за год", {"period": "year", "dropped": ["ai_analyst"]}),
    ("вместо юриста аналитика на 30 отчётов", {"products": {"ai_analyst": 30}, "dropped": ["ai_lawyer"]}),
    ("только AI-менеджер", {"products": {"ai_manager": None}, "only": True}),
    ("у нас стартап", {"startup": True}),
    ("мы не стартап", {"startup": False}),
    ("мы стартап, какая скидка?", {"startup": True}),
    ("можно ли платить помесячно?", {"period": "month"}),
    ("оплата раз в квартал возможна?", {"unsold_period": True}),
    ("на полгода", {"unsold_period": True}),
    ("на 3 месяца", {"unsold_period": True}),
    ("на 2 года", {"unsold_period": True}),
    ("за 12 месяцев", {"period": "year"}),
    ("на двенадцать месяцев вперёд", {"period": "year"}),
    ("хочу оплатить сразу за год", {"period": "year"}),
    ("ежемесячно", {"period": "month"}),
    ("помесячная оплата", {"period": "month"}),
    ("сколько в месяц?", {"period": "month"}),
    ("сколько выйдет в год?", {"period": "year"}),
    ("на год", {"period": "year"}),
    ("месяц", {"period": "month"}),
    ("60 диалогов в день", {"products": {"ai_manager": 1800}}),
    ("по 15 документов в неделю", {"products": {"ai_lawyer": 65}}),
    ("24000 диалогов в год", {"products": {"ai_manager": 2000}}),
    ("около 1,5 тыс. диалогов", {"products": {"ai_manager": 1500}}),
    ("1.5к диалогов", {"products": {"ai_manager": 1500}}),
    ("примерно 700-800 обращений в месяц", {"products": {"ai_manager": 800}}),
    ("до 2000", {"volume": 2000}),
    ("больше 6000 диалогов", {"products": {"ai_manager": 6001}}),
    ("миллион диалогов", {"products": {"ai_manager": 1000000}}),
    ("-5 диалогов", {"bad_volume": True}),
    ("0 документов", {"bad_volume": True}),
    ("две тысячи двести", {"volume": 2200}),
    ("пять тысяч диалогов", {"products": {"ai_manager": 5000}}),
    ("пятьсот", {"volume": 500}),
    ("тысяча двести диалогов", {"products": {"ai_manager": 1200}}),
    ("сто пятьдесят договоров", {"products": {"ai_lawyer": 150}}),
    ("пара сотен документов", {"products": {"ai_lawyer": 200}}),
    ("полтысячи диалогов", {"products": {"ai_manager": 500}}),
    ("двадцать пять отчётов в месяц", {"products": {"ai_analyst": 25}}),
    (
        "меня зовут Анна Петрова, компания ООО «Ромашка», почта [ПОЧТА_1]",
        {"contact": {"name": "Анна Петрова", "email": "[ПОЧТА_1]", "company": "ООО «Ромашка»"}},
    ),
    ("Иван [ТЕЛЕФОН_1]", {"contact": {"name": "Иван", "phone": "[ТЕЛЕФОН_1]"}}),
    ("[ТЕЛЕФОН_1] Мария", {"contact": {"name": "Мария", "phone": "[ТЕЛЕФОН_1]"}}),
    ("это Сергей, телефон [ТЕЛЕФОН_1]", {"contact": {"name": "Сергей", "phone": "[ТЕЛЕФОН_1]"}}),
    ("я Олег", {"contact": {"name": "Олег"}}),
    ("Мой номер [ТЕЛЕФОН_1], перезвоните", {"contact": {"phone": "[ТЕЛЕФОН_1]"}}),
    ("компания Вектор", {"contact": {"company": "Вектор"}}),
    ("ИП Сидоров", {"contact": {"company": "ИП Сидоров"}}),
    ("хочу получить кп на год", {"period": "year"}),
    ("AI-бухгалтер сколько стоит?", {"unknown": ["AI-бухгалтер"]}),
    ("ИИ-дизайнер есть?", {"unknown": ["AI-дизайнер"]}),
    ("нужен нейроюрист", {"products": {"ai_lawyer": None}}),
    ("ИИ менеджер по продажам", {"products": {"ai_manager": None}}),
    ("аи аналитик скок стоит", {"products": {"ai_analyst": None}}),
    ("Al-менеджер", {"products": {"ai_manager": None}}),
    ("crjkmrj cnjbn ,bpytc", {"tier": "business"}),
    ("да, на год", {"period": "year"}),
    ("давайте за год", {"period": "year"}),
    ("бизнес", {"tier": "business"}),
    ("про", {"tier": "pro"}),
    ("старт", {"tier": "start"}),
    ("enterprise", {"tier": "enterprise"}),
    ("тариф бизнес", {"tier": "business"}),
    ("самый дешёвый тариф", {"tier": "cheapest"}),
    ("Бизнес для менеджера и Старт для юриста", {"products": {"ai_manager": "business", "ai_lawyer": "start"}}),
    ("оба на старте", {"tier": "start"}),
    ("AI-юрист: тариф «Бизнес»", {"products": {"ai_lawyer": "business"}}),
    (
        "AI Manager and AI Lawyer, business tier, yearly",
        {"products": {"ai_manager": None, "ai_lawyer": "business"}, "period": "year"},
    ),
    ("we are a startup", {"startup": True}),
    ("Сколько стоит внедрение и обучение?", {"services": {"onboarding": None, "training": None}}),
    ("нужны все три продукта на год", {"period": "year"}),
    ("Мы юридическая компания, 200 договоров в месяц, что посоветуете?", {"products": {"ai_lawyer": 200}}),
    ("ЗДРАВСТВУЙТЕ! СКОЛЬКО СТОИТ AI-МЕНЕДЖЕР НА 500 ДИАЛОГОВ???", {"products": {"ai_manager": 500}}),
    ("менджер на 1000 диалгов", {"products": {"ai_manager": 1000}}),
    ("сколко стоет юрист на 10 докуметов", {"products": {"ai_lawyer": 10}}),
    (
        "Посчитайте, пожалуйста, AI-менеджера на 2500 диалогов с приоритетной поддержкой и двумя"
        " дополнительными каналами на год, мы стартап",
        {
            "products": {"ai_manager": 2500},
            "period": "year",
            "startup": True,
            "services": {"priority_support": None, "extra_channel": 2},
        },
    ),
    ("сколько будет с внедрением?", {"services": {"onboarding": None}}),
    ("добавьте ещё внедрение", {"services": {"onboarding": None}}),
    ("и обучение тоже", {"services": {"training": None}}),
    ("плюс два канала", {"services": {"extra_channel": 2}}),
    ("а на про?", {"tier": "pro"}),
    ("AI-менеджер на тарифе «Про» на год", {"products": {"ai_manager": "pro"}, "period": "year"}),
    ("менеджер про и юрист старт", {"products": {"ai_manager": "pro", "ai_lawyer": "start"}}),
    ("добавь аналитика бизнес", {"products": {"ai_analyst": "business"}}),
    ("поменяй юриста на аналитика", {"products": {"ai_analyst": None}, "dropped": ["ai_lawyer"]}),
    ("замените бизнес на про", {"tier": "pro"}),
    ("не старт, а бизнес", {"tier": "business"}),
    ("не 500, а 800 диалогов", {"products": {"ai_manager": 800}}),
    ("увеличьте до 3000 диалогов", {"products": {"ai_manager": 3000}}),
    ("давайте 2 канала, а не 3", {"services": {"extra_channel": 2}}),
    ("оставьте только юриста", {"products": {"ai_lawyer": None}, "only": True}),
    ("сколько стоит только юрист?", {"products": {"ai_lawyer": None}, "only": True}),
    ("можно без внедрения?", {"dropped": ["onboarding"]}),
    ("внедрение не нужно", {"dropped": ["onboarding"]}),
    ("обучение пока не надо", {"dropped": ["training"]}),
    ("мы не хотим обучение", {"dropped": ["training"]}),
    ("хочу годовую подписку на менеджера Бизнес", {"products": {"ai_manager": "business"}, "period": "year"}),
    ("AI-юрист Enterprise", {"products": {"ai_lawyer": "enterprise"}}),
    ("юрист на 5000 документов", {"products": {"ai_lawyer": 5000}}),
    ("сколько сэкономлю если за год?", {"period": "year"}),
    ("а что если взять юриста на 300 документов?", {"products": {"ai_lawyer": 300}}),
    ("Подскажите цену на AI аналитика на 30 отчетов", {"products": {"ai_analyst": 30}}),
    ("нужно подключить дополнительный канал", {"services": {"extra_channel": None}}),
    ("обучение сотрудников 5 занятий и доработка 20 часов", {"services": {"training": 5, "custom_dev": 20}}),
    ("доработка на 15 часов", {"services": {"custom_dev": 15}}),
    ("2 внедрения", {"services": {"onboarding": 2}}),
    ("внедрение 1", {"services": {"onboarding": 1}}),
    ("мне нужно 3 обучения и 2 интеграции с CRM", {"services": {"training": 3, "crm_integration": 2}}),
    ("интеграция с амо", {"services": {"crm_integration": None}}),
    ("подключите битрикс24", {"services": {"crm_integration": None}}),
    ("загрузите нашу базу знаний", {"services": {"knowledge_upload": None}}),
    (
        "AI-менеджер, внедрение, обучение",
        {"products": {"ai_manager": None}, "services": {"onboarding": None, "training": None}},
    ),
    ("всё вместе за год сколько?", {"period": "year"}),
    ("сколько получится за год вместе с обучением", {"period": "year", "services": {"training": None}}),
    (
        'Здравствуйте, меня зовут Пётр. Интересует AI-юрист для ООО "Вектор", около 60 договоров. Телефон [ТЕЛЕФОН_1]',
        {"products": {"ai_lawyer": 60}, "contact": {"name": "Пётр", "phone": "[ТЕЛЕФОН_1]", "company": "ООО «Вектор»"}},
    ),
    (
        "Добрый день, компания «Альфа», хотим бота на 1000 диалогов и отчёты",
        {"products": {"ai_manager": 1000}, "contact": {"company": "Альфа"}},
    ),
    ("мой email [ПОЧТА_1]", {"contact": {"email": "[ПОЧТА_1]"}}),
    ("почта [ПОЧТА_1] зовут Лена", {"contact": {"name": "Лена", "email": "[ПОЧТА_1]"}}),
    (
        "AI-менеджер AI-юрист AI-аналитик бизнес год стартап",
        {
            "products": {"ai_manager": None, "ai_lawyer": None, "ai_analyst": "business"},
            "period": "year",
            "startup": True,
        },
    ),
    ("нужно 1800", {"volume": 1800}),
    ("нужно 1800 диалогов, но может и 2500", {"products": {"ai_manager": 1800}}),
    ("от 500 до 600 диалогов", {"products": {"ai_manager": 600}}),
    ("300 заявок в день", {"products": {"ai_manager": 9000}}),
    ("10-15 договоров", {"products": {"ai_lawyer": 15}}),
    ("1 документ", {"products": {"ai_lawyer": 1}}),
    ("один договор в день", {"products": {"ai_lawyer": 30}}),
    (
        "Что умеет AI-менеджер и сколько стоит на 1800 диалогов в месяц вместе с AI-юристом, если платить за год?",
        {"products": {"ai_manager": 1800, "ai_lawyer": None}, "period": "year"},
    ),
    ("Сколько стоит AI-менеджер?", {"products": {"ai_manager": None}}),
    ("эй ай менеджер скока стоит на полторы тысячи диалогов", {"products": {"ai_manager": 1500}}),
    (
        "ии менеджер на 2к диалогов в месяц и ии юрист на сто двадцать документов, на год, мы стартап",
        {"products": {"ai_manager": 2000, "ai_lawyer": 120}, "period": "year", "startup": True},
    ),
    ("а без юриста?", {"dropped": ["ai_lawyer"]}),
    ("нет, бизнес", {"tier": "business"}),
    ("добавьте обучение, три занятия", {"services": {"training": 3}}),
    ("тариф про", {"tier": "pro"}),
    (
        "AI-менеджер Бизнес и AI-юрист Старт на год",
        {"products": {"ai_manager": "business", "ai_lawyer": "start"}, "period": "year"},
    ),
    ("менеджер на тарифе про, юрист на бизнесе", {"products": {"ai_manager": "pro", "ai_lawyer": "business"}}),
    ("Меня зовут Иван, телефон [ТЕЛЕФОН_1]", {"contact": {"name": "Иван", "phone": "[ТЕЛЕФОН_1]"}}),
    ("а если за год?", {"period": "year"}),
    ("поквартально можно платить?", {"unsold_period": True}),
    ("AI-бухгалтер у вас есть?", {"unknown": ["AI-бухгалтер"]}),
    ("1800", {"volume": 1800}),
    ("две с половиной тыщи диалогов помесячно", {"products": {"ai_manager": 2500}, "period": "month"}),
    ("нужен бот-продавец на 500-600 диалогов", {"products": {"ai_manager": 600}}),
    ("Интересует AI-менеджер", {"products": {"ai_manager": None}}),
    (
        "How much is AI Manager for 1800 conversations per month, yearly?",
        {"products": {"ai_manager": 1800}, "period": "year"},
    ),
    ("два дополнительных канала и внедрение", {"services": {"extra_channel": 2, "onboarding": None}}),
    ("сколько стоит внедрение?", {"services": {"onboarding": None}}),
    ("100 диалогов в день", {"products": {"ai_manager": 3000}}),
    ("юрситы ии сколько стоит", {"products": {"ai_lawyer": None}}),
)


def facts(understood: Understood) -> dict[str, Any]:
    """Everything that changes a quote or a lead, without what was not said."""
    said: dict[str, Any] = {}
    if understood.products:
        said["products"] = {
            mention.product: (mention.tier, mention.volume)
            if mention.tier and mention.volume
            else mention.tier or mention.volume
            for mention in understood.products
        }
    for name in ("tier", "volume", "period", "startup"):
        if getattr(understood, name) is not None:
            said[name] = getattr(understood, name)
    if understood.services:
        said["services"] = dict(understood.services)
    if understood.dropped:
        said["dropped"] = sorted(understood.dropped)
    for name in ("only", "unsold_period", "bad_volume"):
        if getattr(understood, name):
            said[name] = True
    if understood.unknown:
        said["unknown"] = list(understood.unknown)
    if understood.contact:
        said["contact"] = dict(understood.contact)
    return said


@pytest.mark.parametrize(("text", "expected"), SAID, ids=[text[:40] for text, _ in SAID])
def test_message_is_understood_to_the_last_figure(text: str, expected: dict[str, Any]) -> None:
    assert facts(understand(text, CATALOGUE)) == expected


#: words of the trade in their everyday meaning: nothing of these is a quote's business
EVERYDAY = (
    "чем тариф Бизнес лучше Старта?",
    "что входит в тариф Про?",
    "что входит в стоимость AI-юриста?",
    "есть ли скидка для стартапов?",
    "какая скидка при оплате за год?",
    "у нас 20 сотрудников",
    "у нас 10 менеджеров по продажам",
    "3 юриста",
    "бюджет 50 тысяч рублей",
    "позовите менеджера",
    "дайте телефон менеджера",
    "мне нужен живой менеджер",
    "ваш менеджер мне не ответил",
    "наш юрист хочет посмотреть договор",
    "Как работает AI-юрист?",
    "расскажите про AI-аналитика",
    "Умеет ли AI-юрист проверять договоры?",
    "сколько времени занимает внедрение?",
    "как проходит обучение?",
    "есть интеграция с 1С?",
    "Сравните AI-менеджера и AI-юриста",
    "мы малый бизнес",
    "для нашего бизнеса нужен бот",
    "нам бы автоматизировать бизнес-процессы",
    "быстрый старт возможен?",
    "сколько диалогов в тарифе старт?",
    "сколько каналов можно подключить?",
    "не хочу общаться с ботом",
    "вы бот или человек?",
    "сделай скидку 90 %",
    "работаете с 9 до 18?",
    "перезвоните в 15:30",
    "это было 2 года назад",
    "почему так дорого?",
)


@pytest.mark.parametrize("text", EVERYDAY)
def test_everyday_words_order_nothing(text: str) -> None:
    assert facts(understand(text, CATALOGUE)) == {}


@pytest.mark.parametrize("text", ["", " ", "\n\n", "😀", "???", "—", "\u200b", "«»", "[", "]", "...", "\u202e"])
def test_message_without_words_says_nothing(text: str) -> None:
    assert understand(text, CATALOGUE) == Understood()
