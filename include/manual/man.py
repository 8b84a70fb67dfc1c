"""Writes the man page arnn(3) from arnn.h, and for every function and type a page that leads to it. Usage:
man.py HEADER VERSION FOLDER; or man.py HEADER, which prints the names of the pages."""
import datetime
import os
import pathlib
import re
import sys
import textwrap

import manual

WIDTH = 78


def escaped(text):
    """As troff prints it letter by letter."""
    text = text.replace("\\", "\\e")
    for letter, name in (("-", "\\-"), ("'", "\\(aq"), ("^", "\\(ha"), ("~", "\\(ti"), ("`", "\\(ga")):
        text = text.replace(letter, name)
    return "\\&" + text if text.startswith(".") else text


def flowing(text):
    """Lines of a paragraph; a hyphen within a word may break there."""
    lines = textwrap.wrap(" ".join(text.split()), WIDTH - 8, break_long_words=False, break_on_hyphens=False)
    return [re.sub(r"(?<=[a-z])\\-(?=[a-z])", "-", escaped(line)) for line in lines]


def kept(lines):
    return [".nf", *(escaped(line) if line.strip() else ".sp" for line in lines), ".fi"]


def blocks(lines):
    """A comment."""
    page = []
    for block in manual.layout(lines):
        if isinstance(block, manual.Paragraph):
            page += [".PP", *flowing(block.text)]
        elif isinstance(block, manual.Terms):
            page += [line for term, text in block.items for line in tagged(term, text)]
        else:
            page += [".PP", *kept(block.lines)]
    return page


def tagged(term, text):
    return [".TP 12", "\\fB" + escaped(term) + "\\fR", *flowing(text)]


def wrapped(code):
    """Declarations, broken after commas where they are long."""
    lines = []
    for line in code:
        whole = re.sub("(?<=[^,{]) ", "\0", line)
        lines += textwrap.wrap(whole, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return [".PP", ".nf", *("\\fB" + escaped(line.replace("\0", " ")) + "\\fR" for line in lines), ".fi"]


def declared(code):
    """What an item declares: functions as they are, structs and enums member by member where members have comments."""
    page = []
    heads = re.findall(r"^typedef struct (\w+)( \{|)|^(enum) \{|^(typedef \w+ \w+;)", code, flags=re.M)
    for struct, body, enum, other in heads:
        listed = manual.members(code) if body or enum else []
        if any(comment for _, comment in listed):
            page += wrapped([f"struct {struct}:"] if struct else [])
            page += [line for name, comment in listed for line in tagged(name.rstrip(";"), comment)]
        elif listed:
            inside = " ".join(name + ("" if struct else ",") for name, _ in listed).rstrip(",")
            page += wrapped([f"struct {struct} {{ {inside} }};" if struct else f"enum {{ {inside} }};"])
        else:
            page += wrapped([other or f"typedef struct {struct} {struct};"])
    functions = manual.functions(code)
    return page + (wrapped(functions) if functions else [])


def page(header, version):
    head, sections = manual.read(header)
    name, purpose = head[0].split(": ", 1)
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", header.stat().st_mtime))
    date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).date().isoformat()
    lines = [f'.TH {name.upper()} 3 "{date}" "{name} {version}" "Library Functions Manual"', ".nh", ".ad l",
             ".SH NAME", f"{name} \\- {purpose.rstrip('.')}",
             ".SH SYNOPSIS", ".nf", "\\fB#include <arnn.h>\\fR", ".sp",
             escaped("cc program.c $(pkg-config --cflags --libs arnn)"), ".fi",
             ".SH DESCRIPTION", *blocks(head[1:])]
    for section in sections:
        lines.append(f".SH {section.title.upper()}")
        for item in section.items:
            below = [".RS 4", *blocks(item.text), ".RE"]
            lines += declared(item.code) + below if item.code else blocks(item.text)
    return tidy(lines)


def tidy(lines):
    """Without paragraphs that a heading or an indentation begins anyway, or that hold nothing."""
    text = "\n".join(lines) + "\n"
    text = text.replace(".RS 4\n.RE\n", "")
    text = re.sub(r"^(\.S[HS] .*|\.RS 4)\n\.PP\n", r"\1\n", text, flags=re.M)
    return text


def write(header, version, folder):
    for name in manual.names(header):
        (folder / f"{name}.3").write_text(".so man3/arnn.3\n")
    (folder / "arnn.3").write_text(page(header, version))


if __name__ == "__main__":
    given = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 2:
        print(*(f"{name}.3" for name in ["arnn", *manual.names(given)]))
    else:
        write(given, sys.argv[2], pathlib.Path(sys.argv[3]))
