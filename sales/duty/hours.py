"""Who is on duty now, and when somebody will be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from sales.duty.models import Duty

_ON = ("в понедельник", "во вторник", "в среду", "в четверг", "в пятницу", "в субботу", "в воскресенье")
_DAYS = ("on Monday", "on Tuesday", "on Wednesday", "on Thursday", "on Friday", "on Saturday", "on Sunday")

LATER = {
    "ru": "Сейчас нерабочее время: сотрудник ответит {when}.",
    "en": "It is after hours now: a colleague will answer {when}.",
}


def active() -> list[Duty]:
    return list(Duty.objects.filter(is_active=True, member__is_active=True).select_related("member"))


def on_duty(duties: Iterable[Duty], now: datetime) -> list[Duty]:
    """Those whose hours it is, in their order."""
    return [duty for duty in duties if any(begins <= now < ends for begins, ends in _spans(duty, now))]


def next_begin(duties: Iterable[Duty], now: datetime) -> datetime | None:
    """When the next hours begin; None where nobody has any."""
    return min((begins for duty in duties for begins, _ends in _spans(duty, now) if begins > now), default=None)


def later(now: datetime, *, language: str = "ru") -> str:
    """What a customer is told of when a person will answer; empty while somebody is on duty, or hours aren't kept."""
    duties = active()
    begins = next_begin(duties, now)
    if begins is None or on_duty(duties, now):
        return ""
    return LATER["en" if language == "en" else "ru"].format(when=_when(begins, now, language))


def _when(begins: datetime, now: datetime, language: str) -> str:
    local = timezone.localtime(begins)
    days = (local.date() - timezone.localtime(now).date()).days
    clock = f"{local.hour}:{local:%M}"
    if language == "en":
        day = {0: "today", 1: "tomorrow"}.get(days, _DAYS[local.weekday()])
        return f"{day} from {clock}"
    return f"{ {0: 'сегодня', 1: 'завтра'}.get(days, _ON[local.weekday()]) } с {clock}"


def _spans(duty: Duty, now: datetime) -> list[tuple[datetime, datetime]]:
    """The hours from yesterday, as a night may have begun then, to a week from now."""
    zone = ZoneInfo(duty.time_zone)
    today = now.astimezone(zone).date()
    return [
        _span(duty, day, zone)
        for each in range(-1, 8)
        if (day := today + timedelta(days=each)).weekday() in duty.weekdays
    ]


def _span(duty: Duty, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    ends_on = day if duty.ends > duty.begins else day + timedelta(days=1)
    return datetime.combine(day, duty.begins, zone), datetime.combine(ends_on, duty.ends, zone)
