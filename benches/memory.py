#!/usr/bin/env python3
"""memory.py FLOWTAIL FILE [TIMES] [MEMORY]: is `--memory` kept, and does anything stall?

Feeds FILE through standard input TIMES (5) times to `flowtail open - --print summary --memory MEMORY` (256MiB) and prints one JSON object: the lines
fed, the most resident memory, what of it is over MEMORY, and the longest that a write of 64 KiB had to wait, which is the longest pause of the way in.
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


def main(flowtail, file, times="5", memory="256MiB"):
    budget = int(memory[:-3]) * UNITS[memory[-3:]]
    command = [flowtail, "open", "-", "--print", "summary", "--memory", memory]
    begun = time.perf_counter()
    lines, longest, most = 0, 0.0, 0
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as child:
        pipe = child.stdin.fileno()
        for _ in range(int(times)):
            with open(file, "rb", buffering=0) as log:
                while chunk := log.read(1 << 16):
                    lines += chunk.count(b"\n")
                    asked = time.perf_counter()
                    while chunk:
                        chunk = chunk[os.write(pipe, chunk):]
                    longest = max(longest, time.perf_counter() - asked)
            most = resident(child.pid)
        child.stdin.close()
        while child.poll() is None:
            try:
                most = max(most, resident(child.pid))
            except (OSError, StopIteration):
                break
            time.sleep(0.05)
    print(json.dumps({
        "lines": lines,
        "seconds": round(time.perf_counter() - begun, 1),
        "budget_mib": budget >> 20,
        "resident_mib": most >> 20,
        "over_mib": (most - budget) >> 20,
        "longest_wait_ms": round(longest * 1000),
        "exit": child.returncode,
    }))


main(*sys.argv[1:])
