#!/usr/bin/env python3
"""to_netflow.py FILE FOLDER: the IPv4 records of a default-format file as NetFlow version 5, through nfcapd on loopback, into FOLDER.

nfdump has no reader of flow logs; this gives it its own binary form of the same flows. Bytes and packets past 32 bits are cut to what the
protocol holds. Fails where nfcapd did not get every record, since UDP may lose some.
"""
import pathlib
import re
import socket
import struct
import subprocess
import sys
import time

RECORD = struct.Struct(">4s4sIHHIIIIHHBBBBHHBBH")
HEADER = struct.Struct(">HHIIIIBBH")


def records(path):
    interfaces = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            _, _, eni, src, dst, sport, dport, proto, packets, size, start, end, _, status = line.split()[:14]
            if status == "OK" and "." in src:
                yield (socket.inet_aton(src), socket.inet_aton(dst), interfaces.setdefault(eni, len(interfaces)) & 0xffff, int(packets) & 0xffffffff,
                       min(int(size), 0xffffffff), int(start), int(end), int(sport), int(dport), int(proto))


def send(path, port):
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    out.connect(("127.0.0.1", port))
    sent, boot, packet = 0, None, []
    def flush():
        nonlocal sent
        last = max(end for *_, end in packet)
        body = b"".join(raw for raw, _ in packet)
        out.send(HEADER.pack(5, len(packet), (last - boot) * 1000, last, 0, sent & 0xffffffff, 0, 0, 0) + body)
        sent += len(packet)
        packet.clear()
        if sent % 900 == 0:
            time.sleep(0.001)
    for src, dst, eni, packets, size, start, end, sport, dport, proto in records(path):
        boot = boot or start - 100
        times = (max(0, start - boot) * 1000, max(0, end - boot) * 1000)
        packet.append((RECORD.pack(src, dst, 0, eni, 0, packets, size, *times, sport, dport, 0, 0, proto, 0, 0, 0, 0, 0, 0), end))
        if len(packet) == 30:
            flush()
    if packet:
        flush()
    return sent


def main(path, folder):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    collector = subprocess.Popen(["nfcapd", "-b", "127.0.0.1", "-p", str(port), "-w", str(folder), "-t", "3600", "-B", "8000000"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(1)
        sent = send(path, port)
        time.sleep(2)
    finally:
        collector.terminate()
        collector.wait(30)
    told = subprocess.run(["nfdump", "-R", str(folder), "-I"], capture_output=True, text=True, check=True).stdout
    flows = sum(int(n) for n in re.findall(r"^Flows: (\d+)", told, re.M))
    if flows != sent:
        sys.exit(f"nfcapd has {flows} of {sent} records; run again")
    print(f"{sent} records in {folder}")


main(*sys.argv[1:3])
