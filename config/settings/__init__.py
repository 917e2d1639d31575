"""Settings, from the environment and nowhere else. Each topic has a file of its own; an error here says what to do."""

from .core import *
from .delivery import *
from .admin import *
from .observability import *
from .vendors import *
from .channels import *
