#!/usr/bin/env python3
"""Measures what a user waits for: from exec to the first table of rows, and from a key to the change of the screen while a file loads.

    benches/first_screen.py BINARY FILE [--runs 9] [--keys 60] [--silent]

Runs `BINARY open FILE` on a pseudo-terminal of 200 by 60 that answers questions about its background as xterm does (with --silent it
does not, as some multiplexers do not). Only the standard library is needed. All times are wall time in milliseconds.
"""
import argparse, fcntl, os, pty, re, select, signal, statistics, struct, sys, termios, time

ROWS, COLS = 60, 200
END_OF_FRAME = b"\x1b[?2026l"
# A move of the cursor, another control sequence, or text.
PIECE = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b(?:\[[0-9;?<>=]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)|([^\x1b]+)")


class Screen:
    def __init__(self, argv, silent):
        self.silent, self.seen = silent, b""
        self.lines = [[" "] * COLS for _ in range(ROWS)]
        self.start = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            os.environ.pop("NO_COLOR", None)
            os.execv(argv[0], argv)

    def read(self, timeout):
        """What comes within `timeout` seconds; empty if nothing does or the program has ended."""
        if not select.select([self.fd], [], [], max(0, timeout))[0]:
            return b""
        try:
            data = os.read(self.fd, 1 << 16)
        except OSError:
            return b""
        if not self.silent:
            if b"\x1b]11;?" in data:
                self.send(b"\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\")
            if b"\x1b]10;?" in data:
                self.send(b"\x1b]10;rgb:dddd/dddd/dddd\x1b\\")
            if b"\x1b[c" in data:
                self.send(b"\x1b[?62;22c")
        return data

    def send(self, data):
        os.write(self.fd, data)

    def frames(self, data):
        """Takes in what came; True if a frame came to its end with it."""
        frames, end, self.seen = (self.seen + data).rpartition(END_OF_FRAME)
        x = y = 0
        for piece in PIECE.finditer((frames + end).decode(errors="replace")):
            if piece[1]:
                y, x = int(piece[1]) - 1, int(piece[2]) - 1
            for char in piece[3] or "":
                if y < ROWS and x < COLS:
                    self.lines[y][x] = char
                x += 1
        return bool(end)

    def text(self):
        return "\n".join("".join(line) for line in self.lines)

    def until(self, wanted, limit):
        """Seconds until the screen is as `wanted`, at the end of a frame; None if it does not come to that."""
        begun = time.perf_counter()
        while (left := begun + limit - time.perf_counter()) > 0:
            if self.frames(self.read(left)) and wanted(self.text()):
                return time.perf_counter() - begun
        return None

    def drain(self, seconds):
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.frames(self.read(left))

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def rows(text):
    """Rows of the flow table: an arrow stands between source and destination."""
    return sum("\u2192" in line for line in text.split("\n"))


def shown(times):
    times = sorted(time * 1000 for time in times)
    p = lambda share: times[min(len(times) - 1, int(len(times) * share))]
    return f"median {statistics.median(times):.1f}  p95 {p(.95):.1f}  max {times[-1]:.1f}  min {times[0]:.1f}  ({len(times)})"


def main():
    args = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    args.add_argument("binary"), args.add_argument("file")
    args.add_argument("--runs", type=int, default=9)
    args.add_argument("--keys", type=int, default=60)
    args.add_argument("--silent", action="store_true")
    args.add_argument("--theme", default="auto")
    args = args.parse_args()
    argv = [args.binary, "open", args.file, "--theme", args.theme]

    first, full = [], []
    for _ in range(args.runs):
        screen = Screen(argv, args.silent)
        for times, wanted in ((first, lambda text: "Flows" in text), (full, lambda text: rows(text) >= 30)):
            if wanted(screen.text()) or screen.until(wanted, 10) is not None:
                times.append(time.perf_counter() - screen.start)
        screen.end()
    print("start to first frame      ", shown(first))
    print("start to table of rows    ", shown(full) if full else "none came")

    screen = Screen(argv, args.silent)
    if screen.until(lambda text: rows(text) >= 30, 10) is None:
        sys.exit("no table came")
    screen.drain(1)

    def press(name, presses):
        """Presses each key and waits for the change that it alone brings about: frames come by themselves while the file loads."""
        times, lost = [], []
        for key, wanted in presses:
            screen.drain(0.05)
            screen.send(key)
            took = screen.until(wanted, 2)
            if took is None:
                lost.append(key)
            else:
                times.append(took)
        print(f"{name:<26}", shown(times) if times else "", f"no answer: {lost}" if lost else "", flush=True)

    has = lambda what: lambda text: what in text
    press("open and leave the bar", [(b"/", has("all rows")), (b"\x1b", has("no filter"))] * (args.keys // 2))
    press("open and leave help", [(b"?", has("type to search")), (b"\x1b", has("no filter"))] * (args.keys // 2))
    press("to sessions and back", [(b"2", has("initiator")), (b"1", lambda text: "initiator" not in text)] * (args.keys // 2))
    press("freeze and go on", [(b" ", has("FROZEN")), (b" ", lambda text: "FROZEN" not in text)] * (args.keys // 4))
    screen.send(b"/port 11211")
    screen.drain(0.2)
    press("apply a filter", [(b"\r", has("filter: port 11211"))])
    press("no filter", [(b"/\x15\r", has("no filter"))])
    screen.send(b"l" * 8)
    screen.drain(0.2)
    press("sort by another column", [(b"s", lambda text: not re.search("time[\u2191\u2193]", text))])
    press("back to the newest", [(b"F", lambda text: re.search("time\u2193", text))])
    progress = re.search(r"read (\d+)%", screen.text())
    print("read when it was over     ", progress[0][5:] if progress else "all")
    screen.end()


if __name__ == "__main__":
    main()
