"""What the keyless assistant says, in both languages. One phrase says one thing; the composer puts them together.

Phrases that ask end in a question mark: what the assistant has asked is read back from its own words (``needs``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from sales.assistant.phrases import CALLED

Language = Literal["ru", "en"]

#: what is said in several ways, so that nobody hears the same words twice, has them all; the first is used first
Words = str | tuple[str, ...]

PHRASES: dict[str, dict[Language, Words]] = {
    # --- talk ---
    "hello": {"ru": "Здравствуйте!", "en": "Hello!"},
    "hello_name": {"ru": "Здравствуйте, {name}!", "en": "Hello, {name}!"},
    "who_i_am": {
        "ru": "Я ИИ-помощник компании: рассказываю о продуктах, точно считаю стоимость "
        "и готовлю коммерческое предложение.",
        "en": "I am the company's AI assistant: I explain the products, quote exact prices and prepare proposals.",
    },
    "not_human": {
        "ru": (
            "Я ИИ-помощник, не человек. Отвечаю по базе знаний компании и считаю стоимость по её правилам, "
            "а если нужен человек, приглашу сотрудника в этот диалог.",
            "Нет, я не человек, а ИИ-помощник этой компании. Имени у меня нет.",
            "Я программа: ИИ-помощник, который отвечает здесь за компанию. Человека могу позвать.",
        ),
        "en": (
            "I am an AI assistant, not a human. I answer from the company's knowledge base and quote prices "
            "by its rules; if you would rather talk to a person, I can call a colleague into this chat.",
            "No, I am not a human, I am this company's AI assistant.",
            "I am a program, an AI assistant that answers here. I can call a person.",
        ),
    },
    "smalltalk": {
        "ru": (
            "Спасибо, всё в порядке. Лучше всего я умею рассказывать о наших продуктах и считать их стоимость.",
            "Всё хорошо, работаю без выходных. Готов рассказать о продуктах или посчитать стоимость.",
        ),
        "en": (
            "I am fine, thank you. What I do best is explaining our products and what they cost.",
            "All is well, I work around the clock. I can tell you about the products or quote a price.",
        ),
    },
    "no_fun": {
        "ru": (
            "Стихов и анекдотов не пишу: помогаю с нашими продуктами, ценами и документами.",
            "С этим помочь не могу, моё дело – продукты, цены и документы.",
        ),
        "en": (
            "I can't help with poems and jokes: I explain products, prices and documents.",
            "I can't help with that: I explain products, prices and documents.",
        ),
    },
    "foreign": {
        "ru": (
            "Об этом в базе знаний ничего нет: я помогаю с нашими продуктами, их стоимостью и внедрением.",
            "Это не по моей части: в базе знаний такого нет.",
        ),
        "en": (
            "The knowledge base has nothing on that: I help with our products, their prices and the roll-out.",
            "That is not my field: the knowledge base has nothing on it.",
        ),
    },
    "here": {
        "ru": ("Да, я на связи.", "Я здесь."),
        "en": ("Yes, I am here.", "I am here."),
    },
    "thanks": {
        "ru": ("Пожалуйста! Если появятся вопросы, пишите.", "Рад помочь!", "Не за что!"),
        "en": ("You are welcome! Write whenever you have a question.", "Glad to help!", "Any time!"),
    },
    "goodbye": {
        "ru": "Всего доброго! Если появятся вопросы, пишите сюда в любое время.",
        "en": "Goodbye! You can write here at any time.",
    },
    "fine": {"ru": ("Хорошо.", "Понял вас.", "Договорились."), "en": ("All right.", "Got it.", "Fine.")},
    "no_hurry": {
        "ru": "Хорошо, не тороплю. Когда будете готовы, напишите сюда, и мы продолжим с этого места.",
        "en": "No hurry. Write here when you are ready and we will go on from here.",
    },
    "sorry": {
        "ru": (
            "Мне жаль, что так вышло. Давайте разберёмся.",
            "Понимаю ваше недовольство и прошу прощения.",
            "Простите за неудобства.",
        ),
        "en": (
            "I am sorry about that. Let us sort it out.",
            "I understand, and I apologise.",
            "Sorry for the trouble.",
        ),
    },
    "not_understood": {
        "ru": (
            "Не получилось понять сообщение. Напишите, пожалуйста, другими словами: "
            "я рассказываю о продуктах, считаю стоимость и готовлю коммерческое предложение.",
            "Простите, не понял сообщение. Можно выбрать вариант ниже или написать, что вам нужно, одной фразой.",
            "Не понял вас. Если проще объяснить человеку, позову сотрудника.",
        ),
        "en": (
            "I did not get that. Please say it in other words: I explain the products, quote prices "
            "and prepare proposals.",
            "Sorry, I still did not get it. Choose one of the options below or say in one sentence what you need.",
            "I did not understand. If it is easier to explain to a person, I can call a colleague.",
        ),
    },
    "recommended": {
        "ru": "По вашему описанию подойдёт {product}.",
        "en": "From what you describe, {product} fits.",
    },
    "we_have": {"ru": "У нас есть {products}.", "en": "We offer {products}."},
    "services_too": {
        "ru": "К продуктам можно добавить услуги: {services}.",
        "en": "Services can be added: {services}.",
    },
    # --- limits ---
    "instructions": {
        "ru": ("Свои внутренние настройки я не показываю и не меняю.", "Показать или изменить свои настройки не могу."),
        "en": ("I neither show nor change my internal settings.", "No, my settings and rules stay as they are."),
    },
    "prices_are_ruled": {
        "ru": (
            "Цены и скидки считаются по правилам компании, в переписке их изменить нельзя.",
            "Изменить цену не могу: её считают правила, одинаковые для всех.",
        ),
        "en": (
            "Prices and discounts follow the company's rules and can't be changed in a chat.",
            "I can't change a price: the same rules count for everybody.",
        ),
    },
    "ways_to_save": {
        "ru": "Скидки, которые действуют для всех: {discounts}.",
        "en": "The discounts that anyone gets: {discounts}.",
    },
    "privacy": {
        "ru": ("Данные других клиентов я не раскрываю.", "О других клиентах я ничего не сообщаю."),
        "en": ("I do not disclose anything about other customers.", "I tell nothing about other customers."),
    },
    "unknown_product": {
        "ru": "Продукта «{name}» у нас нет. Есть {products}.",
        "en": "We have no product called “{name}”. We have {products}.",
    },
    "unknown_tier": {
        "ru": "Тарифа «{name}» у нас нет, есть {tiers}.",
        "en": "We have no tier called “{name}”, there are {tiers}.",
    },
    "not_on_sale": {
        "ru": "Отдельной позиции «{name}» в прайсе нет. Есть {products}.",
        "en": "The price list has no “{name}”. We have {products}.",
    },
    "dont_know": {
        "ru": (
            "В базе знаний нет точного ответа на этот вопрос, а выдумывать не буду.",
            "На это у меня нет точного ответа, а гадать не хочу.",
            "И этого я точно не знаю.",
            "Здесь я не подскажу: в базе знаний об этом ничего нет.",
        ),
        "en": (
            "The knowledge base has no exact answer to this, and I will not make one up.",
            "I have no proven answer to that, and I would rather not guess.",
            "That is something I do not know for sure either.",
            "I can't help with this one: the knowledge base has nothing on it.",
        ),
    },
    "dont_know_what": {
        "ru": "На вопрос «{question}» в базе знаний точного ответа нет.",
        "en": "The knowledge base has no exact answer to “{question}”.",
    },
    "told_above": {
        "ru": (
            "Всё, что есть об этом в базе знаний, я написал выше. Подробности знает сотрудник.",
            "К сказанному выше мне добавить нечего, дальше лучше ответит сотрудник.",
        ),
        "en": (
            "What the knowledge base says about it is in my message above. A colleague knows the details.",
            "I have nothing to add to what I said above; a colleague can tell you more.",
        ),
    },
    "unclear_answer": {
        "ru": (
            "Не уверен, что понял вас правильно. Назовите продукт и примерный объём в месяц, "
            "и я посчитаю стоимость, или спросите о чём угодно из базы знаний.",
            "Простите, не понял ваш ответ. Подойдёт и грубая оценка, например «около тысячи» или «не знаю».",
            "Не понял ответ. Если удобнее, выберите вариант ниже.",
        ),
        "en": (
            "I am not sure I got that right. Name a product and a rough monthly volume and I will quote the price, "
            "or ask me anything about our products.",
            "Sorry, I did not catch that. A rough guess will do, “about a thousand” or “not sure”.",
            "I did not get the answer. Please choose one of the options below.",
        ),
    },
    "unclear_after_quote": {
        "ru": (
            "Не уверен, что понял. Можно изменить расчёт, спросить о продукте или оформить предложение.",
            "Простите, не понял. Что сделать с расчётом?",
            "Не разобрал, напишите, пожалуйста, иначе.",
        ),
        "en": (
            "I am not sure I got that. You can change the quote, ask about the product or get the proposal.",
            "Sorry, I did not get that. What shall I do with the quote?",
            "I did not get that, please say it in other words.",
        ),
    },
    "in_russian": {
        "ru": "",
        "en": "Our article on this is in Russian; here is what it says:",
    },
    "search_is_off": {
        "ru": "Сейчас не получается заглянуть в базу знаний.",
        "en": "The knowledge base can't be reached right now.",
    },
    # --- prices ---
    "from_line": {
        "ru": "**{product}** – от {price}, {size}",
        "en": "**{product}** – from {price}, {size}",
    },
    "depends_on_volume": {
        "ru": "{product} стоит от {price}, цена зависит от числа {unit}:",
        "en": "{product} costs from {price}, depending on the number of {unit}:",
    },
    "prices_lead": {
        "ru": "Цена зависит от продукта и объёма:",
        "en": "The price depends on the product and the volume:",
    },
    "tiers_differ": {
        "ru": "Тарифы отличаются объёмом и ценой:",
        "en": "The tiers differ in volume and price:",
    },
    "discounts_are": {
        "ru": "Скидки действуют на подписку:",
        "en": "Discounts apply to the subscription:",
    },
    "discount_of": {"ru": "{reason} скидка {percent}", "en": "the discount {reason} is {percent}"},
    "discounts_capped": {
        "ru": "Они складываются по очереди: каждая следующая считается от остатка. Вместе дают не больше {cap}, "
        "в расчёт попадают сами.",
        "en": "They are taken one after another, {cap} altogether at most, and are in the quote by themselves.",
    },
    "no_discount_on_services": {
        "ru": "На услуги скидки не действуют: они уменьшают только стоимость подписки.",
        "en": "Discounts do not apply to services: they reduce the subscription only.",
    },
    "no_discounts": {"ru": "Сейчас скидок нет.", "en": "There are no discounts at the moment."},
    "for_products": {"ru": "за {count}", "en": "for {count}"},
    "for_year": {"ru": "за оплату сразу за год", "en": "for paying yearly"},
    "for_month": {"ru": "за помесячную оплату", "en": "for paying monthly"},
    "for_startups": {"ru": "стартапам", "en": "for startups"},
    "services_are": {"ru": "К продуктам можно добавить:", "en": "These can be added to the products:"},
    "charged_by_unit": {"ru": "за {unit}", "en": "per {unit}"},
    "charged_once": {"ru": "разово", "en": "once"},
    "vat_none": {
        "ru": "НДС не облагается: в ценах его нет, сверху ничего не добавляется.",
        "en": "VAT is not charged: the prices are final.",
    },
    "vat_included": {
        "ru": "Цены включают НДС {rate}, в расчёте он показан отдельной строкой.",
        "en": "Prices include VAT of {rate}, shown in the quote on a line of its own.",
    },
    "budget_buys": {
        "ru": "В этот бюджет укладываются:",
        "en": "This budget buys:",
    },
    "budget_too_small": {
        "ru": "В такой бюджет подписка не укладывается. Самые доступные варианты:",
        "en": "No subscription fits this budget. The most affordable ones:",
    },
    "year_is_cheaper": {
        "ru": "За год выгоднее: **{year} за год**, скидка за оплату сразу – {saved}. Помесячно – {month} за месяц.",
        "en": "Yearly is cheaper: **{year} per year**, a discount of {saved}. Monthly it is {month} per month.",
    },
    "periods_beside": {
        "ru": "На год – **{year}**, на месяц – **{month}**.",
        "en": "Per year it is **{year}**, per month **{month}**.",
    },
    "year_discount": {
        "ru": "За год выгоднее: при оплате сразу действует скидка {percent} на подписку.",
        "en": "Paying yearly is cheaper: it takes {percent} off the subscription.",
    },
    "in_quote": {"ru": "В расчёте: {parts}.", "en": "In this quote: {parts}."},
    "once_of_it": {
        "ru": "Из них разово, за услуги: {amount}.",
        "en": "Of this, {amount} is for services charged once.",
    },
    "smallest_of": {
        "ru": "{product}: объём не назван, поэтому в расчёте самый маленький тариф, «{tier}».",
        "en": "{product}: no volume was named, so the quote has the smallest tier, {tier}.",
    },
    "smallest_of_all": {
        "ru": "Объём не назван, поэтому в расчёте самые маленькие тарифы.",
        "en": "No volumes were named, so the quote has the smallest tiers.",
    },
    "larger_tier": {
        "ru": "{product}: тариф «{named}» меньше названного объёма, поэтому в расчёте «{fits}».",
        "en": "{product}: the {named} tier is too small for the volume you named, so the quote has {fits}.",
    },
    "on_request": {
        "ru": "Точную цену тарифа по запросу назовёт сотрудник.",
        "en": "A colleague will name the price of the tier on request.",
    },
    "unsold_period": {
        "ru": "Подписка продаётся на месяц или на год, другого периода оплаты нет.",
        "en": "Subscriptions are sold by the month or by the year; there is no other billing period.",
    },
    "bad_volume": {
        "ru": "Объём должен быть больше нуля.",
        "en": "The volume has to be above zero.",
    },
    "startup_noted": {
        "ru": "Учту, что вы стартап.",
        "en": "Noted that you are a startup.",
    },
    "not_startup_noted": {"ru": "Учту, что вы не стартап.", "en": "Noted that you are not a startup."},
    "year_noted": {"ru": "Хорошо, считаем с оплатой за год.", "en": "All right, paid yearly."},
    "month_noted": {"ru": "Хорошо, считаем с помесячной оплатой.", "en": "All right, paid monthly."},
    "nothing_left": {
        "ru": "Убрано. Больше в расчёте ничего нет.",
        "en": "Removed. Nothing is left in the quote.",
    },
    "quote_failed": {
        "ru": "Посчитать не получилось: что-то в запросе не сходится с каталогом.",
        "en": "The price could not be calculated: something in the request does not fit the catalogue.",
    },
    # --- contacts, proposal, people ---
    "nice_to_meet": {"ru": "Приятно познакомиться, {name}!", "en": "Nice to meet you, {name}!"},
    "contact_saved": {"ru": "Спасибо, сохранено: {what}.", "en": "Thank you, saved: {what}."},
    "contact_saved_name": {"ru": "Спасибо, {name}! Сохранено: {what}.", "en": "Thank you, {name}! Saved: {what}."},
    "phone_incomplete": {
        "ru": "Похоже, номер неполный. Напишите его, пожалуйста, с кодом города или оператора.",
        "en": "The number looks incomplete. Please write it with its area or operator code.",
    },
    "email_incomplete": {
        "ru": "Похоже, в адресе почты опечатка. Напишите его, пожалуйста, ещё раз.",
        "en": "The e-mail address looks wrong. Please write it again.",
    },
    "contact_failed": {
        "ru": "Сохранить контакт не получилось. Напишите его, пожалуйста, ещё раз.",
        "en": "The contact could not be saved. Please write it again.",
    },
    "contact_unkept": {
        "ru": "Спасибо, контакты вижу, но пока не сохраняю.",
        "en": "Thank you, I see your contact details but don't keep them yet.",
    },
    "agreed_saved": {"ru": "Спасибо! Сохранено: {what}.", "en": "Thank you! Saved: {what}."},
    "agreed": {
        "ru": "Спасибо! Теперь можно оставить имя и телефон или почту.",
        "en": "Thank you! Now you may leave your name and a phone number or e-mail.",
    },
    "contact_refused": {
        "ru": "Хорошо, обойдёмся без контактов: отвечу на всё здесь.",
        "en": "That is fine, no contact needed: I will answer everything here.",
    },
    "proposal_ready": {
        "ru": "Коммерческое предложение готово, файл – в этом сообщении.",
        "en": "The proposal is ready; you can download it from this message.",
    },
    "proposal_number": {
        "ru": "Коммерческое предложение № {number} готово, файл – в этом сообщении.",
        "en": "Proposal {number} is ready; you can download it from this message.",
    },
    "proposal_needs_quote": {
        "ru": "Подготовлю коммерческое предложение, для него нужен расчёт.",
        "en": "I will prepare the proposal; it needs a quote first.",
    },
    "proposal_failed": {
        "ru": "Подготовить предложение не получилось.",
        "en": "The proposal could not be prepared.",
    },
    "leave_phone": {
        "ru": "Оставьте, пожалуйста, имя и телефон, чтобы сотрудник мог ответить на вопросы по предложению.",
        "en": "Please leave your name and phone number so that a colleague can answer questions about the proposal.",
    },
    "in_proposal": {"ru": "В нём: {parts}, {period}.", "en": "It has: {parts}, {period}."},
    "proposal_total": {"ru": "Сумма – **{total}**.", "en": "The total is **{total}**."},
    "period_year": {"ru": "оплата за год", "en": "paid yearly"},
    "period_month": {"ru": "оплата помесячно", "en": "paid monthly"},
    "period_none": {"ru": "разовая оплата", "en": "paid once"},
    "leave_phone_call": {
        "ru": "Если удобнее по телефону, оставьте номер.",
        "en": "If you would rather be called, leave your number.",
    },
    "papers_by_person": {
        "ru": "Счёт и договор оформляет сотрудник по готовому расчёту.",
        "en": "Invoices and contracts are drawn up by a colleague from a finished quote.",
    },
    "person_called": {"ru": CALLED["ru"], "en": CALLED["en"]},
    "person_coming": {
        "ru": (
            "Сотрудник уже приглашён и ответит здесь. Пока его нет, спрашивайте меня.",
            "Сотрудник увидит весь разговор и ответит здесь, как только освободится.",
            "Приглашение у сотрудника, ответ придёт в этот же чат.",
        ),
        "en": (
            "A colleague has already been called and will answer here. Until then, ask me.",
            "A colleague will read this chat and answer here as soon as possible.",
            "The colleague has been notified and will answer in this chat.",
        ),
    },
    "person_failed": {
        "ru": "Позвать сотрудника сейчас не получилось, попробуйте, пожалуйста, ещё раз чуть позже.",
        "en": "A colleague could not be called right now; please try again a little later.",
    },
    # --- the one question at the end ---
    "ask_product": {
        "ru": ("Какой продукт вас интересует: {products}?", "Что из этого вам ближе: {products}?"),
        "en": ("Which product are you interested in: {products}?", "Which of these suits you: {products}?"),
    },
    "ask_task": {
        "ru": "В двух словах: какую работу хочется снять с людей – переписку с клиентами, договоры или отчёты?",
        "en": "Tell me in a few words what work you want to hand over: chats with customers, contracts or reports?",
    },
    "ask_volume": {
        "ru": "Сколько {unit} вам нужно?",
        "en": "How many {unit} do you need?",
    },
    "ask_volume_of": {
        "ru": "{product}: сколько {unit} вам нужно?",
        "en": "{product}: how many {unit} do you need?",
    },
    "ask_volume_to_price": {
        "ru": "Назову точную стоимость, если скажете объём: сколько {unit} вам нужно?",
        "en": "I can name the exact price: how many {unit} do you need?",
    },
    "offer_smallest": {
        "ru": "Если объём пока неизвестен, посчитаю по самому маленькому тарифу, его легко поменять.",
        "en": "If you don't know the volume yet, I can quote the smallest tier; it is easy to change.",
    },
    "offer_year": {
        "ru": "При оплате за год действует скидка {percent}. Посчитать за год?",
        "en": "Paying yearly takes {percent} off. Shall I quote it for a year?",
    },
    "offer_year_now": {"ru": "Посчитать за год?", "en": "Shall I quote it for a year?"},
    "offer_period": {
        "ru": "Оставить за год или помесячно?",
        "en": "Shall we keep it for a year or monthly?",
    },
    "offer_proposal": {
        "ru": (
            "Подготовить коммерческое предложение в PDF?",
            "Если всё верно, оформить коммерческое предложение?",
        ),
        "en": ("Shall I prepare a proposal in PDF?", "If that is right, shall I make the proposal?"),
    },
    "offer_proposal_now": {
        "ru": "Оформить этот расчёт как коммерческое предложение?",
        "en": "Shall I turn this quote into a proposal?",
    },
    "offer_person": {
        "ru": ("Позвать сотрудника?", "Передать вопрос сотруднику?", "Пригласить сюда сотрудника?"),
        "en": (
            "Shall I call a colleague?",
            "Shall I pass the question on to a colleague?",
            "Shall I invite a colleague to this chat?",
        ),
    },
    "what_else": {
        "ru": ("Что ещё подсказать?", "О чём ещё рассказать?"),
        "en": ("What else can I tell you?", "What else would you like to know?"),
    },
    "how_help": {"ru": "Чем могу помочь?", "en": "How can I help?"},
    # --- buttons: each is a message that the assistant understands ---
    "chip_what": {"ru": "Что умеет {product}?", "en": "What can {product} do?"},
    "chip_price": {"ru": "Сколько стоит {product}?", "en": "How much is {product}?"},
    "chip_year": {"ru": "А если за год?", "en": "What if I pay yearly?"},
    "chip_month": {"ru": "А если помесячно?", "en": "What if I pay monthly?"},
    "chip_add": {"ru": "Добавить: {what}", "en": "Add {what}"},
    "chip_compare_periods": {"ru": "Сравнить месяц и год", "en": "Compare monthly and yearly"},
    "chip_take_year": {"ru": "На год", "en": "For a year"},
    "chip_take_month": {"ru": "Помесячно", "en": "Monthly"},
    "chip_tier": {"ru": "{product}: тариф «{tier}»", "en": "{product}: {tier} tier"},
    "chip_startup": {"ru": "Мы стартап", "en": "We are a startup"},
    "chip_discounts": {"ru": "Какие есть скидки?", "en": "Which discounts are there?"},
    "chip_unsure": {"ru": "Пока не знаю", "en": "Not sure yet"},
    "chip_proposal": {"ru": "Подготовить предложение", "en": "Prepare a proposal"},
    "agree_word": {"ru": "Согласен", "en": "I agree"},
    "chip_person": {"ru": "Позвать сотрудника", "en": "Talk to a person"},
}

FIELDS: dict[str, dict[Language, str]] = {
    "name": {"ru": "имя", "en": "name"},
    "phone": {"ru": "телефон", "en": "phone number"},
    "email": {"ru": "почта", "en": "e-mail"},
    "company": {"ru": "компания", "en": "company"},
}


def say(phrase: str, language: Language, *, said: Sequence[str] = (), **values: Any) -> str:
    """A phrase with its values filled in, in words that none of the replies ``said`` has yet.

    The values are never read as a pattern. When all has been said, it begins again.
    """
    ways = [words.format(**values) for words in ways_of(phrase, language)]
    fresh = (words for words in ways if not any(words in reply for reply in said))
    return next(fresh, ways[len(said) % len(ways)])


def ways_of(phrase: str, language: Language) -> tuple[str, ...]:
    """Every way in which a phrase is said, with its values still open."""
    words = PHRASES[phrase][language]
    return (words,) if isinstance(words, str) else words


def variants_of(phrase: str) -> tuple[str, ...]:
    """The same in all languages."""
    return tuple(way for language in PHRASES[phrase] for way in ways_of(phrase, language))


def inside(name: str) -> str:
    """A name as it stands inside a sentence: «Интеграция с CRM» → «интеграция с CRM», but «CRM integration»."""
    return name if name[1:2].isupper() else name[:1].lower() + name[1:]


def listed(words: list[str], language: Language) -> str:
    """«A, B и C»."""
    return _joined(words, "and" if language == "en" else "и")


def or_listed(words: list[str], language: Language) -> str:
    """«A, B или C»."""
    return _joined(words, "or" if language == "en" else "или")


def _joined(words: list[str], link: str) -> str:
    return f"{', '.join(words[:-1])} {link} {words[-1]}" if len(words) > 1 else "".join(words)
