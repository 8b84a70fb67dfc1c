"""Writes man pages from arnn.h: the whole as arnn(3), each section as a page of its own, to which the names of its
functions and types lead. Usage: man.py HEADER VERSION FOLDER; or man.py HEADER, which prints the names of the files."""
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


def heading(name, version, seconds):
    date = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).date().isoformat()
    return [f'.TH {name.upper()} 3 "{date}" "arnn {version}" "Library Functions Manual"', ".nh", ".ad l"]


def synopsis(*lines):
    return [".SH SYNOPSIS", ".nf", "\\fB#include <arnn.h>\\fR", *lines, ".fi"]


def see_also(names):
    *names, last = sorted(names)
    return [".SH SEE ALSO", *(f".BR {name} (3)," for name in names), f".BR {last} (3)"]


def body(section):
    lines = []
    for item in section.items:
        below = [".RS 4", *blocks(item.text), ".RE"]
        lines += declared(item.code) + below if item.code else blocks(item.text)
    return lines


def whole(head, sections):
    """arnn(3)."""
    name, purpose = head[0].split(": ", 1)
    compiled = escaped("cc program.c $(pkg-config --cflags --libs arnn)")
    lines = [".SH NAME", f"{name} \\- {purpose.rstrip('.')}", *synopsis(".sp", compiled)]
    lines += [".SH DESCRIPTION", *blocks(head[1:])]
    for section in sections:
        lines += [f".SH {section.title.upper()}", *body(section)]
    return lines + see_also(f"arnn_{word}" for word, _ in manual.contents(head))


def part(name, purpose, section):
    """One section, under all the names that it declares."""
    names = [name, *(other for other in manual.names([section]) if other != name)]
    return [".SH NAME", *flowing(", ".join(names)), f"\\- {purpose}", *synopsis(), ".SH DESCRIPTION", *body(section),
            *see_also(["arnn"])]


def pages(header):
    """By name: the lines of a page below its heading, or the name of the page that it leads to."""
    head, sections = manual.read(header)
    made = {"arnn": whole(head, sections)}
    for (word, purpose), section in zip(manual.contents(head), sections):
        own = f"arnn_{word}"
        made.update({name: own for name in manual.names([section])})
        made[own] = part(own, purpose, section)
    return made


def tidy(lines):
    """Without paragraphs that a heading or an indentation begins anyway, or that hold nothing."""
    text = "\n".join(lines) + "\n"
    text = text.replace(".RS 4\n.RE\n", "")
    text = re.sub(r"^(\.S[HS] .*|\.RS 4)\n\.PP\n", r"\1\n", text, flags=re.M)
    return text


def write(header, version, folder):
    seconds = int(os.environ.get("SOURCE_DATE_EPOCH", header.stat().st_mtime))
    for name, lines in pages(header).items():
        leads = isinstance(lines, str)
        text = f".so man3/{lines}.3\n" if leads else tidy(heading(name, version, seconds) + lines)
        (folder / f"{name}.3").write_text(text)


if __name__ == "__main__":
    given = pathlib.Path(sys.argv[1])
    if len(sys.argv) == 2:
        print(*(f"{name}.3" for name in pages(given)))
    else:
        write(given, sys.argv[2], pathlib.Path(sys.argv[3]))
