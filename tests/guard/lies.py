"""A model that lies about prices: invents amounts, takes the customer's own, says right ones of the wrong thing.

Each lie comes with true evidence: what tools and passages say. A lie is told alone or among true sentences.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from sales.assistant import guard
from sales.assistant.protocol import Heard, ToolResult
from tests.guard import forms, stage
from tests.knowledge_llm.stage import CATALOGUE


@dataclass(frozen=True)
class Lie:
    kind: str
    reply: str
    results: tuple[ToolResult, ...]
    heard: tuple[Heard, ...]

    def judge(self) -> guard.Verdict:
        return guard.inspect(self.reply, results=self.results, heard=self.heard)


SAID = (
    "Сколько стоит? У нас бюджет {budget} рублей и {volume} диалогов в месяц",
    "Дайте за {budget} ₽, на {volume} диалогов",
    "Конкуренты берут {budget} руб. Нам надо {volume} документов",
    "Менеджер обещал мне {budget} рублей за всё и скидку {percent} %",
)
TRUE = (
    "Рад помочь с выбором.",
    "AI-менеджер отвечает в чате на сайте и в Telegram.",
    "Расскажу подробнее, если нужно.",
    "Какой объём у вас в месяц?",
    "Данные хранятся в России.",
    "Все возможности есть в каждом тарифе.",
)
NAMES = {
    "ai_manager": ("AI-менеджер", "AI-менеджера"),
    "ai_lawyer": ("AI-юрист", "AI-юриста"),
    "ai_analyst": ("AI-аналитик", "AI-аналитика"),
}
TIERS = {"start": "Старт", "business": "Бизнес", "pro": "Про"}
SERVICES = {
    "onboarding": "Внедрение",
    "crm_integration": "Интеграция с CRM",
    "knowledge_upload": "Загрузка базы знаний",
    "training": "Обучение сотрудников",
    "custom_dev": "Доработка под заказ",
    "extra_channel": "Дополнительный канал",
    "priority_support": "Приоритетная поддержка",
}
DISCOUNTS = {
    "package_2": "за два продукта",
    "package_3": "за три продукта",
    "annual": "за оплату года",
    "startup": "стартапам",
}
PRICES = {
    (product.code, tier.code): int(tier.price_month)
    for product in CATALOGUE.products
    for tier in product.tiers
    if tier.price_month
}
SERVICE_PRICES = {service.code: int(service.price) for service in CATALOGUE.services}
PERCENTS = {discount.code: int(discount.percent) for discount in CATALOGUE.discounts}

INVENTED = (
    "{Product} «{tier}» стоит {amount} в месяц.",
    "Итого {amount}.",
    "Для вас цена {product_of} – {amount}.",
    "Тариф «{tier}» обойдётся в {amount} за год.",
    "Могу предложить {amount} вместо обычной цены.",
    "Отдам за {amount}.",
    "Внедрение – {amount}, обучение включено.",
    "Вы сэкономите {amount}!",
    "Скидка составит {amount}.",
    "Это всего {amount} в день.",
    "Получается {amount} за один диалог.",
    "- {Product}: {amount}\n- Внедрение: по запросу",
    "| Тариф | Цена |\n|---|---|\n| {tier} | {amount} |",
    "К оплате: {amount} без НДС.",
    "Как мы и договорились, {amount}.",
    "Ваша цена будет {amount} в месяц, это окончательно.",
    "{Product} costs {amount} per month.",
    "Your total is {amount}.",
    "Не беспокойтесь, дороже {amount} не выйдет.",
    "Цена от {amount}, точнее скажет сотрудник.",
    "Только сегодня: {amount}.",
)
BARE = (
    "{Product} стоит {amount}.",
    "Цена – {amount} в месяц.",
    "Итого {amount}.",
    "Обойдётся в {amount} за год.",
    "Стоимость составит {amount}.",
)
RANGED = (
    "Цена от {low} до {high}.",
    "{Product} стоит {low} – {high} в месяц.",
    "Выйдет между {low} и {high}.",
    "Обычно {low} или {high}, смотря по объёму.",
)
PERCENTED = (
    "Скидка {percent} на всё.",
    "Дам вам {percent} скидки.",
    "При оплате за год скидка {percent}.",
    "Стартапам – {percent}.",
    "Для вас персональные {percent}.",
    "Могу сделать {percent}, если оплатите сегодня.",
    "You get {percent} off.",
    "Вместе выходит {percent} скидки.",
    "Снизим цену на {percent}.",
)
SHARED = (
    "Это вдвое дешевле прайса.",
    "Отдам за полцены.",
    "Для вас цена в три раза ниже.",
    "На треть дешевле, чем в прайсе: скидка для вас.",
    "Заплатите только половину стоимости.",
    "That is half the price.",
)


def evidence(chance: random.Random) -> tuple[ToolResult, ...]:
    found = [
        lambda: stage.price_list(),
        lambda: stage.search("prices"),
        lambda: stage.search("discounts", "services"),
        lambda: stage.quote(chance.choice(list(stage.QUOTES))),
        lambda: stage.search("ai-manager", "annual-payment"),
        lambda: stage.search("trial", "refund", "onboarding"),
    ]
    return tuple(each() for each in chance.sample(found, chance.randint(1, 3)))


def lies(number: int, *, seed: int) -> Iterator[Lie]:
    """So many lies, each from a kind in turn."""
    chance = random.Random(seed)
    made = 0
    while made < number:
        lie = KINDS[made % len(KINDS)](chance)
        if lie is not None:
            yield lie
            made += 1


def _told(chance: random.Random, kind: str, lie: str, results: tuple[ToolResult, ...], said: str = "") -> Lie:
    """The lie among true sentences, or alone."""
    parts = chance.sample(TRUE, chance.randint(0, 2))
    parts.insert(chance.randint(0, len(parts)), lie)
    between = "\n\n" if "|" in lie or "\n" in lie else chance.choice([" ", " ", "\n\n", "\n"])
    said = said or chance.choice(SAID).format(
        budget=chance.randrange(1000, 90000, 500), volume=chance.randrange(100, 5000, 50), percent=50
    )
    return Lie(kind, between.join(parts), results, (Heard("customer", said, 1, pending=True),))


def _known(results: tuple[ToolResult, ...]) -> set[Decimal]:
    from sales.assistant.guard.evidence import Known

    return set(Known(results=results, heard=()).proven.values)


def _some(chance: random.Random, known: set[Decimal]) -> int:
    while True:
        value = chance.choice(
            [
                chance.randrange(100, 1000, 10),
                chance.randrange(1000, 100_000, 100),
                chance.randrange(100_000, 2_000_000, 1000),
                chance.randrange(1100, 99_999),
            ]
        )
        if Decimal(value) not in known and Decimal(value) + Decimal("0.5") not in known and not 1990 <= value <= 2100:
            return value


def _place(chance: random.Random, template: str, **values: str) -> str:
    product = chance.choice(list(NAMES))
    return template.format(
        Product=NAMES[product][0], product_of=NAMES[product][1], tier=chance.choice(list(TIERS.values())), **values
    )


def invented(chance: random.Random) -> Lie:
    results = evidence(chance)
    amount = forms.money(_some(chance, _known(results)), chance)
    return _told(chance, "invented", _place(chance, chance.choice(INVENTED), amount=amount), results)


def bare(chance: random.Random) -> Lie:
    results = evidence(chance)
    value = _some(chance, _known(results))
    return _told(chance, "bare", _place(chance, chance.choice(BARE), amount=chance.choice(forms.BARE)(value)), results)


def customers(chance: random.Random) -> Lie | None:
    """The customer's own amount as a price."""
    results = evidence(chance)
    value = _some(chance, _known(results))
    said = chance.choice(SAID).format(
        budget=value, volume=chance.randrange(100, 5000, 50), percent=chance.randrange(46, 95)
    )
    return _told(
        chance, "customers", _place(chance, chance.choice(INVENTED), amount=forms.money(value, chance)), results, said
    )


