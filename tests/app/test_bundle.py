"""What the bundled module does is seen by running it."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright._impl._driver import compute_driver_executable

from wsstream.app.bundle import _COMMENT, bundle
from wsstream.app.page import ENTRIES, STATIC


def write(root, **modules):
    for name, source in modules.items():
        path = root / f"{name.replace('__', '/')}.js"
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)


def run(root, source, *flags):
    path = root / "bundled.mjs"
    path.write_text(source)
    node, _ = compute_driver_executable()
    return subprocess.run(
        [node, *flags, str(path)], capture_output=True, text=True, timeout=30, check=False
    )


def test_a_module_has_what_it_imports_each_once_and_its_own_names_to_itself(tmp_path):
    write(
        tmp_path,
        entry='import { a } from "./dir/a.js";\nimport { B, later } from "./b.js";\n'
        "const MINE = 3;\nconsole.log(a(), B.name, MINE, await later());\nexport { MINE };\n",
        dir__a='import { B } from "../b.js";\nconst MINE = 1;\n'
        "export function a() {\n  return [MINE, new B().mine];\n}\n",
        b="let times = 0;\nconst MINE = 2;\ntimes += 1;\n"
        "export class B {\n  mine = MINE * times;\n}\n"
        "export async function later() {\n  return times;\n}\n",
    )
    done = run(tmp_path, bundle(tmp_path, "entry.js"))
    assert (done.stdout, done.stderr) == ("[ 1, 2 ] B 3 1\n", "")


def test_a_url_is_that_of_the_module_it_is_in(tmp_path):
    write(
        tmp_path,
        dir__entry='import { url } from "../other/a.js";\nconsole.log(url);\n',
        other__a='export const url = new URL("./b.js", import.meta.url).pathname;\n',
    )
    path = tmp_path / "dir"
    done = run(path, bundle(tmp_path, "dir/entry.js"))
    assert done.stdout == f"{tmp_path}/other/b.js\n", done.stderr


def test_comments_on_lines_of_their_own_go_and_strings_stay(tmp_path):
    write(
        tmp_path,
        entry='// one\n/** two\n * three */\nconsole.log("// four", 1 /* five */); // six\n'
        "/** @type {number} */ const seven = 7;\n/** eight */\nconsole.log(seven);\n",
    )
    source = bundle(tmp_path, "entry.js")
    assert not any(word in source for word in ("one", "three", "eight"))
    assert run(tmp_path, source).stdout == "// four 1\n7\n"


UNKNOWN = [
    'import whole from "./b.js";',
    'import * as all from "./b.js";',
    'import { b as c } from "./b.js";',
    'import "./b.js";',
    'import { b } from "elsewhere";',
    "import { b } from './b.js';",
    'const b = await import("./b.js");',
    'export * from "./b.js";',
    'export { b } from "./b.js";',
    "export default 3;",
    "export let b = 3;",
]


@pytest.mark.parametrize("line", [*UNKNOWN, "const b = 3;\nexport { b };"])
def test_what_it_does_not_know_is_refused(tmp_path, line):
    write(tmp_path, entry='import { a } from "./a.js";\n', a=f"{line}\n", b="")
    with pytest.raises(ValueError, match=r"a\.js: cannot bundle"):
        bundle(tmp_path, "entry.js")


@pytest.mark.parametrize("line", UNKNOWN)
def test_nor_is_it_taken_from_the_entry(tmp_path, line):
    write(tmp_path, entry=f"{line}\n", b="")
    with pytest.raises(ValueError, match=r"entry\.js: cannot bundle"):
        bundle(tmp_path, "entry.js")


def test_modules_that_import_one_another_are_refused(tmp_path):
    write(
        tmp_path,
        entry='import { a } from "./a.js";\n',
        a='import { b } from "./b.js";\nexport const a = 1;\n',
        b='import { a } from "./a.js";\nexport const b = 1;\n',
    )
    with pytest.raises(ValueError, match=r"a\.js imports itself"):
        bundle(tmp_path, "entry.js")


def test_a_last_line_may_be_without_its_end(tmp_path):
    write(
        tmp_path,
        entry='import { a } from "./a.js";\nconsole.log(a);\n',
        a="export const a = 4; // the last",
    )
    assert run(tmp_path, bundle(tmp_path, "entry.js")).stdout == "4\n"


def test_a_module_that_is_not_there(tmp_path):
    write(tmp_path, entry='import { a } from "./gone.js";\n')
    with pytest.raises(FileNotFoundError):
        bundle(tmp_path, "entry.js")


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_pages_own_entries_are_whole(tmp_path, entry):
    source = bundle(STATIC, entry)
    done = run(tmp_path, source, "--check")
    assert done.returncode == 0, done.stderr


def test_no_string_of_the_pages_looks_like_a_comment():
    """A string of several lines is the only one that could."""
    for path in STATIC.rglob("*.js"):
        if "vendor" not in path.parts:
            strings = re.findall(r"`[^`]*`", _COMMENT.sub("", path.read_text()))
            kept = re.findall(r"`[^`]*`", path.read_text())
            assert [s for s in kept if "\n" in s] == [s for s in strings if "\n" in s], path
