"""What stands in the public header, read as text."""
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]
HEADER = TOP / "include" / "arnn.h"
TEXT = HEADER.read_text()
CODE = re.sub(r"/\*.*?\*/", "", TEXT, flags=re.S)


def functions():
    """Names of the functions declared, in order."""
    return re.findall(r"^[a-z][\w\s]*?[\s*](arnn_\w+)\(", CODE, flags=re.M)


def constants():
    """Names of the enumerators, in order."""
    bodies = re.findall(r"enum\s*\{(.*?)\}", CODE, flags=re.S)
    return [name for body in bodies for name in re.findall(r"\b(ARNN_\w+)\s*=", body)]


def structs():
    """Each struct's name and the names of its members, in order."""
    return {name: re.findall(r"(\w+)\s*;", body)
            for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\} \1;", CODE, flags=re.S)}


def groups():
    """Runs of declarations that no blank line divides, each as (comment above it, names of its functions)."""
    found = []
    for block in re.split(r"\n\s*\n", TEXT):
        names = re.findall(r"^[a-z][\w\s]*?[\s*](arnn_\w+)\(", re.sub(r"/\*.*?\*/", "", block, flags=re.S), flags=re.M)
        comment = re.match(r"\s*/\*(?!\s*----)(.*?)\*/", block, flags=re.S)
        if names:
            found.append((comment.group(1).strip() if comment else "", names))
    return found