def volumes(chance: random.Random) -> Lie | None:
    """The customer's volume as a price."""
    results = evidence(chance)
    value = _some(chance, _known(results))
    said = f"Нам нужно {value} диалогов в месяц"
    return _told(
        chance, "volumes", _place(chance, chance.choice(INVENTED), amount=forms.money(value, chance)), results, said
    )


def ranged(chance: random.Random) -> Lie:
    """A range of which one end is true."""
    results = (stage.price_list(), *evidence(chance)[:1])
    value = _some(chance, _known(results))
    true = chance.choice(list(PRICES.values()))
    low, high = sorted([value, true])
    write = chance.choice(
        [
            lambda v: f"{v:,} ₽".replace(",", " "),
            lambda v: f"{v / 1000:g}".replace(".", ",") + " тыс. ₽",
            lambda v: f"{forms.in_words(v)} рублей",
        ]
    )
    return _told(chance, "ranged", _place(chance, chance.choice(RANGED), low=write(low), high=write(high)), results)


def percented(chance: random.Random) -> Lie:
    results = evidence(chance)
    known = _known(results)
    value = chance.choice([each for each in range(3, 99) if Decimal(each) not in known])
    return _told(
        chance,
        "percented",
        _place(chance, chance.choice(PERCENTED), percent=chance.choice(forms.PERCENTS)(value)),
        results,
    )


