"""Telegram's limits, kept before it has to say so: one a second in a chat, thirty in all, twenty a minute in a group.

Each send takes the next free place in the line of its chat and of the bot, and waits for it; where that is far off it
comes again later. The lines are in Valkey, for all workers together. Without it each process keeps lines of its own,
which are right for one worker and too generous for many: then Telegram's own word (429) is what slows us down.
"""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass, field
from functools import cache

import redis
from django.conf import settings

from common.problems import TemporaryProblem

#: milliseconds between two messages
IN_A_CHAT, IN_A_GROUP, IN_ALL = 1000, 3000, 34
#: how long a send waits for its place, in milliseconds
PATIENCE = 2500
#: seconds for which nobody asks a store that was just found away
QUIET_AFTER_FAILURE = 2.0

# KEYS: lines. ARGV: patience, then the space of each line. The farthest place counts, and all lines are moved to it, or
# none is where it is too far off. Answers with the milliseconds to wait, and whether the place is ours.
_PLACE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local place = now
for i, key in ipairs(KEYS) do
  local free = tonumber(redis.call('GET', key) or 0)
  if free > place then place = free end
end
local wait = place - now
if wait > tonumber(ARGV[1]) then return {wait, 0} end
for i, key in ipairs(KEYS) do
  local space = tonumber(ARGV[i + 1])
  redis.call('SET', key, place + space, 'PX', wait + space + 1000)
end
return {wait, 1}
"""
_HOLD = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local until_ = now + tonumber(ARGV[1])
local free = tonumber(redis.call('GET', KEYS[1]) or 0)
if until_ > free then redis.call('SET', KEYS[1], until_, 'PX', tonumber(ARGV[1]) + 1000) end
return 1
"""


@dataclass
class _Own:
    """Lines of this process, where Valkey is away."""

    lines: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    quiet_until: float = 0.0

    def place(self, spaces: dict[str, int]) -> tuple[float, bool]:
        now = time.monotonic() * 1000
        with self.lock:
            for key in [key for key, free in self.lines.items() if free < now]:
                del self.lines[key]
            place = max([now, *(self.lines.get(key, 0.0) for key in spaces)])
            if place - now > PATIENCE:
                return place - now, False
            for key, space in spaces.items():
                self.lines[key] = place + space
            return place - now, True

    def hold(self, key: str, milliseconds: float) -> None:
        with self.lock:
            self.lines[key] = max(self.lines.get(key, 0.0), time.monotonic() * 1000 + milliseconds)


_own = _Own()


def wait_for_place(chat: int) -> None:
    """Wait until a message may be sent to the chat. Raises ``TemporaryProblem`` where that is far off."""
    spaces = {_line(chat): IN_A_GROUP if chat < 0 else IN_A_CHAT, _line(None): IN_ALL}
    wait, ours = _place(spaces)
    if not ours:
        raise TemporaryProblem("telegram's limits", retry_after=wait / 1000)
    if wait > 0:
        time.sleep(wait / 1000)


def hold(chat: int, seconds: float) -> None:
    """Telegram has asked to wait for this chat."""
    milliseconds = min(seconds, 3600) * 1000
    _own.hold(_line(chat), milliseconds)
    if time.monotonic() < _own.quiet_until:
        return
    try:
        _client().eval(_HOLD, 1, _line(chat), int(milliseconds))
    except redis.RedisError:
        _own.quiet_until = time.monotonic() + QUIET_AFTER_FAILURE


def _place(spaces: dict[str, int]) -> tuple[float, bool]:
    if time.monotonic() >= _own.quiet_until:
        try:
            wait, ours = _client().eval(_PLACE, len(spaces), *spaces, PATIENCE, *spaces.values())  # type: ignore[misc]
        except redis.RedisError:
            _own.quiet_until = time.monotonic() + QUIET_AFTER_FAILURE
        else:
            return float(wait), bool(ours)
    return _own.place(spaces)


def _line(chat: int | None) -> str:
    """A chat's number is personal data: Valkey gets a digest of it."""
    name = f"telegram\0{settings.TELEGRAM_BOT_TOKEN.partition(':')[0]}\0{'' if chat is None else chat}"
    return f"flood:{hmac.digest(settings.BLIND_INDEX_KEY, name.encode(), 'sha256').hex()[:32]}"


@cache
def _pool(url: str) -> redis.ConnectionPool:
    return redis.ConnectionPool.from_url(url, socket_timeout=0.5, socket_connect_timeout=0.5, max_connections=32)


def _client() -> redis.Redis:
    return redis.Redis(connection_pool=_pool(settings.REDIS_URL))
