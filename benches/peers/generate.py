#!/usr/bin/env python3
"""generate.py LINES FILE: flow log records of the default format, the same bytes every time.

A VPC of 48 hosts behind as many interfaces talks to 120,000 addresses, few of them much and most of them little. Requests have answers in the
same window, an eighth is rejected, one in fifty is IPv6, one in two hundred is NODATA or SKIPDATA. Windows are a minute long.
"""
import random
import sys


def main(lines, path):
    rng = random.Random(20180820)
    hosts = [(f"eni-{0x0c0ffee000000000 + n * 7919:017x}", f"10.30.{n % 4}.{20 + n}", f"2001:db8:30:{n % 4}::{20 + n:x}") for n in range(48)]
    services = [(443, 6)] * 8 + [(80, 6), (53, 17), (53, 17), (123, 17), (22, 6), (5432, 6), (3306, 6), (11211, 17)]
    made = 0
    with open(path, "w", encoding="ascii", newline="\n") as out:
        while made < lines:
            eni, host, host6 = hosts[int(48 ** rng.random()) - 1]
            start = 1_700_000_000 + made // 2_500
            end = start + 40 + rng.randrange(20)
            head, tail = f"2 210987654321 {eni}", f"{start} {end}"
            kind = rng.random()
            if kind < 0.005:
                out.write(f"{head} - - - - - - - {tail} - {'NODATA' if rng.random() < 0.8 else 'SKIPDATA'}\n")
                made += 1
                continue
            peer = int(120_000 ** rng.random()) * 40_503 % 0x50000000 + 0x0B000000
            remote = ".".join(str(peer >> shift & 255) for shift in (24, 16, 8, 0))
            if kind > 0.98:
                host, remote = host6, f"2001:db8:{peer >> 16:x}::{peer & 0xffff:x}"
            sport = rng.randrange(1024, 65536)
            if kind < 0.13:
                out.write(f"{head} {remote} {host} {sport} {rng.randrange(1, 10_000)} 6 1 {rng.choice((40, 44, 60))} {tail} REJECT OK\n")
                made += 1
                continue
            port, proto = rng.choice(services)
            asked, answered = 1 + int(rng.expovariate(0.1)), 1 + int(rng.expovariate(0.05))
            out.write(f"{head} {remote} {host} {sport} {port} {proto} {asked} {asked * rng.randrange(52, 400)} {tail} ACCEPT OK\n")
            made += 1
            if made < lines:
                out.write(f"{head} {host} {remote} {port} {sport} {proto} {answered} {answered * rng.randrange(52, 1500)} {tail} ACCEPT OK\n")
                made += 1


main(int(sys.argv[1]), sys.argv[2])
