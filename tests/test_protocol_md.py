"""protocol.md says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from wsstream import errors
from wsstream.protocol import messages, states
from wsstream.protocol.frames import FrameType

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "protocol.md").read_text()


def dumps() -> list[str]:
    """The hex dumps of the text, each as one string: runs of indented lines of hex pairs."""
    found: list[str] = []
    running = False
    for line in TEXT.splitlines():
        is_hex = re.fullmatch(r"    (?:[0-9a-f]{2} {0,2})+", line) is not None
        if is_hex:
            digits = re.sub(r"\s", "", line)
            found = [*found[:-1], found[-1] + digits] if running else [*found, digits]
        running = is_hex
    return found


def test_every_hex_dump_is_a_golden_vector() -> None:
    vectors = json.loads((ROOT / "tests/vectors/frames.json").read_text())
    golden = {vector["hex"] for vector in vectors}
    assert len(dumps()) >= 5
    assert [dump for dump in dumps() if dump not in golden] == []


def test_every_frame_type_is_in_the_table() -> None:
    for kind in FrameType:
        assert f"| 0x{kind:02x} | {kind.name} |" in TEXT


def test_every_message_and_field_is_described() -> None:
    for kind in (*messages.ClientMessage.__args__, *messages.ServerMessage.__args__):
        tag = kind.__struct_config__.tag
        rows = "".join(line for line in TEXT.splitlines() if line.startswith(f"| `{tag}` |"))
        for field in kind.__struct_fields__:
            assert re.search(rf"`{field}\b", rows), (kind, field)


def test_the_limits_of_fields_are_told() -> None:
    (short,), (millis,) = messages.ShortText.__metadata__, messages.Millis.__metadata__
    for limit in (short.max_length, round(millis.le)):
        assert f"{limit:,}".replace(",", " ") in chapter("Text messages")


def chapter(title: str) -> str:
    """By its title."""
    after = re.split(rf"^## \d+\. {title}\n", TEXT, flags=re.MULTILINE)[1]
    return re.split(r"^## ", after, flags=re.MULTILINE)[0]


def test_the_table_of_states_is_the_one_that_the_code_has() -> None:
    assert f"\n\n{states.table_markdown()}\n\n" in chapter("Upgrade")


def test_every_message_of_the_upgrade_has_its_fields() -> None:
    kinds = ("Offer", "Answer", "Candidate", "Rtp", "Switched", "Media")
    lines = chapter("Upgrade").splitlines()
    for kind in (getattr(messages, name) for name in kinds):
        [row] = [line for line in lines if line.startswith(f"| `{kind.__struct_config__.tag}` |")]
        for field in kind.__struct_fields__:
            assert re.search(rf"`{field}\b", row), (kind, field)
    for field in messages.WebrtcInfo.__struct_fields__:
        assert f"`{field}`" in chapter("Upgrade"), field


def test_every_reason_to_end_an_attempt_is_described() -> None:
    source = (ROOT / "wsstream/session/upgrade.py").read_text()
    codes = set(re.findall(r'_refuse\("(\w+)"', source))
    assert codes == set(re.findall(r"^\| `(\w+)` \| [^|]*\|$", chapter("Upgrade"), re.MULTILINE))


def test_the_table_of_contents_is_that_of_the_chapters() -> None:
    contents = re.findall(r"^(\d+)\. \[(.*)\]", TEXT, re.MULTILINE)
    assert contents == re.findall(r"^## (\d+)\. (.*)", TEXT, re.MULTILINE)


def test_every_close_code_is_in_the_table() -> None:
    kinds = [errors.Refused, *errors.Refused.__subclasses__()]
    for kind in kinds:
        assert f"| {kind.close_code} |" in TEXT, kind


def test_the_client_stays_away_after_the_codes_the_table_says() -> None:
    script = (ROOT / "static/core/protocol.js").read_text()
    final = json.loads(re.search(r"FINAL_CLOSE_CODES = Object.freeze\((\[.*?\])\)", script)[1])
    rows = re.findall(r"^\| (4\d\d\d) \|.*\| (.*?) \|$", TEXT, re.MULTILINE)
    assert sorted(final) == sorted(
        int(code) for code, does in rows if does.startswith("stays away")
    )
