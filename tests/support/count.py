"""Prints how many test cases of the given JUnit files passed and failed: "passed failed"."""
import sys
import xml.etree.ElementTree as tree


def count(path):
    """Skipped cases count as neither. A file that cannot be read is one failure."""
    try:
        cases = list(tree.parse(path).getroot().iter("testcase"))
    except (OSError, tree.ParseError):
        return 0, 1
    bad = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = [case for case in cases if case.find("skipped") is not None]
    return len(cases) - len(bad) - len(skipped), len(bad)


counts = [count(path) for path in sys.argv[1:]]
print(sum(passed for passed, _ in counts), sum(failed for _, failed in counts))
