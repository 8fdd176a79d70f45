from __future__ import annotations

import json

import pytest

from bench.readme import README, RESULTS, renewed
from bench.report import Report, write

PAGE = """# Figures

<!-- table links link fps -->
before
<!-- end -->

Between.

<!-- notes links -->
<!-- end -->

<!-- machine -->
<!-- end -->
"""


@pytest.fixture
def results(tmp_path):
    made = Report(
        "Links",
        [{"link": "clean", "mode": "auto", "fps": 19.96}, {"link": "lossy", "mode": "auto"}],
        ["it holds"],
        ("link", "mode"),
        ["python -m bench links --quick"],
    )
    write(tmp_path / "links.json", {"links": made})
    return tmp_path


def test_blocks_are_replaced_and_the_rest_is_left(results):
    page = renewed(PAGE, results)
    assert "| link | fps |\n| --- | --- |\n| clean | 20.0 |\n| lossy | – |\n" in page
    assert "`python -m bench links --quick`" in page
    assert "\n- It holds\n" in page
    assert "before" not in page
    assert "\nBetween.\n" in page
    assert "aiortc 1." in page
    assert renewed(page, results) == page


def test_a_table_may_be_of_some_rows_alone(results):
    page = renewed("<!-- table links link=lossy mode link -->\n<!-- end -->", results)
    assert "| mode | link |\n| --- | --- |\n| auto | lossy |\n\n" in page

    with pytest.raises(ValueError, match="links has no rows with"):
        renewed("<!-- table links link=lost mode -->\n<!-- end -->", results)


def test_tables_of_other_versions_are_told_apart(results):
    data = json.loads((results / "links.json").read_text())
    data["machine"]["aiortc"] = "0.1"
    data["switch"] = data.pop("links")
    (results / "switch.json").write_text(json.dumps(data))
    page = renewed(PAGE, results)
    assert "\n- links: " in page
    assert "\n- switch: " in page
    assert "aiortc 0.1" in page


def test_a_table_may_be_of_an_earlier_day(results):
    (results / "2026-11-22").mkdir()
    (results / "links.json").rename(results / "2026-11-22" / "links.json")
    page = renewed("<!-- table 2026-11-22/links link fps -->\n<!-- end -->", results)
    assert "| clean | 20.0 |" in page
    assert "aiortc 1." in renewed("<!-- machine -->\n<!-- end -->", results)


def test_what_is_not_there_is_an_error(results):
    with pytest.raises(ValueError, match="has no lag_ms, but link, mode, fps"):
        renewed("<!-- table links lag_ms -->\n<!-- end -->", results)
    with pytest.raises(ValueError, match=r"there is no .*peers\.json"):
        renewed("<!-- notes peers -->\n<!-- end -->", results)


def test_the_page_says_what_the_results_say():
    assert renewed(README.read_text(), RESULTS) == README.read_text()
