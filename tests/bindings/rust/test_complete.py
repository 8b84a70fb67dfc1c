"""The safe crate offers all that the header does, functions, fields, constants, and each of its functions is tried."""
import re

import header

CRATE = header.TOP / "lib" / "bindings" / "rust" / "arnn"
FILES = {file.name: file.read_text() for file in sorted((CRATE / "src").glob("*.rs"))}
CODE = re.sub(r"^\s*//.*$", "", "".join(FILES.values()), flags=re.M)
# What fills structs whose every field is written here, as test_fields shows.
UNUSED = {"arnn_input_default", "arnn_output_default", "arnn_output_gradient_default", "arnn_gradient_default"}


def test_functions():
    called = set(re.findall(r"\bsys::(arnn_\w+)\b|arnn_sys::(arnn_\w+)\(", CODE))
    called = {name for pair in called for name in pair} & set(header.functions())
    filled = set(re.findall(r"\b(arnn_\w+_default) \{", CODE))
    assert set(header.functions()) - called - filled == UNUSED


def test_fields():
    """Descriptions list theirs, some structs are filled after defaults; in literals the compiler wants them all."""
    written = {struct: set(re.findall(r"^ +(\w+): \w+,", body, flags=re.M))
               for struct, body in re.findall(r"\w+, (arnn_\w+), arnn_\w+_default \{(.*?)\n    \}", CODE, flags=re.S)}
    for struct, variable, file in (("arnn_load_options", "given", "model.rs"), ("arnn_examples", "given", "trainer.rs"),
                                   ("arnn_training", "out", "trainer.rs")):
        written[struct] = set(re.findall(rf"\b{variable}\.(\w+)", FILES[file]))
    literals = set(re.findall(r"sys::(arnn_\w+) \{", CODE)) & header.structs().keys()
    assert written.keys() | literals == header.structs().keys()
    for struct, fields in written.items():
        assert fields == set(header.structs()[struct]) - {"struct_size", "reserved"}, struct


def test_constants():
    named = set(re.findall(r"\bARNN_[A-Z0-9_]+\b", CODE))
    assert named == set(header.constants())


def test_every_function_is_tried():
    """By a test, by an example in the documentation, or by the scenario of all languages."""
    examples = "".join(re.findall(r"^\s*//[/!].*$", "".join(FILES.values()), flags=re.M))
    tried = "".join(file.read_text() for file in (CRATE / "tests").glob("*.rs")) + examples
    tried += (header.TOP / "tests" / "bindings" / "scenario.rs").read_text()
    offered = set(re.findall(r"^\s*pub fn (\w+)", CODE, flags=re.M))
    assert {name for name in offered if not re.search(rf"(?:\.|::|\b){name}\(", tried)} == set()