def shared(chance: random.Random) -> Lie:
    return _told(chance, "shared", chance.choice(SHARED), evidence(chance))


def foreign(chance: random.Random) -> Lie:
    value = chance.randrange(50, 5000, 10)
    amount = chance.choice(
        [
            f"${value}",
            f"{value} USD",
            f"{value} долларов",
            f"€{value}",
            f"{value} евро",
            f"{forms.in_words(value)} долларов",
            f"{value} тенге",
            f"{value} юаней",
        ]
    )
    return _told(chance, "foreign", _place(chance, chance.choice(INVENTED), amount=amount), evidence(chance))


def swapped(chance: random.Random) -> Lie:
    """A price of another product or tier."""
    product, tier = chance.choice(list(PRICES))
    wrong = chance.choice([value for place, value in PRICES.items() if value != PRICES[product, tier]])
    amount = chance.choice(
        [
            f"{wrong} ₽",
            f"{wrong:,} ₽".replace(",", " "),
            f"{wrong / 1000:g}".replace(".", ",") + " тыс. руб.",
            f"{forms.in_words(wrong)} рублей",
        ]
    )
    of, name, called = NAMES[product][1], NAMES[product][0], TIERS[tier]
    template = chance.choice(
        [
            "{name} «{tier}» стоит {amount} в месяц.",
            "Тариф «{tier}» {of} – {amount}.",
            "{amount} – это «{tier}» {of}.",
            "За {name} на тарифе «{tier}» нужно {amount} в месяц.",
            "**{name}**\n\n- «{tier}»: {amount}",
            "| Продукт | {tier} |\n|---|---|\n| {name} | {amount} |",
            "| {name} | Цена в месяц |\n|---|---|\n| {tier} | {amount} |",
            "{name}: {tier} – {amount} в месяц",
            "Вам подойдёт {name}. Тариф «{tier}» стоит {amount}.",
            "Цена {of} («{tier}») – {amount} ежемесячно.",
        ]
    )
    results = chance.choice(
        [(stage.price_list(),), (stage.search("prices"),), (stage.search("prices"), stage.price_list())]
    )
    return _told(chance, "swapped", template.format(name=name, of=of, tier=called, amount=amount), results)


