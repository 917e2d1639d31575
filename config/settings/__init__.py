"""Settings, from the environment and nowhere else. Each topic has a file of its own; an error here says what to do."""

from .core import *  # noqa: F403  settings modules are read by name
from .delivery import *  # noqa: F403
from .admin import *  # noqa: F403
from .observability import *  # noqa: F403
