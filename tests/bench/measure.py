# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole processes, measured: wall time and peak memory, and the table of what came out.

What is measured and against whom is decided in `run`.
"""
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import time

MIB = 1024 * 1024


@dataclasses.dataclass
class Sample:
    seconds: float
    peak: int  # bytes, of the largest process of the tree that was waited for
    output: bytes


def measure(argv, log, environment=None):
    """Runs one process to its end; its complaints go to the file `log`."""
    with open(log, "ab") as errors:
        errors.write(("+ " + " ".join(argv) + "\n").encode())
        errors.flush()
        start = time.monotonic()
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=errors, env=environment)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench: {argv[0]} ended with {process.returncode}; see {log}")
    return Sample(seconds, usage.ru_maxrss * 1024, output)


class Results:
    """Samples by name, and the figures that are made of them."""

    def __init__(self):
        self.samples = {}
        self.figures = []

    def add(self, name, value):
        self.samples.setdefault(name, []).append(value)

    def median(self, name):
        return statistics.median(self.samples[name])

    def ratio(self, title, name, peer, limit, unit="s"):
        """A figure that is reached if median(name) / median(peer) is at most the limit."""
        if name not in self.samples or peer not in self.samples:
            return
        ours, theirs = self.median(name), self.median(peer)
        self.figures.append({"title": title, "value": ours, "peer": peer, "peer_value": theirs,
                             "unit": unit, "ratio": ours / theirs, "limit": limit,
                             "pass": ours / theirs <= limit})

    def bound(self, title, name, limit, unit):
        """A figure that is reached if the worst sample is at most the limit."""
        if name not in self.samples:
            return
        worst = max(self.samples[name])
        self.figures.append({"title": title, "value": worst, "peer": None, "peer_value": None,
                             "unit": unit, "ratio": None, "limit": limit,
                             "pass": worst <= limit})

    def all_pass(self):
        return all(figure["pass"] for figure in self.figures)

    def to_json(self):
        return json.dumps({"schema": "cambium.bench/v1", "figures": self.figures,
                           "samples": self.samples}, indent=1)

    def print_table(self):
        print(f"{'FIGURE':44} {'VALUE':>12} {'PEER':>12} {'RATIO':>7} {'LIMIT':>12}")
        for figure in self.figures:
            ratio = "" if figure["ratio"] is None else f"{figure['ratio']:.3f}"
            limit = (f"{figure['limit']:g}" if figure["ratio"] is not None
                     else show(figure["limit"], figure["unit"]))
            print(f"{figure['title']:44} {show(figure['value'], figure['unit']):>12} "
                  f"{show(figure['peer_value'], figure['unit']):>12} {ratio:>7} {limit:>12} "
                  f"{'PASS' if figure['pass'] else 'FAIL'}")


def show(value, unit):
    if value is None:
        return ""
    if unit == "bytes":
        return f"{value / MIB:.1f} MiB"
    if unit == "s":
        return f"{value:.3f} s"
    return f"{value:g} {unit}".strip()
