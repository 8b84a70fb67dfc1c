"""Writes the C source of the extension module from the headers: python3 declarations.py arnn.h arnn_version.h guard.h out.c

What cffi is told is the header itself, less what only a preprocessor or C++ reads, so that the two cannot differ; the
compiler then checks every function, struct and constant against the header as it is.
"""
import re
import sys

import cffi


def preprocessed(text):
    """The header as C after preprocessing, includes left out."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.S)
    return re.sub(r"^[ \t]*#.*$", "", text, flags=re.M)


def versions(text):
    """Each `#define ARNN_VERSION_X 1` as cffi wants a constant declared."""
    return "".join(f"#define {name} ...\n" for name in re.findall(r"#define (ARNN_VERSION_[A-Z]+) \d+", text))


def main(header, version, guard, out):
    ffi = cffi.FFI()
    for path in header, guard:
        with open(path) as file:
            ffi.cdef(preprocessed(file.read()))
    with open(version) as file:
        ffi.cdef(versions(file.read()))
    ffi.set_source("arnn._arnn", "#include <arnn.h>\n#include <stdbool.h>\n#include \"guard.h\"\n")
    ffi.emit_c_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
