"""Ways to a viewer. ``base`` is the port, the rest are adapters."""