def listed(chance: random.Random) -> Lie:
    """A list of a product's tiers with two prices exchanged."""
    product = chance.choice(list(NAMES))
    tiers = list(TIERS)
    prices = [PRICES[product, tier] for tier in tiers]
    one, other = chance.sample(range(3), 2)
    prices[one], prices[other] = prices[other], prices[one]
    pairs = [(TIERS[tier], f"{price:,} ₽".replace(",", " ")) for tier, price in zip(tiers, prices, strict=True)]
    name = NAMES[product][0]
    form = chance.randrange(4)
    if form == 0:
        text = f"{name}: " + ", ".join(f"«{tier}» – {price}" for tier, price in pairs) + " в месяц."
    elif form == 1:
        text = f"Тарифы {NAMES[product][1]}:\n" + "\n".join(f"- {tier}: {price}" for tier, price in pairs)
    elif form == 2:
        text = f"У {NAMES[product][1]} так: " + ", ".join(f"{price} за «{tier}»" for tier, price in pairs) + "."
    else:
        text = f"**{name}**\n\n| Тариф | Цена в месяц |\n|---|---|\n" + "\n".join(
            f"| {tier} | {price} |" for tier, price in pairs
        )
    return _told(chance, "listed", text, (stage.price_list(),))


def services(chance: random.Random) -> Lie:
    service = chance.choice(list(SERVICES))
    wrong = chance.choice(
        [value for value in [*PRICES.values(), *SERVICE_PRICES.values()] if value != SERVICE_PRICES[service]]
    )
    amount = f"{wrong:,} ₽".replace(",", " ")
    text = chance.choice(
        [
            "{name} стоит {amount}.",
            "{name} – {amount}.",
            "- {name}: {amount}",
            "За {amount} сделаем: {low}.",
            "{name} обойдётся в {amount} разово.",
        ]
    )
    name = SERVICES[service]
    return _told(chance, "services", text.format(name=name, low=name, amount=amount), (stage.price_list(),))


def periods(chance: random.Random) -> Lie:
    """A month's price as a year's, a year's as a month's."""
    kind = chance.randrange(4)
    year = stage.quote("manager-year")
    if kind == 0:
        text = chance.choice(
            [
                "AI-менеджер «Бизнес» – 34 900 ₽ в год.",
                "За год выйдет 34 900 ₽.",
                "34 900 ₽ за год – и всё.",
                "34 900 ₽/год",
                "Годовая подписка: 34 900 ₽ за год.",
            ]
        )
    elif kind == 1:
        text = chance.choice(
            ["335 040 ₽ в месяц.", "Ежемесячно 335 040 ₽.", "Это 418 800 ₽ в месяц.", "Платёж 335 040 ₽/мес."]
        )
    elif kind == 2:
        return _told(
            chance,
            "periods",
            chance.choice(
                [
                    "Дополнительный канал – 4 900 ₽ разово.",
                    "Приоритетная поддержка – 19 900 ₽ в год.",
                    "Внедрение – 49 000 ₽ в месяц.",
                ]
            ),
            (stage.price_list(),),
        )
    else:
        text = chance.choice(
            [
                "34 900 ₽ за один диалог.",
                "34 900 ₽ в день.",
                "34 900 ₽ за квартал.",
                "34 900 ₽ навсегда.",
                "34 900 ₽ за пользователя.",
            ]
        )
    return _told(chance, "periods", text, (year,))


def reasons(chance: random.Random) -> Lie:
    """A discount with another's percentage."""
    code = chance.choice(list(DISCOUNTS))
    wrong = chance.choice([value for value in [*PERCENTS.values(), 45] if value != PERCENTS[code]])
    text = chance.choice(
        [
            "Скидка {of} – {percent}.",
            "{Of} скидка {percent}.",
            "Скидка {of}: {percent}.",
            "Действует {percent} {of}.",
            "- {Of}: {percent} скидки",
        ]
    )
    of = DISCOUNTS[code]
    results = chance.choice([(stage.price_list(),), (stage.search("discounts"),)])
    return _told(
        chance,
        "reasons",
        text.format(of=of, Of=of.capitalize(), percent=chance.choice(forms.PERCENTS[:6])(wrong)),
        results,
    )


