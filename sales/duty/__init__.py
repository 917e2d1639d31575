"""Who is on duty, when, and how they are called."""
