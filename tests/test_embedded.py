"""Code in Markdown and HTML: which fragments are found, in which language, and where they stand in the file."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wsantipattern.languages.embedded import modules
from wsantipattern.model.module import Module


def markdown(text: str) -> list[Module]:
    return modules(text.encode(), "README.md", "markdown")


def page(text: str, path: str = "App.vue") -> list[Module]:
    return modules(text.encode(), path, "html")


def found(text: str) -> list[tuple[str, str]]:
    return [(m.language, m.text.decode()) for m in markdown(text)]


def check_places(text: bytes, made: list[Module]) -> None:
    """Every function's text stands at the place in the file that the module says."""
    for module in made:
        assert module.offset_map is not None
        assert module.offset_map == sorted(module.offset_map)
        places = [module.host_offset(i) for i in range(len(module.text) + 1)]
        assert all(a <= b for a, b in pairwise(places))
        assert all(0 <= p <= len(text) for p in places)
        for function in module.all_functions:
            start, end = module.host_offset(function.extent[0]), module.host_offset(function.extent[1])
            assert 0 <= start <= end <= len(text)


# -- Markdown ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("js", "javascript"),
        ("JavaScript", "javascript"),
        ("mjs", "javascript"),
        ("cjs", "javascript"),
        ("jsx", "javascript"),
        ("ts", "typescript"),
        ("typescript", "typescript"),
        ("mts", "typescript"),
        ("tsx", "tsx"),
        ("go", "go"),
        ("golang", "go"),
        ("py", "python"),
        ("python", "python"),
        ("python3", "python"),
        (" js {1,3}", "javascript"),
        ("js{1,3}", "javascript"),
        ('ts title="x.ts"', "typescript"),
        ("{.js}", "javascript"),
        ("{.js .numberLines}", "javascript"),
        ("{python, echo=FALSE}", "python"),
        ("go,ignore", "go"),
        ("js:main.js", "javascript"),
    ],
)
@pytest.mark.parametrize("fence", ["```", "~~~", "`````"])
def test_info_strings(info: str, language: str, fence: str) -> None:
    assert found(f"text\n\n{fence}{info}\nx()\n{fence}\nmore\n") == [(language, "x()\n")]


@pytest.mark.parametrize("info", ["", "text", "json", "sh", "jsonc", "{}", "pycon", "diff js"])
def test_other_languages_are_left_alone(info: str) -> None:
    assert found(f"```{info}\nx()\n```\n") == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("```js\na\n``\nb\n```\nc\n", "a\n``\nb\n"),
        ("````js\na\n```\nb\n````\nc\n", "a\n```\nb\n"),
        ("```js\na\n`````\nc\n", "a\n"),
        ("```js\na\n~~~\nb\n```\nc\n", "a\n~~~\nb\n"),
        ("```js\na\n``` x\nb\n```  \nc\n", "a\n``` x\nb\n"),
        ("```js\na\n    ```\nb\n```\n", "a\n    ```\nb\n"),
        ("```js\na\n   ```\nb\n", "a\n"),
        ("```js\na\n\nb", "a\n\nb"),
        ("  ```js\n  a\n b\n    c\n  ```\n", "a\nb\n  c\n"),
        ("~~~js `x`\na\n~~~\n", "a\n"),
        ("```js\r\na\r\n```\r\nb", "a\r\n"),
        ("> ```js\n> a\n>   b\n>\n> c\n> ```\nd", "a\n  b\n\nc\n"),
        ("> ```js\n> a\nb\n", "a\n"),
        (">```js\n>a\n>```\n", "a\n"),
        ("- x\n\n  ```js\n  a\n    b\n\n  c\n  ```\n", "a\n  b\n\nc\n"),
        ("- ```js\n  a\n  ```\n", "a\n"),
        ("10. x\n\n    ```js\n    a\n    ```\n", "a\n"),
        ("* x\n  1. y\n\n     ```js\n     a\n     ```\n", "a\n"),
        ("- ```js\n  a\nb\n", "a\n"),
        ("- > ```js\n  > a\n  > ```\n", "a\n"),
        ("-\tx\n\n\t```js\n\ta\n\t```\n", "a\n"),
        ("<!-- x --> \n```js\na\n```\n", "a\n"),
        ("<!--\nx\n-->\n```js\na\n```\n", "a\n"),
    ],
)
def test_fences_end_and_lose_their_margin(text: str, code: str) -> None:
    made = markdown(text)
    assert [m.text.decode() for m in made] == [code]
    check_places(text.encode(), made)
    for offset, byte in enumerate(made[0].text):
        assert text.encode()[made[0].host_offset(offset)] == byte


@pytest.mark.parametrize(
    "text",
    [
        "    ```js\n    a\n    ```\n",
        "``js\na\n``\n",
        "```js `x`\na\n```\n",
        "a ```js\nb\n```\n",
        "- x\n\n      ```js\n      a\n      ```\n",
        "<!--\n```js\na\n```\n-->\n",
        "<pre>\n```js\na\n```\n</pre>\n",
        "````md\n```js\na\n```\n````\n",
    ],
)
def test_what_is_no_fence(text: str) -> None:
    assert found(text) == []


