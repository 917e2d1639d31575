"""What is counted. Labels never hold ids or text, so their number stays small."""

from prometheus_client import Counter, Histogram

rings_failed_total = Counter("rings_failed_total", "Rings of the doorbell that no broker took.", ["task"])
messages_total = Counter("messages_total", "Messages stored.", ["channel", "author"])
turns_total = Counter("turns_total", "Turns of the assistant by their end.", ["outcome"])
turn_seconds = Histogram("turn_seconds", "From taking a turn to its stored reply, in seconds.")
sweep_seconds = Histogram("sweep_seconds", "One look of the sweep over everything owed, in seconds.")
