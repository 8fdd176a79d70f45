"""Floor 6: the composition root. Puts adapters, sessions and routes together."""
