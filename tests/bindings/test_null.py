"""In C itself: every function that is given null pointers refuses them with a sentence, or does nothing."""
import re

import header
import installed

DECLARED = re.findall(r"^([a-z][\w\s]*?[\s*])(arnn_\w+)\(([^;]*)\);", header.CODE, flags=re.M)


def call(name, parameters):
    """With a null pointer for every pointer, 1 for every number."""
    given = ["0" if re.search(r"[*\[]", each) else "1" for each in parameters.split(",") if each.strip() != "void"]
    return f"{name}({', '.join(given)})"


def calls(*types):
    """By name, of the functions that give one of these types."""
    return {name: call(name, parameters) for gives, name, parameters in DECLARED if gives.strip() in types}


def test_null_is_refused(tmp_path):
    statuses, silent = calls("arnn_status"), calls("void")
    values = {name: call(name, parameters) for gives, name, parameters in DECLARED
              if name not in {**statuses, **silent} and "*" in parameters} # a number or a pointer of a handle
    assert len(DECLARED) == len(header.functions()) and len(statuses) > 50 and len(silent) == 5 <= len(values)
    lines = [f"    {text};" for text in silent.values()]
    lines += [f'    printf("{name} %d %s\\n", (int){text}, arnn_last_error());' for name, text in statuses.items()]
    lines += [f'    printf("{name} %d\\n", {text} != 0);' for name, text in values.items()]
    source = tmp_path / "null.c"
    source.write_text("#include <arnn.h>\n#include <stdio.h>\nint main(void)\n{\n" + "\n".join(lines) + "\n    return 0;\n}\n")
    said = installed.command(installed.compiled(["cc", "-std=c11"], tmp_path / "null", source)).splitlines()
    invalid = re.search(r"ARNN_INVALID_ARGUMENT = (\d+)", header.CODE)[1]
    wrong = [line for line in said if not re.fullmatch(rf"arnn_\w+ ({invalid} \w+ is NULL|0)", line)]
    assert wrong == [] and [line.split()[0] for line in said] == [*statuses, *values]
