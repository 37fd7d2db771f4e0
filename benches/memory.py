#!/usr/bin/env python3
"""memory.py FLOWTAIL FILE [TIMES] [MEMORY]: is `--memory` kept, and does anything stall?

Feeds FILE through standard input TIMES (5) times to `flowtail open - --print summary --memory MEMORY` (256MiB) and prints one JSON object: the lines
fed, the most resident memory, what of it is over MEMORY, and the longest that a write of 64 KiB had to wait, which is the longest pause of the way in.
Of that wait it says how long the busiest thread of the program had a processor and how long one waited for a processor: a pause of the program's own
making is spent on the one, one that other programs make on the other.
"""
import json
import os
import pathlib
import subprocess
import sys
import time

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def resident(pid):
    """The most that was resident, in bytes."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def threads(pid):
    """Nanoseconds that each thread had a processor, and that it waited for one."""
    told = {}
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            told[path.parent.name] = [int(part) for part in path.read_text(encoding="ascii").split()[:2]]
        except (OSError, ValueError):
            pass
    return told


def most(before, after, what):
    """The most that a thread gained, in milliseconds."""
    return round(max((after[name][what] - before.get(name, [0, 0])[what] for name in after), default=0) / 1e6)


def main(flowtail, file, times="5", memory="256MiB"):
    budget = int(memory[:-3]) * UNITS[memory[-3:]]
    command = [flowtail, "open", "-", "--print", "summary", "--memory", memory]
    begun = time.perf_counter()
    lines, longest, resident_most, pause = 0, 0.0, 0, {}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        pipe = child.stdin.fileno()
        looked, before = 0.0, {}
        for _ in range(int(times)):
            with open(file, "rb", buffering=0) as log:
                while chunk := log.read(1 << 16):
                    lines += chunk.count(b"\n")
                    # Often enough to know what a long wait was spent on, and too seldom to cost much.
                    if looked < time.perf_counter() - 0.01:
                        before, looked = threads(child.pid), time.perf_counter()
                    asked = time.perf_counter()
                    while chunk:
                        chunk = chunk[os.write(pipe, chunk):]
                    if time.perf_counter() - asked > longest:
                        longest, after = time.perf_counter() - asked, threads(child.pid)
                        pause = {"had_processor_ms": most(before, after, 0), "waited_for_processor_ms": most(before, after, 1)}
            resident_most = resident(child.pid)
        child.stdin.close()
        while child.poll() is None:
            try:
                resident_most = max(resident_most, resident(child.pid))
            except (OSError, StopIteration):
                break
            time.sleep(0.05)
    print(json.dumps({
        "lines": lines,
        "seconds": round(time.perf_counter() - begun, 1),
        "budget_mib": budget >> 20,
        "resident_mib": resident_most >> 20,
        "over_mib": (resident_most - budget) >> 20,
        "longest_wait_ms": round(longest * 1000),
        **pause,
        "exit": child.returncode,
    }))


main(*sys.argv[1:])
