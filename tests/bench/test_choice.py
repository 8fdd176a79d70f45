from __future__ import annotations

import argparse

import pytest

from bench.bandwidth import FORMATS, arguments
from bench.choice import chosen

NAMES = ["clean", "1 Mbit/s, 2 s of buffer", "3 % loss"]


def test_names_may_hold_a_comma_and_keep_their_order():
    assert chosen(NAMES, "1 Mbit/s, 2 s of buffer,clean", ",") == tuple(NAMES[:2])


def test_a_name_that_is_none_is_refused():
    with pytest.raises(argparse.ArgumentTypeError, match="4 % loss"):
        chosen(NAMES, "clean,4 % loss", ",")


def test_formats_are_chosen_by_their_names():
    parser = argparse.ArgumentParser()
    arguments(parser)
    size, fps = FORMATS[1]
    assert parser.parse_args(["--formats", f"{size} {fps} fps"]).formats == (f"{size} {fps} fps",)
