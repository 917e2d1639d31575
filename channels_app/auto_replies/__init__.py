"""What staff let the assistant say unasked: rules, and the sweep that follows them."""
