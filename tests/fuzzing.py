"""How much is tried where hypothesis looks for a fault: the same every time, and bounded."""

import hypothesis


def bounded(examples: int = 40) -> hypothesis.settings:
    return hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
    )


BOUNDED = bounded()
