# SPDX-License-Identifier: GPL-3.0-or-later
"""run - the table of the benchmark.

usage: run.py [ROW...]     all rows, or these numbers

Each comparison comes from alternating rounds of one run; a measurement without
obi is made twice, and where the two differ by more than 5% the row says
"inconclusive". The exit status is 1 where a limit is missed.
"""
import inspect
import re
import sys

import rows_obi
import rows_query
import rows_target
import rows_ui
from measure import Noise


def all_rows():
    """(number, function), in order: functions named row_N or row_N_what."""
    found = []
    for module in (rows_target, rows_obi, rows_query, rows_ui):
        for name, f in inspect.getmembers(module, inspect.isfunction):
            m = re.fullmatch(r"row_(\d+)(?:_\w+)?", name)
            if m:
                found.append((int(m[1]), name, f))
    return [(n, f) for n, _, f in sorted(found, key=lambda x: x[:2])]


def main(wanted):
    missed = 0
    print("row | what | measured | limit | verdict\n--- | --- | --- | --- | ---", flush=True)
    for number, row in all_rows():
        if wanted and number not in wanted:
            continue
        try:
            text, limit, met = row()
            verdict = "met" if met else "MISSED"
            missed += not met
        except Noise as e:
            text, limit, verdict = str(e), "", "inconclusive"
        except Exception as e:  # one row that cannot be measured must not hide the others
            text, limit, verdict = f"{type(e).__name__}: {e}"[:200], "", "FAILED"
            missed += 1
        print(f"{number} | {row.__doc__} | {text} | {limit} | {verdict}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main({int(a) for a in sys.argv[1:]}))
