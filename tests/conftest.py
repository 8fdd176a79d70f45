"""What every test shares: hypothesis finds the same examples each time, and few of them."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "wsstream",
    derandomize=True,
    database=None,
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("wsstream")
