"""What people use today, each in an environment of its own, fed the same pictures and sound.

``serve_*.py`` are programs, not modules: they run where wsstream is not installed.
"""
