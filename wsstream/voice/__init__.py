"""Voices: text in, sound out. ``base`` is the port, the rest are adapters."""
