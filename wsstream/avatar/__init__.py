"""Avatar engines: sound in, pictures of a face out. ``base`` is the port, the rest are adapters."""
