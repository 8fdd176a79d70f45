from __future__ import annotations

from wsstream.avatar.portrait.rig import Rig, RigCache


def test_a_rig_is_made_once(ada: Rig) -> None:
    made, cache = [], RigCache(2)

    def make() -> Rig:
        made.append(1)
        return ada

    assert cache.get(("a",), make) is cache.get(("a",), make)
    assert len(made) == 1


def test_the_one_not_used_longest_goes_first(ada: Rig) -> None:
    made: list[str] = []
    cache = RigCache(2)

    def get(name: str) -> None:
        cache.get((name,), lambda: made.append(name) or ada)  # type: ignore[func-returns-value]

    for name in ("a", "b", "a", "c", "a", "b"):
        get(name)
    assert made == ["a", "b", "c", "b"]