def test_each_fence_is_a_module_of_the_file() -> None:
    text = "é\n\n```js\nfunction f() {}\n```\n\n> ```py\n> def g():\n>     h()\n> ```\n"
    made = markdown(text)
    assert [(m.path, m.language) for m in made] == [("README.md", "javascript"), ("README.md", "python")]
    g = made[1].functions[0]
    assert made[1].snippet(g.extent) == "def g():\n    h()"
    start, end = (made[1].host_offset(o) for o in g.extent)
    assert text.encode()[start:end].decode() == "def g():\n>     h()"


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("js", 'case "chunk": {\n  f(1);\n}\n'),
        ("py", 'case "chunk":\n    f(1)\n'),
        ("py", '        case "chunk":\n            f(1)\n'),
        ("py", "except E:\n    f(1)\n"),
        ("py", "    f(1)\n    return 2\n"),
        ("go", "if x {\n\tf(1)\n}\n"),
        ("go", 'case "chunk":\n\tf(1)\n'),
    ],
)
@pytest.mark.parametrize("prefix", ["", "> ", "   "])
def test_maps_of_front_ends_and_fences_are_joined(language: str, code: str, prefix: str) -> None:
    lines = ["```" + language, *code.splitlines(), "```"]
    text = "intro\n\n" + "".join(f"{prefix}{line}\n" for line in lines)
    made = markdown(text)
    check_places(text.encode(), made)
    call = made[0].text.index(b"f(1)")
    assert made[0].host_offset(call) == text.index("f(1)")
    assert any(made[0].snippet(step.extent).startswith("f(1)") for step in made[0].top.cfg.steps)


# -- HTML --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attributes", "language"),
    [
        ("", "javascript"),
        (' type="module"', "javascript"),
        (" type=text/javascript", "javascript"),
        (' type="application/javascript"', "javascript"),
        (' type="text/babel"', "javascript"),
        (' type="text/jsx"', "javascript"),
        (' type="TEXT/TypeScript"', "typescript"),
        (' lang="ts"', "typescript"),
        (" setup lang='ts'", "typescript"),
        (' lang="tsx"', "tsx"),
        (' lang="jsx"', "javascript"),
        (' context="module"', "javascript"),
    ],
)
def test_scripts(attributes: str, language: str) -> None:
    text = f"<div>é</div>\n<script{attributes}>\nf(1)\n</script>\n<style>a {{}}</style>"
    made = page(text)
    assert [(m.language, m.text) for m in made] == [(language, b"\nf(1)\n")]
    assert made[0].host_offset(made[0].text.index(b"f")) == text.encode().index(b"f(1)")


@pytest.mark.parametrize(
    "attributes",
    [
        'type="application/json"',
        'type="importmap"',
        'type="application/ld+json"',
        'type="text/x-template"',
        'lang="coffee"',
    ],
)
def test_data_and_templates_are_no_scripts(attributes: str) -> None:
    assert page(f"<script {attributes}>f()</script>") == []


def test_scripts_of_one_file_are_modules_of_their_own() -> None:
    text = "<script lang='ts'>a()</script><template><p v-if='a < b'/></template><SCRIPT setup>b()</SCRIPT><script src='x'></script>"
    assert [(m.language, m.text) for m in page(text)] == [("typescript", b"a()"), ("javascript", b"b()")]


def test_svelte_syntax_hides_no_script() -> None:
    text = "{#if a < b}<p>{x}</p>{/if}<script>a()</script>{#each xs as x}<b on:click={() => x < 3}>{/each}<script>b()"
    assert [m.text for m in page(text, "App.svelte")] == [b"a()", b"b()"]


def test_commented_scripts_are_none() -> None:
    assert page("<!-- <script>f()</script> -->") == []


def test_astro_frontmatter_is_typescript() -> None:
    text = "---\nconst x: Map<string, number> = f()\n---\n<p>{x}</p>\n<script>g()</script>\n"
    made = page(text, "src/Page.astro")
    assert [(m.language, m.text) for m in made] == [
        ("typescript", b"const x: Map<string, number> = f()\n"),
        ("javascript", b"g()"),
    ]
    assert [text[m.host_offset(0) :][:5] for m in made] == ["const", "g()</"]


def test_a_page_without_frontmatter_has_none() -> None:
    assert [m.text for m in page("<p>---</p>\n<script>g()</script>\n---\n", "Page.astro")] == [b"g()"]


# -- no text breaks it -------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        "```js\n",
        "```py\n",
        "~~~go\n",
        "```\n",
        "~~~\n",
        "> ",
        "- ",
        "1. ",
        "\t",
        "    ",
        "  ",
        "\n",
        "case 1:\n",
        "f(x)\n",
        "def f():\n",
        "function g() {}\n",
        "<!--\n",
        "-->\n",
        "<pre>\n",
        "text",
        "---\n",
        "<script>",
        "</script>",
        "é",
        "\r\n",
        "\r",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from(["markdown", "html"]))
def test_random_files_map_inside_the_file(text: str, form: str) -> None:
    for path in ("x.md", "x.astro"):
        check_places(text.encode(), modules(text.encode(), path, form))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["markdown", "html"]))
def test_random_bytes_never_raise(text: bytes, form: str) -> None:
    check_places(text, modules(text, "x.astro", form))
