"""Floor 5: live performances and those who watch them. Knows the ports, not their adapters."""
