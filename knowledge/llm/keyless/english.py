"""English questions in the words of Russian articles, for the search: a table of what is asked about, word by word."""

from __future__ import annotations

import re

_WORDS = """
data данные; personal персональные; stored хранятся; store хранить; storage хранение; where где; server сервер;
servers серверы; russia Россия; security безопасность; secure безопасность; safe защита данные; protect защита;
protected защита; encrypted шифрование; encryption шифрование; privacy персональные данные; delete удалить;
gdpr 152-ФЗ; integrate интеграция; integration интеграция; integrations интеграции; amocrm amoCRM;
bitrix Битрикс24; bitrix24 Битрикс24; connect подключить; api API; telegram Telegram; whatsapp WhatsApp;
avito Авито; website сайт; site сайт; channels каналы; channel канал; messenger мессенджер; onboarding внедрение;
rollout внедрение; setup внедрение; implementation внедрение; launch запуск; start начать; included входит;
include входит; includes входит; long сколько времени; time срок; fast быстро; quickly быстро; weeks недель;
training обучение; train обучение; support поддержка; hours часы; night ночью; weekend выходные; weekends выходные;
pay оплатить; payment оплата; card картой; invoice счёт; bank счёт; contract договор; agreement договор;
documents документы; refund возврат; money деньги; trial пробный период; free бесплатно; demo демонстрация;
try попробовать; limit лимит; exceed закончится; exceeded закончится; upgrade сменить тариф; change сменить;
switch сменить; tier тариф; plan тариф; chatbot чат-бот; bot бот; chatgpt ChatGPT; model модель; neural нейросеть;
llm нейросеть; mistakes ошибки; mistake ошибка; wrong ошибиться; errors ошибки; accurate точность; languages языки;
language язык; english английский; voice голосовые; images картинки; photos фото; guarantee гарантии;
guarantees гарантии; clients клиенты; customers клиенты; cases примеры; case пример; example пример;
examples примеры; crm CRM; vat НДС; tax налог; employees сотрудники; staff сотрудники; human человек;
operator сотрудник; sales продажи; lawyer юрист; analyst аналитик; manager менеджер; reports отчёты; report отчёт;
contracts договоры; check проверяет; review проверяет; scans сканы; sources источники; knowledge база; base знаний;
upload загрузить; update обновить; small маленькая; company компания; business бизнес; shop магазин;
difference отличие; different отличается; compare отличие; installment рассрочка; cancel отменить; stop остановить;
outage сбой; down не работает; sla SLA; nda NDA; own собственный; premise собственный сервер; custom доработка;
development доработка; work работает; works работает; answer отвечает; answers отвечает; read читает; see видит;
access доступ; who кто; learn учится; trained обучение; startup стартап; discount скидка; conversation диалог;
count считается; counts считается
"""
_RUSSIAN = {
    english: russian
    for pair in _WORDS.replace("\n", " ").split(";")
    for english, _, russian in [pair.strip().partition(" ")]
}


def in_russian(text: str) -> str:
    """What of an English text articles may be found by; nothing where no word of it is known."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return " ".join(dict.fromkeys(_RUSSIAN[word] for word in words if word in _RUSSIAN))
