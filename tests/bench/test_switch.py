from bench.switch import MOST, verdicts


def rows(**changes):
    found = {what: {"what": what, "p95": 0.0, "max": 0.0} for what, *_ in MOST}
    for what, change in changes.items():
        found[what] |= change
    return list(found.values())


def test_figures_are_held_against_what_was_wanted():
    assert all(line.endswith(": holds") for line in verdicts(rows()))
    lines = verdicts(rows(lost={"max": 1}))
    assert [line for line in lines if "NOT" in line] == [
        "lost, max: 1; wanted at most 0: DOES NOT HOLD"
    ]
    assert "A/V skew ms, p95: 41; wanted at most 40: DOES NOT HOLD" in verdicts(
        rows(**{"A/V skew ms": {"p95": 41}})
    )
