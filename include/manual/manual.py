"""arnn.h read as the manual that it is: sections, items (a comment and what it declares), and the layout of comments."""
import re
from dataclasses import dataclass, field


@dataclass
class Item:
    """A comment's lines, and the code below it up to a blank line; either may be empty."""

    text: list = field(default_factory=list)
    code: str = ""


@dataclass
class Section:
    title: str
    items: list


def read(path):
    """The lines of the comment at the head, and the sections."""
    source = path.read_text()
    head = re.match(r"/\*(.*?)\*/", source, flags=re.S).group(1)
    head = [re.sub(r"^ \* ?", "", line) for line in head.strip("\n").split("\n")]
    body = source[source.index('extern "C" {'):source.rindex("#ifdef __cplusplus")]
    parts = re.split(r"^/\* -{4} (?:\d+\. )?(.*?) -+ \*/$", body, flags=re.M)[1:]
    return trimmed(head), [Section(title, items(text)) for title, text in zip(parts[::2], parts[1::2])]


def trimmed(lines):
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    while lines and not lines[0].strip():
        lines = lines[1:]
    return lines


def items(text):
    """Each comment at the margin begins an item, and so does code after a blank line."""
    found = []
    for comment, code in re.findall(r"^/\*(.*?)\*/\n|^(\S.*?)(?:\n(?=\n|/\*)|\Z)", text, flags=re.S | re.M):
        if comment:
            found.append(Item(dedented(comment)))
        elif found and found[-1].text and not found[-1].code and follows(text, code):
            found[-1].code = code
        else:
            found.append(Item(code=code))
    return found


def follows(text, code):
    """Whether no blank line divides the code from the comment above it."""
    return text[:text.index(code)].endswith("*/\n")


def dedented(comment):
    """Lines of a comment that begins with `/* ` and goes on three columns in."""
    first, *rest = comment.rstrip().split("\n")
    return [first.strip()] + [line[3:] if line[:3].isspace() else line for line in rest]


# ---- The layout of a comment: paragraphs, lists of terms, and what is to stay as it is -----------------------------


@dataclass
class Paragraph:
    text: str


@dataclass
class Terms:
    items: list  # (term, text)


@dataclass
class Verbatim:
    lines: list


def layout(lines):
    """Lines at the margin are text, those further in a list or something to keep as it is."""
    blocks, group = [], []

    def close():
        nonlocal group
        group = trimmed(group)
        if group and group[0][:1].isspace():
            blocks.append(terms(group) or Verbatim(group))
        elif group:
            text = " ".join(line.strip() for line in group)
            blocks.extend(Paragraph(part) for part in re.split(r"(?<=[.:)]) (?=Errors: |Thread rule: )", text))
        group = []

    for line in lines:
        inside = line[:1].isspace()
        if not line.strip():
            if not group or not group[0][:1].isspace():
                close()
            else:
                group.append("") # within what is kept
            continue
        if group and inside != group[0][:1].isspace():
            close()
        group.append(line)
    close()
    return blocks


def terms(lines):
    """`term  text` at one column, the text at another one, with more text below; None where it is something else."""
    margin = indent(lines[0])
    found, column = [], None
    for line in lines:
        start = re.match(r" +(\S+(?: \S+)*?)( {2,})(\S.*)$", line) if indent(line) == margin else None
        if start and (column is None or start.start(3) == column) and " " * 3 not in start.group(3):
            column = start.start(3)
            found.append((start.group(1), start.group(3)))
        elif found and column <= indent(line) <= column + 2:
            found[-1] = (found[-1][0], found[-1][1] + " " + line.strip())
        else:
            return None
    return Terms(found)


def indent(line):
    return len(line) - len(line.lstrip())


# ---- Declarations --------------------------------------------------------------------------------------------------


def functions(code):
    """The declarations of functions in a piece of code, each on one line."""
    plain = re.sub(r"/\*.*?\*/", "", code, flags=re.S)
    return [" ".join(found.split()) for found in re.findall(r"^[a-z][\w\s]*?[\s*]arnn_\w+\([^;]*\);", plain, flags=re.M)]


def contents(head):
    """(word, purpose) of each section, by the table at the head."""
    rows = [(int(number), word, purpose) for line in head if re.match(r" +\d", line)
            for number, word, purpose in re.findall(r"\b(\d+) (?:the )?([a-z]+) +(\S.*?)(?= {2,}\d|$)", line)]
    return [(word, purpose) for _, word, purpose in sorted(rows)]


def names(sections):
    """What has a name of its own: types and functions, in the header's order."""
    code = "\n".join(item.code for section in sections for item in section.items)
    found = re.findall(r"^typedef (?:struct|\w+) (arnn_\w+)|^(?!typedef)[a-z][\w\s]*?[\s*](arnn_\w+)\(", code, flags=re.M)
    return [kind or function for kind, function in found]


def members(code):
    """(declaration, comment) of a struct's members or an enum's constants; the comment is empty where there is none."""
    body = re.search(r"\{(.*)\}", code, flags=re.S)
    if not body:
        return []
    end = r"[^;{}/]*?;" if code.startswith("typedef") else r"ARNN_\w+ = \d+,?"
    return [(" ".join(declared.split()).rstrip(","), " ".join(comment.split()))
            for declared, comment in re.findall(rf"\s*({end})\s*(?:/\*(.*?)\*/)?", body.group(1), flags=re.S)]
