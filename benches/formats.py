#!/usr/bin/env python3
"""formats.py FILE [LINES] [ROUNDS]: what a field costs in other formats than the default, and what gzip costs. Run after `benches/peers/run` or
`cargo build --release --no-default-features --bin flowtail --example way_in`.

Takes the first LINES (300,000) of FILE, which is of the default format, gives them the fields of other formats, and prints the processor time that
a field takes to columns, ROUNDS (5) in turn. Then the same lines from gzip: lines to the ring beside inflate alone, which is what bounds the one by the
other where each has a core, and flowtail with sessions and all rules.
"""
import gzip
import itertools
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

WAY_IN, FLOWTAIL = "target/release/examples/way_in", "target/release/flowtail"
V2 = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status".split()
# What else a record of version 5 has, made of its number and its own values.
MORE = {
    "vpc-id": lambda n, r: f"vpc-{n % 3:017x}", "subnet-id": lambda n, r: f"subnet-{n % 6:017x}", "instance-id": lambda n, r: "i-" + r["interface-id"][4:],
    "tcp-flags": lambda n, r: (2, 3, 18, 19)[n % 4], "type": lambda n, r: "IPv4", "pkt-srcaddr": lambda n, r: r["srcaddr"],
    "pkt-dstaddr": lambda n, r: r["dstaddr"], "region": lambda n, r: "us-west-1", "az-id": lambda n, r: f"usw1-az{n % 2}", "sublocation-type": lambda n, r: "-",
    "sublocation-id": lambda n, r: "-", "pkt-src-aws-service": lambda n, r: "-", "pkt-dst-aws-service": lambda n, r: ("-", "S3")[n % 8 == 0],
    "flow-direction": lambda n, r: ("ingress", "egress")[n % 2], "traffic-path": lambda n, r: n % 3 or "-",
}
FORMATS = {
    "default": V2,
    "version 5, all fields": V2 + list(MORE),
    "all of version 5, alphabetical": sorted(V2 + list(MORE)),
    "numbers last": "interface-id srcaddr dstaddr action vpc-id srcport dstport protocol bytes packets start end tcp-flags".split(),
    "eight fields, shuffled": "bytes dstaddr start action srcaddr dstport interface-id protocol".split(),
    "words between numbers": "srcport type dstport action protocol region packets az-id bytes flow-direction end".split(),
}


def processor(*command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(file, lines="300000", rounds="5"):
    rounds = int(rounds)
    with tempfile.TemporaryDirectory() as folder, open(file, encoding="ascii") as log:
        records = [dict(zip(V2, line.split())) for line in itertools.islice(log, int(lines))]
        paths = {}
        for name, fields in FORMATS.items():
            paths[name] = pathlib.Path(folder, name.replace(" ", "-"))
            with open(paths[name], "w", encoding="ascii") as out:
                out.writelines(" ".join(str(r[f] if f in r else MORE[f](n, r)) for f in fields) + "\n" for n, r in enumerate(records))
        times = {name: [] for name in FORMATS}
        for _ in range(rounds):
            for name, fields in FORMATS.items():
                told = json.loads(subprocess.run([WAY_IN, "parse", "--format", " ".join(fields), str(paths[name])], capture_output=True, check=True).stdout)
                if (told["lines"], told["rejects"]) != (len(records), 0):
                    sys.exit(f"{name}: {told}")
                times[name].append((told["busy"] or told["seconds"]) * 1e9 / told["lines"] / len(fields))
        load = os.getloadavg()[0]
        print(f"{len(records):,} lines, medians of {rounds} rounds in turn, load {load:.1f}\n\n| format | fields | ns of processor a field | of default |\n|---|---|---|---|")
        base = statistics.median(times["default"])
        for name, fields in FORMATS.items():
            each = statistics.median(times[name])
            print(f"| {name} | {len(fields)} | {each:.1f} | {each / base:.2f} |")
        plain, packed = paths["default"], pathlib.Path(folder, "packed.gz")
        packed.write_bytes(gzip.compress(plain.read_bytes(), 6))
        spent = {"gzip -dc": [], "lines to ring": [], "flowtail, plain": [], "flowtail, gzip": []}
        for _ in range(rounds):
            spent["flowtail, plain"].append(processor(FLOWTAIL, "open", str(plain), "--print", "summary"))
            spent["flowtail, gzip"].append(processor(FLOWTAIL, "open", str(packed), "--print", "summary"))
            held = json.loads(subprocess.run([WAY_IN, "hold", str(plain)], capture_output=True, check=True).stdout)
            spent["lines to ring"].append(held["busy"] or held["seconds"])
            spent["gzip -dc"].append(processor("gzip", "-dc", str(packed)))
        print("\n| the same lines | ms of processor |\n|---|---|")
        for name, each in spent.items():
            print(f"| {name} | {statistics.median(each) * 1000:.0f} |")


main(*sys.argv[1:4])
