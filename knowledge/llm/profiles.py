"""The chain in force: which models are asked, in which order, and what is in the way of the others."""

from __future__ import annotations

from django.conf import settings

from knowledge.llm.chat import Profile
from knowledge.llm.models import DialectName, ModelProfile
from knowledge.llm.options import VARIABLES, filled

#: between the folder and the model of an address
_SCHEME = "gpt://"


def chain() -> list[Profile]:
    """The models in force by their places, without the one that needs no key. One query."""
    return [profile_of(row) for row in ModelProfile.objects.filter(is_active=True) if not off(row)]


def by_slug(slug: str) -> Profile | None:
    """The model of that name, in the chain or not; none where there is no such row, or it lacks its key."""
    row = ModelProfile.objects.filter(slug=slug).first()
    return None if row is None or off(row, active=True) else profile_of(row)


def usable() -> list[Profile]:
    """Every model that could be asked now, those that staff took out of the chain too."""
    return [profile_of(row) for row in ModelProfile.objects.all() if not off(row, active=True)]


def off(row: ModelProfile, *, active: bool = False) -> str:
    """Why a model isn't asked, in a few words; empty when it is. ``active`` overlooks that staff took it out."""
    if not (active or row.is_active):
        return "switched off by staff"
    if row.key_variable and not _key(row):
        return "no key"
    if row.dialect == DialectName.YANDEXGPT and _SCHEME not in _model(row):
        return "no folder"
    if not _model(row) or not row.address:
        return "no model" if not _model(row) else "no address"
    return ""


def profile_of(row: ModelProfile) -> Profile:
    """A row with what its variables say now. The key is in no ``repr`` of it."""
    key = _key(row)
    values = {name: str(getattr(settings, name)) for name in VARIABLES} | {"KEY": key}
    return Profile(
        id=row.pk,
        slug=row.slug,
        dialect=row.dialect,
        model=_model(row),
        base_url=row.address,
        key=key,
        options=filled(row.options, values),
        personal_data=row.sees_personal_data,
        context_tokens=row.context_tokens,
        answer_tokens=row.answer_tokens,
        price_in=row.price_in,
        price_cached=row.price_cached,
        price_out=row.price_out,
    )


def is_paid(profile: Profile) -> bool:
    """Whether a call costs anything; a model of our own has no price."""
    return bool(profile.price_in or profile.price_out)


def foreign_keys_set() -> list[str]:
    """Variables with a key of a vendor abroad that are set."""
    return [name for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY") if getattr(settings, name)]


def _key(row: ModelProfile) -> str:
    if row.key_variable in settings.MODEL_KEY_VARIABLES:
        return str(getattr(settings, row.key_variable))
    return str(settings.MODEL_KEYS.get(row.key_variable, ""))


def _model(row: ModelProfile) -> str:
    named = row.model_variable in settings.MODEL_ID_VARIABLES
    model: str = row.model or (getattr(settings, row.model_variable) if named else "")
    if row.dialect == DialectName.YANDEXGPT and model and "://" not in model and settings.YANDEXGPT_FOLDER_ID:
        return f"{_SCHEME}{settings.YANDEXGPT_FOLDER_ID}/{model}"
    return model
