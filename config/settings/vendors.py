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
