"""The four vendors as rows. Those that are there already stay as staff have set them."""

from django.db import migrations

ESTIMATE = "Цены – оценка на ноябрь 2026 года, взятая с запасом: впишите цены своего договора, по ним считается бюджет."

VENDORS = (
    {
        "slug": "openai",
        "title": "OpenAI",
        "position": 10,
        "dialect": "openai",
        "model_variable": "OPENAI_MODEL",
        "url_variable": "OPENAI_BASE_URL",
        "key_variable": "OPENAI_API_KEY",
        "options": {"answer_limit": "max_completion_tokens", "stream": True, "stream_usage": True},
        "price_in": 300,
        "price_cached": 75,
        "price_out": 1500,
        "context_tokens": 32_000,
        "answer_tokens": 2_000,
        "region": "abroad",
    },
    {
        "slug": "anthropic",
        "title": "Anthropic",
        "position": 20,
        "dialect": "anthropic",
        "model_variable": "ANTHROPIC_MODEL",
        "url_variable": "ANTHROPIC_BASE_URL",
        "key_variable": "ANTHROPIC_API_KEY",
        "options": {"stream": True},
        "price_in": 350,
        "price_cached": 35,
        "price_out": 1800,
        "context_tokens": 32_000,
        "answer_tokens": 1_200,
        "region": "abroad",
    },
    {
        "slug": "yandexgpt",
        "title": "YandexGPT",
        "position": 30,
        "dialect": "yandexgpt",
        "model_variable": "YANDEXGPT_MODEL",
        "url_variable": "YANDEXGPT_BASE_URL",
        "key_variable": "YANDEXGPT_API_KEY",
        "options": {
            "answer_limit": "max_tokens",
            "tool_ids": False,
            "stream": True,
            "stream_usage": False,
            "project": "${YANDEXGPT_FOLDER_ID}",
            "headers": {"x-data-logging-enabled": "false"},
        },
        "price_in": 1200,
        "price_cached": 1200,
        "price_out": 1200,
        "context_tokens": 24_000,
        "answer_tokens": 1_200,
        "region": "ru",
    },
    {
        "slug": "gigachat",
        "title": "GigaChat",
        "position": 40,
        "dialect": "gigachat",
        "model_variable": "GIGACHAT_MODEL",
        "url_variable": "GIGACHAT_BASE_URL",
        "key_variable": "GIGACHAT_CREDENTIALS",
        "options": {"stream": True, "scope": "${GIGACHAT_SCOPE}", "auth_url": "${GIGACHAT_AUTH_URL}"},
        "price_in": 1500,
        "price_cached": 1500,
        "price_out": 1500,
        "context_tokens": 24_000,
        "answer_tokens": 1_200,
        "region": "ru",
    },
)


def make(apps, schema_editor):
    profile = apps.get_model("knowledge", "ModelProfile")
    for vendor in VENDORS:
        values = {key: value for key, value in vendor.items() if key != "slug"}
        profile.objects.get_or_create(slug=vendor["slug"], defaults={**values, "note": ESTIMATE})
    apps.get_model("knowledge", "ModelBudget").objects.get_or_create(pk=1)


class Migration(migrations.Migration):

    dependencies = [("knowledge", "0006_language_models")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop, elidable=False)]
