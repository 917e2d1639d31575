"""What a conversation tells about the lead, as facts that quote it, and the score that staff's rules make of them."""
