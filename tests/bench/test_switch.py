from bench.switch import MOST, verdicts


def rows(**changes):
    return [{"what": what, "max": 0.0} | changes.get(what, {}) for what in MOST]


def test_the_worst_is_held_against_what_was_wanted():
    assert all(line.endswith(": holds") for line in verdicts(rows()))
    lines = verdicts(rows(lost={"max": 1}))
    assert [line for line in lines if "NOT" in line] == ["lost: 1 at most; wanted 0: DOES NOT HOLD"]
