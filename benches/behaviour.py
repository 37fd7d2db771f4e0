#!/usr/bin/env python3
"""What the screen costs while it does nothing and while much arrives: processor time, bytes written to the terminal, and how long a key waits.

    benches/behaviour.py BINARY FILE [--held FILE] [--rate 50000] [--seconds 15] [--beside "lnav FILE" ...]

FILE is where records to append come from (they are repeated); --held is a file to hold first, such as one of ten million lines. First everything is read
and the screen is left alone: idle. Then RATE records a second are appended to a file that it follows, and keys are pressed meanwhile, each a
twentieth of a second after the answer to the one before. Times are wall time in milliseconds; processor time is that of the program, all threads. --beside runs other programs on the same
terminal, one after the other, and leaves them alone for as long. Only the standard library is needed. The screen is 200 by 60.
"""
import argparse, importlib.util, os, pathlib, re, shlex, shutil, sys, tempfile, threading, time

spec = importlib.util.spec_from_file_location("first_screen", pathlib.Path(__file__).with_name("first_screen.py"))
first_screen = importlib.util.module_from_spec(spec)
spec.loader.exec_module(first_screen)


class Counted(first_screen.Screen):
    """A screen that counts the bytes and the frames it is sent."""

    sent = drawn = 0

    def read(self, timeout):
        data = super().read(timeout)
        self.sent += len(data)
        self.drawn += data.count(first_screen.END_OF_FRAME)
        return data


def processor(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shown(times):
    times = sorted(time * 1000 for time in times)
    p = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    return f"p50 {p(.5):.1f}  p99 {p(.99):.1f}  max {times[-1]:.1f}  ({len(times)})"


def spent(screen, what, seconds, during):
    before, sent, drawn, begun = processor(screen.pid), screen.sent, screen.drawn, time.perf_counter()
    during()
    took, frames = time.perf_counter() - begun, screen.drawn - drawn
    each = (screen.sent - sent) / max(1, frames)
    share = (processor(screen.pid) - before) / took * 100
    drawn = f"{frames / took:.1f} frames a second, {each:.0f} bytes a frame, " if frames else ""
    print(f"{what:<22} {share:.2f}% of a processor, {drawn}{screen.sent - sent} bytes", flush=True)


def beside(command, seconds):
    """How much another program takes that is left alone."""
    argv = shlex.split(command)
    path = shutil.which(argv[0])
    if path is None:
        return print(f"{argv[0]:<22} is not installed")
    screen = Counted([path, *argv[1:]], False)
    screen.drain(5)
    spent(screen, f"idle: {argv[0]}", seconds, lambda: screen.drain(seconds))
    screen.end()


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("binary"), args.add_argument("file")
    args.add_argument("--held")
    args.add_argument("--rate", type=int, default=50_000)
    args.add_argument("--seconds", type=int, default=15)
    args.add_argument("--memory", default="2GiB")
    args.add_argument("--beside", action="append", default=[])
    args = args.parse_args()
    with open(args.file, "rb") as source:
        lines = [line for _, line in zip(range(args.rate * 2), source)]
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        live = pathlib.Path(folder, "live.log")
        live.write_bytes(b"".join(lines[:10_000]))

        def append():
            out, place, begun, done = live.open("ab", buffering=0), 0, time.perf_counter(), 0
            while not stop.is_set():
                due = int((time.perf_counter() - begun) * args.rate)
                take = min(due - done, len(lines) - place)
                out.write(b"".join(lines[place : place + take]))
                place, done = (place + take) % len(lines), done + take
                time.sleep(0.02)

        held = [args.held] if args.held else []
        screen = Counted([args.binary, "open", *held, str(live), "--follow", "--theme", "dark", "--memory", args.memory], False)
        if screen.until(lambda text: first_screen.rows(text) >= 30, 20) is None:
            sys.exit("no table came")
        begun = time.perf_counter()
        while re.search(r"read \d+%", screen.text()) and time.perf_counter() - begun < 240:
            screen.drain(1)
        print(f"read within            {time.perf_counter() - screen.start:.0f} s", flush=True)
        screen.drain(3)
        print("held:", re.search(r"held ([^\n]*?flows)", screen.text())[1])
        idle = min(args.seconds, 10)
        spent(screen, "idle", idle, lambda: screen.drain(idle))
        for command in args.beside:
            beside(command, idle)
        appending = threading.Thread(target=append)
        appending.start()
        screen.drain(2)
        spent(screen, f"{args.rate} a second", args.seconds, lambda: screen.drain(args.seconds / 2))
        has = lambda what: lambda text: what in text
        presses = [(b"/", has("all rows")), (b"\x1b", has("no filter")), (b"?", has("type to search")), (b"\x1b", has("no filter"))]
        presses += [(b"2", has("initiator")), (b"1", lambda text: "initiator" not in text)]
        times, lost, begun = {}, [], time.perf_counter()
        while time.perf_counter() - begun < args.seconds:
            for key, wanted in presses:
                screen.drain(0.05)
                screen.send(key)
                took = screen.until(wanted, 2)
                if took is None:
                    lost.append(key)
                else:
                    times.setdefault(key, []).append(took)
        for key, took in times.items():
            print(f"  {key!r:<21}", shown(took))
        every = [took for each in times.values() for took in each]
        print("key to its frame      ", shown(every) if every else "none", f"no answer to {lost}" if lost else "")
        behind = re.search(r"read (\d+)%", screen.text())
        print("read of what was appended", f"{behind[1]} %" if behind else "all")
        stop.set()
        appending.join()
        screen.end()


if __name__ == "__main__":
    main()
