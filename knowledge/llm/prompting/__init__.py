"""What a language model is shown: prompt templates by version, history within a budget, what is known, citations.

``prompt_for`` makes the whole of it. The order is for vendors' caches, which read a request from its beginning for as
long as it is the same, byte for byte, as one before: instructions and tools, equal for everybody; the talk, to which
messages are only added; and last what changes from turn to turn.
"""

from knowledge.llm.prompting.rendering import prompt_for
from knowledge.llm.prompting.templates import VERSION, fingerprint, system_text, using, version, versions

__all__ = ["VERSION", "fingerprint", "prompt_for", "system_text", "using", "version", "versions"]
