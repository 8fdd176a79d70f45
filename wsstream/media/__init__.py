"""Floor 2: pictures and sound. What is encoded, timed and buffered, with no idea of who watches."""
