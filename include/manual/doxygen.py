"""Doxygen's input filter: prints arnn.h with its comments in the form that Doxygen reads. Usage: doxygen.py HEADER"""
import pathlib
import re
import sys

import manual


def escaped(text):
    return re.sub(r'([\\@&$#<>%"|])', r"\\\1", text)


def blocks(lines):
    text = []
    for block in manual.layout(lines):
        if isinstance(block, manual.Paragraph):
            text += [escaped(block.text), ""]
        elif isinstance(block, manual.Terms):
            text += ["<dl>", *(f"<dt>{escaped(term)}</dt><dd>{escaped(words)}</dd>" for term, words in block.items), "</dl>"]
        else:
            text += ["@verbatim", *block.lines, "@endverbatim"]
    return text


def comment(lines):
    return ["/**", *lines, "*/"]


def described(item):
    """What an item declares, each with the item's comment."""
    text = blocks(item.text)
    code = re.sub(r"/\*(.*?)\*/", lambda found: f"/**< {escaped(' '.join(found.group(1).split()))} */", item.code,
                  flags=re.S)
    parts = re.split(r"(?<=;)\n(?=[a-z])", code) # declarations begin at the margin
    return [line for part in parts for line in (comment(text) if text else []) + [part]]


def page(header):
    head, sections = manual.read(header)
    lines = comment([f"@mainpage {escaped(head[0])}", *blocks(head[1:])])
    lines += comment([f"@file arnn.h", escaped(head[0])])
    lines += re.findall(r"^#include .*", header.read_text(), flags=re.M)
    for number, section in enumerate(sections, 1):
        loose = [line for item in section.items if not item.code for line in blocks(item.text)]
        lines += comment([f"@defgroup section{number} {number}. {escaped(section.title)}", *loose, "@{"])
        for item in section.items:
            lines += described(item) if item.code else []
        lines += comment(["@}"])
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    given = pathlib.Path(sys.argv[1])
    sys.stdout.write(page(given) if given.name == "arnn.h" else given.read_text())
