#!/usr/bin/env python3
"""table.py FILE ROUNDS [WHAT]: runs every measurement (of WHAT) in turn, ROUNDS times, and prints medians. Called by `run`, which prepares what it needs."""
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

PEERS, HERE = pathlib.Path("target/peers"), pathlib.Path("benches/peers")
PYTHON, RUST = str(PEERS / "venv/bin/python"), PEERS / "rust/release"


def told(*command):
    """A program that prints lines, seconds and held bytes itself."""
    def run():
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return run


def children():
    """Processor time of all programs that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def timed(lines, *command):
    """A program whose whole run is the measurement."""
    def run():
        used, begun = children(), time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        return {"lines": lines, "seconds": time.perf_counter() - begun, "busy": children() - used, "held": 0}
    return run


def main(file, rounds, only=None):
    with open(file, "rb") as log:
        lines = sum(1 for _ in log)
    python = lambda mode: told(PYTHON, str(HERE / "peer.py"), mode, file)
    flowtail = lambda mode: told("target/release/examples/way_in", mode, file)
    runs = {("parse, one thread", "flowtail"): flowtail("parse")}
    if (RUST / "vrl").exists():
        runs["parse, one thread", "VRL parse_aws_vpc_flow_log"] = told(str(RUST / "vrl"), file)
    for mode in ("polars", "pandas", "pyarrow", "flowlogs-reader"):
        runs["parse, one thread", mode] = python(mode)
    runs["parse, one thread", "DuckDB read_csv to a table"] = python("duckdb1")
    runs["hold", "flowtail, lines to ring"] = flowtail("hold")
    runs["file to summary", "flowtail open --print summary"] = timed(lines, "target/release/flowtail", "open", file, "--print", "summary")
    runs["file to summary", "DuckDB, file to a table, 2 threads"] = python("duckdb2")
    runs["pair", "flowtail, ring and sessions, no rules"] = flowtail("pair")
    runs["pair", "DuckDB, GROUP BY both ends, text, 2 threads"] = python("duckdb-pair")
    runs["pair", "DuckDB, GROUP BY both ends, numbers, 2 threads"] = python("duckdb-packed")
    runs["pair", "DuckDB, self-join, numbers, 2 threads"] = python("duckdb-join")
    netflow = PEERS / f"netflow-{pathlib.Path(file).stem}"
    if netflow.is_dir():
        runs["pair", "nfdump -B, own binary, IPv4 only"] = timed(lines, "nfdump", "-R", str(netflow), "-B", "-o", "null")
    else:
        print("nfdump is missing: its row is left out", file=sys.stderr)
    runs = {name: run for name, run in runs.items() if only in (None, name[0])}
    results = {name: [] for name in runs}
    load = os.getloadavg()[0]
    for _ in range(rounds):
        for name, run in runs.items():
            results[name].append(run())
    print(f"{lines:,} lines, {rounds} interleaved rounds, medians. {os.cpu_count()} processors at load {load:.1f} before and {os.getloadavg()[0]:.1f} after.\n")
    print("| what | with | wall, s | processor, s | M lines/s of processor | bytes held a flow |\n|---|---|---|---|---|---|")
    for (what, who), each in results.items():
        seconds, busy, held = (statistics.median(one.get(key, 0) for one in each) for key in ("seconds", "busy", "held"))
        count = each[0]["lines"]
        rate = count / (busy or seconds) / 1e6
        print(f"| {what} | {who} | {seconds:.3f} | {busy:.3f} | {rate:.2f} | {f'{held / count:.0f}' if held > 0 else ''} |")


main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
