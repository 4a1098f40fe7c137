# SPDX-License-Identifier: GPL-3.0-or-later
"""once - no object in these lines of JSON has a name twice. usage: once.py FILE"""
import json
import sys


def members(pairs):
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        sys.exit(f"{sys.argv[1]}:{number}: twice: {', '.join(sorted(twice))}")
    return dict(pairs)


with open(sys.argv[1]) as f:
    for number, line in enumerate(f, 1):
        if line.startswith("{"):
            json.loads(line, object_pairs_hook=members)
