"""What the fuzz tests share: budgets, and text and JSON as strangers write them.

The suite tries a hundred examples of each; `endless.py` goes on until something is found. What is
found becomes a case of its own beside the code, or an `@example` here.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "endless",
    settings.get_profile("ticks"),
    max_examples=3_000,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