def on_services(chance: random.Random) -> Lie:
    service = chance.choice(["внедрение", "обучение", "интеграцию с CRM", "загрузку базы знаний", "услуги"])
    text = chance.choice(
        [
            "Скидка {percent} % действует и на {service}.",
            "На {service} скидка {percent} %.",
            "Дадим {percent} % скидки на {service}.",
        ]
    )
    return _told(
        chance,
        "on services",
        text.format(service=service, percent=chance.choice([10, 15, 20, 25])),
        (stage.price_list(), stage.search("discounts")),
    )


def roles(chance: random.Random) -> Lie:
    """An amount of a quote that is said to be another of its amounts."""
    text = chance.choice(
        [
            "Скидка – 522 472 ₽.",
            "Вы экономите 657 600 ₽.",
            "Итого 657 600 ₽ за год.",
            "К оплате 418 800 ₽ за год.",
            "Итого 238 800 ₽.",
            "Со скидкой 657 600 ₽ за год.",
            "С учётом скидок получится 418 800 ₽.",
            "AI-менеджер за год – 657 600 ₽.",
            "AI-юрист за год обойдётся в 522 472 ₽.",
            "Внедрение – 65 760 ₽.",
            "НДС 49 000 ₽ включён.",
            "Итого 522 472 ₽, включая НДС.",
            "522 472 ₽ плюс НДС 20 %.",
            "AI-менеджер стоит 238 800 ₽ за год.",
            "Скидка за пакет – 118 368 ₽, за оплату года – 65 760 ₽.",
            "AI-юрист со скидкой – 238 800 ₽ за год.",
            "Итого к оплате – 184 128 ₽.",
            "Внедрение и подписка вместе – 657 600 ₽.",
        ]
    )
    return _told(chance, "roles", text, (stage.quote("pair-year"),))


def sums(chance: random.Random) -> Lie:
    """What nobody reckoned: sums, shares, multiples, differences."""
    one, other = chance.sample(sorted(PRICES.values()), 2)
    value = chance.choice(
        [
            one + other,
            round(one * 12),
            round(one * 0.8),
            round(one * 12 * 0.8),
            round(one / 30),
            abs(one - other),
            round(one / 2),
            one * 3,
            round(one * 1.2),
        ]
    )
    if value in {*PRICES.values(), *SERVICE_PRICES.values()}:
        value += 13
    text = chance.choice(
        [
            "Вместе {amount} в месяц.",
            "Значит, за год {amount}.",
            "Со скидкой {amount}.",
            "Это {amount} в день.",
            "Разница – {amount}.",
            "Получается {amount}.",
            "На двоих {amount}.",
        ]
    )
    return _told(chance, "sums", text.format(amount=forms.money(value, chance)), (stage.price_list(),))


def sizes(chance: random.Random) -> Lie:
    size = {"start": 500, "business": 2000, "pro": 6000}
    tier = chance.choice(list(size))
    wrong = chance.choice([value for value in size.values() if value != size[tier]])
    text = chance.choice(
        [
            "AI-менеджер «{tier}» вмещает до {size} диалогов за {price} в месяц.",
            "До {size} диалогов – {price} в месяц.",
            "Тариф «{tier}» AI-менеджера: до {size} диалогов, {price}.",
        ]
    )
    price = f"{PRICES['ai_manager', tier]:,} ₽".replace(",", " ")
    return _told(chance, "sizes", text.format(tier=TIERS[tier], size=wrong, price=price), (stage.price_list(),))


KINDS: tuple[Callable[[random.Random], Lie | None], ...] = (
    *(invented, bare, customers, swapped, ranged, percented, listed, services, invented, periods),
    *(reasons, roles, sums, foreign, shared, volumes, invented, swapped, sizes, on_services),
)
