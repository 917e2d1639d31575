"""What follows from an article's text is kept beside it: codes of placeholders, links to articles, typed figures."""

from __future__ import annotations

import re
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

_PLACEHOLDER = re.compile(
    r"\{\{[ \t]*((?:price|limit|service|discount|tiers):[a-z0-9_]+(?:\.[a-z0-9_]+)?|cap)[ \t]*\}\}"
)
_TEXTS = ArrayField(models.TextField(), blank=True, default=list, editable=False)


def read_placeholders(apps: Any, schema_editor: Any) -> None:
    """Articles that are there already; their typed figures are read when they are next saved."""
    articles = apps.get_model("knowledge", "Article").objects.filter(body__contains="{{").only("title", "body")
    for article in articles.iterator():
        article.placeholder_codes = list(dict.fromkeys(_PLACEHOLDER.findall(f"{article.title}\n{article.body}")))
        article.save(update_fields=["placeholder_codes"])


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0004_evaluation")]

    operations = [
        *(
            migrations.AddField(
                model,
                "own_figures",
                ArrayField(
                    models.CharField(max_length=100),
                    blank=True,
                    default=list,
                    help_text="Amounts, percentages and volumes in the text that aren't our prices, one a line.",
                    verbose_name="figures of its own",
                ),
            )
            for model in ("article", "historicalarticle")
        ),
        *(migrations.AddField("article", name, _TEXTS) for name in ("placeholder_codes", "linked", "typed_figures")),
        migrations.RunPython(read_placeholders, migrations.RunPython.noop, elidable=True),
    ]
