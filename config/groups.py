"""The groups of staff and what each may do. Permissions are named as Django names them."""

from __future__ import annotations

from typing import Any

_ALL = ("view", "add", "change", "delete")

GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "Продажи": {
        "sales.lead": ("view", "change"),
        "sales.conversation": ("view", "change"),
        "sales.message": ("view",),
        "sales.consent": ("view",),
        "sales.turn": ("view", "change"),
        "sales.toolcall": ("view",),
        "sales.notice": ("view", "change"),
        "sales.handover": ("view",),
        "sales.duty": ("view",),
        "sales.dutycall": ("view",),
        "channels_app.delivery": ("view",),
        "channels_app.arrival": ("view",),
        "channels_app.avitoitem": ("view",),
        "channels_app.avitosyncrun": ("view",),
        "channels_app.avitopurchase": ("view",),
        "channels_app.autoreply": _ALL,
        "channels_app.autoreplysent": ("view",),
        "sales.leadfact": ("view", "change"),
        "sales.scorerule": ("view",),
        "knowledge.article": ("view", "add", "change"),
        "knowledge.synonyms": _ALL,
        "knowledge.modelprofile": ("view",),
        "knowledge.gap": ("view", "change"),
        "knowledge.inspectedturn": ("view", "again"),
        "knowledge.articlequestion": _ALL,
        "knowledge.evaluationcase": _ALL,
        "knowledge.evaluationturn": _ALL,
        "knowledge.releasecheck": ("view",),
        "pricing.product": ("view",),
        "pricing.tier": ("view",),
        "pricing.service": ("view",),
        "pricing.discount": ("view",),
        "pricing.quote": ("view",),
        "billing.document": ("view", "change"),
        "billing.manager": ("view",),
    },
    "Редактор цен": {
        "pricing.product": _ALL,
        "pricing.tier": _ALL,
        "pricing.service": _ALL,
        "pricing.discount": _ALL,
        "pricing.pricingrules": ("view", "change"),
        "pricing.vatmode": ("view", "add", "change"),
        "pricing.quote": ("view",),
        "knowledge.article": ("view", "change"),
        "knowledge.articlequestion": _ALL,
        "knowledge.releasecheck": ("view",),
    },
    "Бухгалтер": {
        "billing.document": ("view", "change"),
        "billing.seller": ("view", "add", "change"),
        "billing.manager": ("view", "add", "change"),
        "pricing.quote": ("view",),
        "pricing.vatmode": ("view", "add", "change"),
        "sales.lead": ("view",),
    },
    # people and groups too, but not the superuser's right to everything
    "Администратор": {"*": _ALL},
}


def make_groups() -> None:
    """Make the groups that are missing; those that exist stay as staff have set them."""
    from django.contrib.auth.models import Group

    for name, wanted in GROUPS.items():
        group, created = Group.objects.get_or_create(name=name)
        if created:
            group.permissions.set(_permissions(wanted))


def _permissions(wanted: dict[str, tuple[str, ...]]) -> list[Any]:
    from django.contrib.auth.models import Permission

    ours = ("sales", "pricing", "knowledge", "billing", "crm", "channels_app", "auth", "django_celery_beat")
    known = {
        f"{each.content_type.app_label}.{each.codename}": each
        for each in Permission.objects.select_related("content_type").filter(content_type__app_label__in=ours)
    }
    if "*" in wanted:
        return list(known.values())
    names = [f"{model.split('.')[0]}.{verb}_{model.split('.')[1]}" for model, verbs in wanted.items() for verb in verbs]
    return [known[name] for name in names]
