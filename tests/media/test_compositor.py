from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wsstream.media.compositor import crossfade, fit
from wsstream.media.types import Pixels


def plain(width: int, height: int, value: int = 200) -> Pixels:
    return np.full((height, width, 3), value, np.uint8)


@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    canvas=st.tuples(st.integers(1, 90), st.integers(1, 90)),
)
def test_any_picture_fits_any_canvas(size: tuple[int, int], canvas: tuple[int, int]) -> None:
    out, (scale, x, y) = fit(plain(*size), *canvas)
    assert out.shape == (canvas[1], canvas[0], 3)
    assert out.dtype == np.uint8
    assert 0 <= x <= canvas[0]
    assert 0 <= y <= canvas[1]
    assert size[0] * scale <= canvas[0] + 1
    assert size[1] * scale <= canvas[1] + 1


def test_the_same_shape_is_only_resized() -> None:
    out, placement = fit(plain(40, 30), 80, 60)
    assert placement == (2, 0, 0)
    assert (out == 200).all()


def test_a_point_is_where_the_placement_says() -> None:
    picture = plain(60, 100, 40)
    picture[48:53, 38:43] = 255
    out, (scale, x, y) = fit(picture, 320, 200)
    assert (out[round(50.5 * scale + y), round(40.5 * scale + x)] > 200).all()


def test_the_backdrop_is_darker_and_has_no_edges() -> None:
    rng = np.random.default_rng(1)
    picture = np.kron(rng.integers(90, 250, (10, 6, 3)), np.ones((10, 10, 1))).astype(np.uint8)
    out, (_, x, _) = fit(picture, 320, 180)
    side = out[:, : int(x) - 8].astype(int)
    assert side.mean() < 0.65 * picture.mean()
    assert np.abs(np.diff(side, axis=1)).max() < 8


def test_an_empty_canvas() -> None:
    with pytest.raises(ValueError, match="nothing to fit"):
        fit(plain(10, 10), 0, 10)


def test_crossfade() -> None:
    a, b = plain(8, 8, 0), plain(8, 8, 200)
    assert crossfade(a, b, 0) is a
    assert crossfade(a, b, -1) is a
    assert crossfade(a, b, 1) is b
    assert crossfade(a, b, 2) is b
    assert (crossfade(a, b, 0.25) == 50).all()
    assert (a == 0).all()


def test_pictures_of_two_shapes_cannot_be_blended() -> None:
    with pytest.raises(ValueError, match="cannot blend"):
        crossfade(plain(8, 8), plain(8, 9), 0.5)
