"""Many ways to write one phone number, e-mail address or amount."""

from __future__ import annotations

from random import Random

_ONES = "ноль один два три четыре пять шесть семь восемь девять".split()  # noqa: SIM905
_TEENS = (  # noqa: SIM905
    "десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать"
).split()
_TENS = "_ _ двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто".split()  # noqa: SIM905
_HUNDREDS = "_ сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот".split()  # noqa: SIM905


def in_words(digits: str) -> str:
    """A group of up to three digits as it is said: «ноль семь», «сто двадцать три»."""
    said = []
    while len(digits) > 1 and digits[0] == "0":
        said.append("ноль")
        digits = digits[1:]
    number = int(digits)
    if number >= 100:
        said.append(_HUNDREDS[number // 100])
        number %= 100
        if not number:
            return " ".join(said)
    if 10 <= number < 20:
        return " ".join([*said, _TEENS[number - 10]])
    if number >= 20:
        said.append(_TENS[number // 10])
        number %= 10
        if not number:
            return " ".join(said)
    return " ".join([*said, _ONES[number]])


def phones(digits: str) -> list[str]:
    """The ten digits of a Russian number as people write them."""
    a, b, c, d = digits[:3], digits[3:6], digits[6:8], digits[8:]
    spoken = [in_words(each) for each in (a, b, c, d)]
    return [
        f"+7{digits}",
        f"8{digits}",
        digits,
        f"8 ({a}) {b}-{c}-{d}",
        f"+7 ({a}) {b} {c} {d}",
        f"+7-{a}-{b}-{c}-{d}",
        f"8.{a}.{b}.{c}.{d}",
        f"8 {a} {b}{c}{d}",
        f"{a} {b} {c} {d}",
        f"{a}-{b}-{c}-{d}",
        f"8{a} {b} {c}{d}",
        f"+ 7 {a} {b} {c} {d}",
        f"7{digits}",
        " ".join(f"8{digits}"),
        "-".join(f"8{digits}"),
        f"8, {a}, {b}, {c}, {d}",
        f"8/{a}/{b}/{c}/{d}",
        f"8_{a}_{b}_{c}_{d}",
        f"8\u00a0{a}\u00a0{b}\u2011{c}\u2011{d}",
        f"8 {a} {b[:2]} {b[2]}{c[0]} {c[1]}{d}",
        f"8{a}-{b}{c}{d}",
        "восемь " + " ".join(spoken),
        "плюс семь " + ", ".join(spoken),
        "восемь-" + "-".join(each.replace(" ", "-") for each in spoken),
        "восемь " + " ".join(_ONES[int(each)] for each in digits),
        f"8 {a} {spoken[1]} {c} {spoken[3]}",
        f"восемь {a} {b} {c} {d}",
        f"Восемь {spoken[0]}... {spoken[1]} {spoken[2]} {spoken[3]}",
        "".join(chr(ord(each) + 0xFEE0) for each in f"8{digits}"),
        " ".join(f"{each}\ufe0f\u20e3" for each in f"8{digits}"),
        f"8({a}){b}–{c}–{d}",
        f"8 {a} {b} {c} {d} доб. 214",
    ]


def emails(name: str, surname: str, number: int) -> list[str]:
    """An address of a person as people write it."""
    return [
        f"{name}.{surname}@mail.ru",
        f"{name}{number}@yandex.ru",
        f"{name.upper()}_{surname}@GMAIL.COM",
        f"{name}-{surname}{number}@corp-site{number}.example.com",
        f"{name}.{surname}+shop@gmail.com",
        f"{name} собака mail.ru",
        f"{name}{number} собака mail точка ру",
        f"{name} точка {surname} собака яндекс точка ру",
        f"{name}.{surname}(собака)bk.ru",
        f"{name}[at]{surname}.com",
        f"{name}{number} [at] mail [dot] ru".replace("[dot]", "dot"),
        f"{name} @ mail.ru",
        f"{name}@ mail.ru",
        f"{name} @mail.ru",
        f"{name}.{surname}@mail,ru",
        f"{name}@mail точка ru",
        f"{name}_{surname} собачка gmail точка com",
        f"{name} нижнее подчеркивание {surname} собака mail точка ру",
        f"{name}{number} at gmail dot com",
        " ".join(f"{name}@mail.ru"),
        f"{name}{number}@mail . ru",
        f"{name}{number}@mailru",
        f"{name}.{surname}@компания{number}.рф",
    ]


def some(writings: list[str], dice: Random) -> str:
    return dice.choice(writings)
