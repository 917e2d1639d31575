"""Vendors of the knowledge base: a key is the switch. Without one the product works without the vendor."""

from __future__ import annotations

from common import env

OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.url("OPENAI_BASE_URL", "https://api.openai.com/v1")

# --- embeddings -------------------------------------------------------------------------------------------------
OPENAI_EMBEDDING_MODEL = env.text("OPENAI_EMBEDDING_MODEL", "text-embedding-3-small")
#: numbers in a vector: what the model gives, or for OpenAI's third generation what it is asked to give
OPENAI_EMBEDDING_DIMENSIONS = env.number("OPENAI_EMBEDDING_DIMENSIONS", default=1536, least=8, most=1536)
#: by the first word of an embedder's name: who makes it from the rest, or says that it is off
EMBEDDERS = {"openai": "knowledge.embedding.openai.embedder"}
#: the name of the embedder that new vectors come from; see ``knowledge.embedding.registry``
EMBEDDER = f"openai/{OPENAI_EMBEDDING_MODEL}/{OPENAI_EMBEDDING_DIMENSIONS}" if OPENAI_API_KEY else ""

# --- language models --------------------------------------------------------------------------------------------
# Each is a row of `knowledge.ModelProfile` that names these variables; staff may put another model id or address
# there. A model without its key is off.
OPENAI_MODEL = env.text("OPENAI_MODEL", "gpt-6.1-terra")

ANTHROPIC_API_KEY = env.text("ANTHROPIC_API_KEY")
ANTHROPIC_BASE_URL = env.url("ANTHROPIC_BASE_URL", "https://api.anthropic.com")
ANTHROPIC_MODEL = env.text("ANTHROPIC_MODEL", "claude-sonnet-5-5")

YANDEXGPT_API_KEY = env.text("YANDEXGPT_API_KEY")
YANDEXGPT_FOLDER_ID = env.text("YANDEXGPT_FOLDER_ID")
YANDEXGPT_BASE_URL = env.url("YANDEXGPT_BASE_URL", "https://ai.api.cloud.yandex.net/v1")
#: the model's name in the folder, or its whole address that begins with gpt://
YANDEXGPT_MODEL = env.text("YANDEXGPT_MODEL", "yandexgpt/latest")

GIGACHAT_CREDENTIALS = env.text("GIGACHAT_CREDENTIALS")
GIGACHAT_SCOPE = env.text("GIGACHAT_SCOPE", "GIGACHAT_API_B2B")
GIGACHAT_MODEL = env.text("GIGACHAT_MODEL", "GigaChat-2-Pro")
GIGACHAT_BASE_URL = env.url("GIGACHAT_BASE_URL", "https://gigachat.devices.sberbank.ru/api/v1")
GIGACHAT_AUTH_URL = env.url("GIGACHAT_AUTH_URL", "https://ngw.devices.sberbank.ru:9443/api/v2/oauth")

#: keys of further servers, for profiles that staff add: each variable that begins so, by its name
MODEL_KEYS = env.beginning(prefix="MODEL_KEY_")
#: what a profile may name: a key, a model id, an address. Nothing else of the environment can be reached from a row
MODEL_KEY_VARIABLES = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "YANDEXGPT_API_KEY", "GIGACHAT_CREDENTIALS")
MODEL_ID_VARIABLES = ("OPENAI_MODEL", "ANTHROPIC_MODEL", "YANDEXGPT_MODEL", "GIGACHAT_MODEL")
MODEL_URL_VARIABLES = ("OPENAI_BASE_URL", "ANTHROPIC_BASE_URL", "YANDEXGPT_BASE_URL", "GIGACHAT_BASE_URL")

#: seconds that one call of a model may take
MODEL_CALL_SECONDS = env.number("MODEL_CALL_SECONDS", default=20, least=1, most=20)
#: seconds that all models of a turn may take together: its lease is 45 s, and the reply has to be stored in it
MODEL_TURN_SECONDS = env.number("MODEL_TURN_SECONDS", default=38, least=1, most=40)

# --- evaluation -------------------------------------------------------------------------------------------------
#: of the cases that come with the product, so many are run in a check before publishing beside all of staff
CHECK_SHIPPED_CASES = env.number("CHECK_SHIPPED_CASES", default=100, most=10_000)
