"""Measurements: each file is an argument with numbers. Results are in bench/README.md."""
