#!/usr/bin/env python3
"""What typing a filter costs with a file held: from each key to its frame and to the count of matches; from Enter to the first screenful.

    benches/typing.py BINARY FILE [--memory 2GiB] [--rounds 5]

Opens FILE on the pseudo-terminal of `first_screen.py` (200 by 60), waits until all of it is read, then types each filter a key at a time, 50 ms apart,
applies it and drops it again. Wall time in milliseconds.
"""
import argparse, importlib.util, pathlib, re, statistics, sys, time

spec = importlib.util.spec_from_file_location("first_screen", pathlib.Path(__file__).with_name("first_screen.py"))
first_screen = importlib.util.module_from_spec(spec)
spec.loader.exec_module(first_screen)

FILTERS = ["port 11211 and bytes > 1000", "10.0.2.0/24", "reject", "src $public dport ssh", "not udp", "ip != 10.0.0.0/8", "/ 11211 .* ACCEPT/"]


def shown(times):
    times = sorted(time * 1000 for time in times)
    p = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    return f"median {statistics.median(times):.1f}  p99 {p(.99):.1f}  max {times[-1]:.1f}  ({len(times)})"


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("binary"), args.add_argument("file")
    args.add_argument("--memory", default="2GiB")
    args.add_argument("--rounds", type=int, default=5)
    args = args.parse_args()
    screen = first_screen.Screen([args.binary, "open", args.file, "--theme", "dark", "--memory", args.memory], False)
    try:
        # Other people's work on the machine is not what is measured.
        for process in ("self", screen.pid):
            pathlib.Path(f"/proc/{process}/autogroup").write_text("-15")
    except OSError:
        pass
    if screen.until(lambda text: first_screen.rows(text) >= 30, 10) is None:
        sys.exit("no table came")
    # The header says how much is read until all of it is.
    begun = time.perf_counter()
    while time.perf_counter() - begun < 600:
        screen.drain(1)
        if not re.search(r"read \d+%", screen.text()):
            break
    screen.drain(1)
    print("held:", re.search(r"held ([^\n]*?flows)", screen.text())[1])
    bar = lambda: next((line for line in screen.text().split("\n") if re.match(r"\s*[x?]?/ ", line)), "")
    # A count that is not complete yet has another form.
    counted = re.compile(r"\d of [\d,.]+[kMG]?\s*$")
    keys, counts, screens, completes = [], [], [], []
    for _ in range(args.rounds):
        for text in FILTERS:
            screen.send(b"/\x15")
            screen.drain(0.1)
            for place, char in enumerate(text):
                typed = text[: place + 1].rstrip()
                sent = time.perf_counter()
                screen.send(char.encode())
                if char == " ":
                    screen.drain(0.05)
                    continue
                took = screen.until(lambda _: typed in bar(), 5)
                if took is None:
                    sys.exit(f"no frame for {typed!r}")
                keys.append((took, typed))
                if took > 0.5:
                    print("slow:", repr(typed), round(took * 1000), repr(bar()), file=sys.stderr)
                if place + 1 == len(text):
                    if not counted.search(bar()):
                        screen.until(lambda _: counted.search(bar()) is not None, 30)
                    counts.append(time.perf_counter() - sent)
                else:
                    screen.drain(max(0, 0.05 - took))
            count = re.search(r"([\d,]+) of [\d,.]+[kMG]?\s*$", bar())
            sent = time.perf_counter()
            screen.send(b"\r")
            # The rows are those of the filter where they are counted as the draft was, or while they are still counted.
            theirs = lambda text: count and f"{count[1]} of" in text or "looked at" in text
            took = screen.until(lambda text: "Enter apply" not in text and first_screen.rows(text) >= 20 and theirs(text), 5)
            if took is None:
                print("no rows:", text, file=sys.stderr)
            screens.append(took if took is not None else 5)
            screen.send(b"/\x15\r")
            screen.drain(0.2)
    print("key to its frame          ", shown([took for took, _ in keys]))
    print("  slowest:", ", ".join(f"{typed!r} {took * 1000:.0f}" for took, typed in sorted(keys, reverse=True)[:6]))
    print("last key to the full count", shown(counts))
    print("Enter to rows             ", shown(screens))
    screen.end()


if __name__ == "__main__":
    main()
