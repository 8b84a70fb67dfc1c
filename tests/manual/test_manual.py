"""arnn.h as a man page and as HTML: without a warning, and with all that the header says."""
import html
import os
import pathlib
import re
import subprocess

import header
import installed
import manual
import pytest

BUILD = pathlib.Path(os.environ["ARNN_LIBRARY"]).parents[1]


@pytest.fixture(scope="module")
def sections():
    return manual.read(header.HEADER)[1]


@pytest.fixture(scope="module")
def page():
    return installed.find("arnn.3")


@pytest.fixture(scope="module")
def pages():
    """The text of the HTML, tags left out."""
    done = subprocess.run(["ninja", "-C", BUILD, "doc"], capture_output=True, text=True)
    assert done.returncode == 0 and "warning" not in done.stdout + done.stderr, done.stdout + done.stderr
    files = (BUILD / "include" / "manual" / "html").glob("*.html")
    return {file.name: words(html.unescape(re.sub(r"<[^>]*>", " ", file.read_text()))) for file in files}


def words(text):
    return " ".join(text.split())


def spoken(sections):
    """Everything that comments of the header say, piece by piece."""
    for section in sections:
        for item in section.items:
            yield from (comment for _, comment in manual.members(item.code) if comment)
            for block in manual.layout(item.text):
                if isinstance(block, manual.Paragraph):
                    yield block.text
                elif isinstance(block, manual.Terms):
                    yield from (text for _, text in block.items)
                else:
                    yield from block.lines


def test_everything_is_read(sections):
    """The manual's reader and the tests' reader of the header see the same, and no comment is lost."""
    codes = [item.code for section in sections for item in section.items]
    functions = [re.search(r"(arnn_\w+)\(", line).group(1) for code in codes for line in manual.functions(code)]
    assert functions == header.functions()
    constants = [name.split(" ")[0] for code in codes for name, _ in manual.members(code) if name.startswith("ARNN_")]
    assert constants == header.constants()
    body = header.TEXT[header.TEXT.index('extern "C"'):]
    comments = [comment for comment in re.findall(r"/\*(.*?)\*/", body, flags=re.S) if not comment.startswith(" ----")]
    said = words(" ".join(spoken(sections)))
    assert sorted(set(words(" ".join(comments)).split()) - set(said.split()) - terms(sections)) == []


def terms(sections):
    blocks = [block for section in sections for item in section.items for block in manual.layout(item.text)]
    return {word for block in blocks if isinstance(block, manual.Terms) for term, _ in block.items for word in term.split()}


def test_pages_are_clean(page):
    """The checkers of both programs that show them."""
    for file in page.parent.iterdir():
        if not file.read_text().startswith(".so "):
            assert installed.command("mandoc", "-Tlint", "-Wwarning", file) == ""
            done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", file], capture_output=True, text=True)
            assert done.returncode == 0 and done.stderr == "", file.name


def plain(page):
    """The text that a page shows."""
    return words(re.sub(".\b", "", installed.command("mandoc", "-Tutf8", "-O", "width=1000", page)))


def test_page_is_complete(page, sections):
    text = plain(page)
    for piece in spoken(sections):
        assert words(piece) in text
    for section in sections:
        assert section.title.upper() in text
        for item in section.items:
            assert all(line.rstrip(";") in text for line in manual.functions(item.code))
            assert all(name.rstrip(";") in text for name, _ in manual.members(item.code))


def test_every_name_leads_to_its_section(page, sections):
    """`man arnn_step`: the page names it, and says what its section says."""
    names = {file.stem for file in page.parent.iterdir()} - {"arnn"}
    own = [f"arnn_{word}" for word, _ in manual.contents(manual.read(header.HEADER)[0])]
    handles = set(re.findall(r"typedef struct (\w+) \1;", header.CODE))
    assert names == {*header.functions(), *header.structs(), *handles, "arnn_status", *own} and len(own) == len(sections)
    for word, section in zip(own, sections):
        text = plain(page.parent / f"{word}.3")
        assert all(words(piece) in text for piece in spoken([section]))
        for name in manual.names([section]):
            assert name in text[:text.index(" - ")]
            assert name == word or (page.parent / f"{name}.3").read_text() == f".so man3/{word}.3\n"
    show = lambda name: installed.command("mandoc", "-Tutf8", f"man3/{name}.3", cwd=page.parents[1])
    assert show("arnn_step") == show("arnn_running")


def test_html_is_complete(pages, sections):
    """Every function stands in its section's page, with its comment."""
    for number, section in enumerate(sections, 1):
        text = pages[f"group__section{number}.html"]
        for item in section.items:
            paragraphs = [block.text for block in manual.layout(item.text) if isinstance(block, manual.Paragraph)]
            for line in manual.functions(item.code):
                name = re.search(r"(arnn_\w+)\(", line).group(1)
                described = text[text.rindex(f"◆ {name}()"):]
                for paragraph in paragraphs:
                    assert alike(paragraph) in alike(described), name


def alike(text):
    """Without the spaces that tags leave beside punctuation."""
    return re.sub(r"\s", "", text)
