"""Floor 1: the wire, sans I/O. Bytes and times go in as arguments, messages come out."""
