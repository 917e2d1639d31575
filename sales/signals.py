"""Facts others may hear. Each is sent inside the transaction that made it true."""

from django.dispatch import Signal

message_stored = Signal()
"""A message of any author was stored. Arguments: ``conversation``, ``message``."""

reply_ready = Signal()
"""The assistant or an operator has answered. Arguments: ``conversation``, ``message``, and ``turn``,
which is None for an operator."""

turn_started = Signal()
"""A worker begins to answer; sent outside any transaction. Arguments: ``conversation_id``, ``turn``."""

turn_ended = Signal()
"""A worker that has begun to answer is done with it, however it went; sent by the same process, outside any
transaction. Arguments: ``turn``."""

mode_changed = Signal()
"""The conversation is now led by someone else. Arguments: ``conversation``."""

lead_changed = Signal()
"""A lead was made, or what we know of it has changed. Arguments: ``lead``, ``created``."""

reply_growing = Signal()
"""Words of an answer that is being written; sent outside any transaction, stored nowhere, replaced by the reply.
Arguments: ``conversation_id``, ``channel``, ``turn`` (names the draft: another name is another draft, which takes the
place of the one before), ``at`` (how many characters of this draft were told before), ``text`` (real values)."""
