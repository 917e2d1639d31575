"""An answer taken apart for the staff: who gave it, on what it rests, what it cost, and the same asked for again."""
