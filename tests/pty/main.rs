//! The real binary in a real terminal: a pseudo-terminal, read by a terminal emulator. What only shows here is tested here: that the screen
//! opens, answers keys, and gives the terminal back however it ends.
//!
//! Nothing sleeps. Every step waits for what it expects to see and fails with the screen when it does not come.
#![cfg(unix)]

#[path = "../support/mmdb.rs"]
mod mmdb;
mod terminal;

use std::io::Write as _;

use rustix::process::Signal;
use terminal::{Setup, Terminal, rows};

/// The rule that the founding attack trips.
const ALERT: &str = "AMP-PROBE";

#[test]
fn the_demo_shows_rows_and_within_seconds_the_alert() {
    let mut terminal = Terminal::start(&Setup::new(&["demo"]));
    terminal.wait_for("rows of flows", |screen| rows(screen).len() > 5);
    terminal
        .wait_for("the alert with what was measured", |screen| screen.contains(ALERT) && screen.contains("1,026.5"));
}

#[test]
fn a_filter_shows_only_what_matches() {
    let mut terminal = Terminal::start(&Setup::new(&["demo"]));
    terminal.wait_for("rows of another service", |screen| rows(screen).iter().any(|row| !row.contains("11211")));
    terminal.press("/11211\r");
    terminal.wait_for("matching rows alone", |screen| {
        let rows = rows(screen);
        screen.contains("filter: 11211") && rows.len() > 5 && rows.iter().all(|row| row.contains("11211"))
    });
}

#[test]
fn a_wrong_filter_is_named_and_the_last_good_one_stays() {
    let mut terminal = Terminal::start(&Setup::new(&["demo", "--filter", "port 11211"]));
    terminal.wait_for_text("filter: port 11211");
    // Ctrl-U empties the bar.
    terminal.press("/\x15port =\r");
    terminal.wait_for("the error, and the rows of the last good filter", |screen| {
        let rows = rows(screen);
        screen.contains("not a filter")
            && screen.contains("The filter ends where a value is expected.")
            && rows.len() > 5
            && rows.iter().all(|row| row.contains("11211"))
    });
    terminal.press("\x1b");
    terminal.wait_for("the good filter", |screen| {
        screen.contains("filter: port 11211") && !screen.contains("not a filter")
    });
}

#[test]
fn any_size_is_drawn_and_no_change_of_size_ends_it() {
    let mut terminal = Terminal::start(&Setup::new(&["demo"]));
    terminal.wait_for("rows", |screen| rows(screen).len() > 5);
    let sizes = [(1, 1), (20, 5), (300, 100), (2, 60), (300, 1), (80, 24), (109, 7), (110, 8), (1, 100), (40, 12)];
    for (width, height) in sizes.into_iter().cycle().take(60) {
        terminal.resize(width, height);
    }
    // After the storm each size is drawn as if it had been the first.
    for (width, height, shown) in [(20, 5, "FOLLOW"), (300, 100, "Ctrl-C quit"), (80, 24, "? help")] {
        terminal.resize(width, height);
        if shown == "Ctrl-C quit" {
            terminal.wait_for("a screen full of rows", |screen| rows(screen).len() > 40);
        } else {
            terminal.wait_for_text(shown);
        }
    }
    terminal.resize(1, 1);
    terminal.resize(120, 32);
    terminal.wait_for("rows again", |screen| rows(screen).len() > 5);
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
}

#[test]
fn a_terminal_that_was_small_for_a_moment_is_drawn_whole() {
    let mut terminal = Terminal::start(&Setup::new(&["demo"]));
    terminal.wait_for("rows", |screen| rows(screen).len() > 5 && screen.contains("FOLLOW"));
    // Stopped, the program sees the last size alone, which is the one that it drew for; the terminal has thrown away what did not fit.
    terminal.signal(Signal::STOP);
    terminal.resize(4, 2);
    terminal.resize(120, 32);
    terminal.wait_for("an empty screen", |screen| rows(screen).is_empty() && !screen.contains("FOLLOW"));
    terminal.signal(Signal::CONT);
    terminal.wait_for("the screen as it was", |screen| rows(screen).len() > 5 && screen.contains("FOLLOW"));
}

#[test]
fn quitting_gives_the_terminal_back() {
    for keys in ["q", "\x03"] {
        let mut terminal = Terminal::start(&Setup::new(&["demo"]));
        terminal.wait_for("rows", |screen| rows(screen).len() > 5);
        assert!(terminal.is_taken(), "the screen must be the alternate one");
        terminal.press(keys);
        assert_eq!(terminal.wait_exit(), 0);
        terminal.assert_given_back();
    }
}

#[test]
fn signals_give_the_terminal_back() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let mut terminal = Terminal::start(&Setup::new(&["demo"]));
        terminal.wait_for("rows", |screen| rows(screen).len() > 5);
        terminal.signal(signal);
        assert_eq!(terminal.wait_exit(), 0, "{signal:?}");
        terminal.assert_given_back();
    }
}

#[test]
fn suspending_and_coming_back_works_in_a_shell() {
    let setup = Setup { program: "/bin/sh", args: &["-i"], env: &[("PS1", "shell> "), ("ENV", "")] };
    let mut terminal = Terminal::start(&setup);
    terminal.wait_for_text("shell> ");
    let shell = terminal.foreground();
    terminal.press(&format!("'{}' demo --theme dark\r", env!("CARGO_BIN_EXE_flowtail")));
    terminal.wait_for("rows", |screen| rows(screen).len() > 5);
    let flowtail = terminal.foreground();
    assert_ne!(flowtail, shell, "the shell has no job control");

    for _ in 0..2 {
        terminal.press("\x1a");
        // The shell says so once it knows that its job has stopped.
        terminal.wait_for_text("Stopped");
        terminal.wait_for("the shell's own screen", |screen| rows(screen).is_empty());
        assert!(!terminal.is_taken(), "the shell must have its screen and its cursor");
        #[cfg(target_os = "linux")]
        assert_eq!(state_of(flowtail), 'T');
        // What is typed now goes to the shell and to nobody else.
        terminal.press("clear; echo $((6 * 7))q\r");
        terminal.wait_for_text("42q");
        terminal.press("clear; fg\r");
        terminal.wait_for("rows again", |screen| rows(screen).len() > 5);
        assert_eq!(terminal.foreground(), flowtail);
        assert!(terminal.is_taken());
    }

    terminal.press("q");
    terminal.wait_for("the shell", |screen| rows(screen).is_empty() && screen.contains("shell> "));
    terminal.press("clear; echo status $?\r");
    terminal.wait_for_text("status 0");
    terminal.press("exit\r");
    terminal.wait_exit();
}

/// The letter that `/proc` has for what the process does.
#[cfg(target_os = "linux")]
fn state_of(process: i32) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).expect("the process lives");
    // The name stands in brackets and may hold anything.
    let after = stat.rsplit_once(") ").expect("a stat line").1;
    after.chars().next().expect("a state")
}

#[test]
fn text_from_the_log_cannot_command_the_terminal() {
    // Clear and move; the clipboard; a title; the same in C1 controls; text that runs backwards; two that no field can hold.
    let hostile: [&[u8]; 7] = [
        b"\x1b[2J\x1b[7;7Hclear",
        b"\x1b]52;c;aG9zdGlsZQ==\x07clip",
        b"\x1b]0;owned\x1b\\title",
        "\u{9b}2J\u{9d}0;x\u{9c}onec".as_bytes(),
        "\u{202e}drow\u{2066}\u{200f}bidi".as_bytes(),
        b"\x9b31mraw\xff",
        b"\x08\x08\x0d\x7fback",
    ];
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    for (second, text) in (10..).zip(hostile) {
        for (account, interface) in [(text, &b"eni-1"[..]), (&b"111122223333"[..], text)] {
            let rest = format!("10.0.0.1 10.0.0.2 40000 443 6 5 500 1534778700 15347787{second} ACCEPT OK\n");
            file.write_all(&[b"2", account, interface, rest.as_bytes()].join(&b' ')).expect("a file");
        }
    }
    let name = file.path().to_str().expect("a name");
    let mut terminal = Terminal::start(&Setup::new(&["open", name, "--theme", "dark"]));
    terminal.resize(200, 60);
    let readable = hostile.len() - 2;
    terminal.wait_for("all rows", |screen| rows(screen).len() == 2 * readable && screen.contains("4 unparsed"));
    // The detail shows every field and the whole line; each row in turn.
    terminal.press("d");
    for second in (10..10 + readable).rev() {
        for _ in 0..2 {
            let line = format!("15347787{second} ACCEPT OK");
            terminal.wait_for_text(&line);
            terminal.press("j");
        }
    }
    // What was taken out leaves a sign.
    assert!(terminal.contents().contains("?[2J?[7;7Hclear"), "{}", terminal.contents());
    // By account, by interface, by both as filters.
    terminal.press("gb\x15account-id interface-id\r");
    terminal.wait_for("groups", |screen| screen.contains("account-id") && screen.contains("clear"));
    for word in ["clear", "clip", "title", "onec", "bidi"] {
        assert!(terminal.contents().contains(word), "{word} is not shown:\n{}", terminal.contents());
    }
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);

    let written = String::from_utf8(terminal.raw().to_vec()).expect("only UTF-8 is written");
    for sequence in ["\x1b[2J\x1b[7;7H", "\x1b]", "\x07", "\x08", "\x7f", "\x1b\\"] {
        assert!(!written.contains(sequence), "{sequence:?} reached the terminal");
    }
    let forbidden = |c: char| matches!(c, '\u{80}'..='\u{9f}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    assert_eq!(written.chars().find(|c| forbidden(*c)), None);
}

#[test]
fn no_color_means_no_colour() {
    let plain = Setup { env: &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")], ..Setup::new(&["demo"]) };
    let coloured = Setup { env: &[("COLORTERM", "truecolor")], ..Setup::new(&["demo"]) };
    for (setup, wanted) in [(plain, false), (coloured, true)] {
        let mut terminal = Terminal::start(&setup);
        terminal.wait_for("rows", |screen| rows(screen).len() > 5);
        terminal.press("dj/11211\r");
        terminal.wait_for_text("filter: 11211");
        terminal.press("q");
        assert_eq!(terminal.wait_exit(), 0);
        let (colours, attributes) = rendition(terminal.raw());
        assert_eq!(!colours.is_empty(), wanted, "{colours:?}");
        assert!(!attributes.is_empty(), "what matters must stand out");
    }
}

/// The colours and the other attributes that SGR sequences in `raw` set. Going back to the terminal's own is neither.
fn rendition(raw: &[u8]) -> (Vec<String>, Vec<String>) {
    let text = String::from_utf8_lossy(raw);
    let (mut colours, mut attributes) = (Vec::new(), Vec::new());
    for sequence in text.split("\x1b[").skip(1) {
        let Some(end) = sequence.find(|c: char| c.is_ascii_alphabetic()) else { continue };
        if !sequence[end..].starts_with('m') {
            continue;
        }
        let mut numbers = sequence[..end].split([';', ':']);
        while let Some(number) = numbers.next() {
            match number.parse::<u16>().unwrap_or(0) {
                0 | 22..=29 | 39 | 49 | 59 => {}
                1..=9 => attributes.push(sequence[..end].to_owned()),
                _ => {
                    // The parts of an indexed or exact colour are no sequences of their own.
                    colours.push(sequence[..end].to_owned());
                    numbers = "".split([';', ':']);
                }
            }
        }
    }
    (colours, attributes)
}

#[test]
fn what_is_pasted_is_typed_and_never_pressed() {
    let mut terminal = Terminal::start(&Setup::new(&["demo"]));
    terminal.wait_for("rows", |screen| rows(screen).len() > 5);
    // Outside of a prompt a paste would be a row of keys, of which `q` quits.
    terminal.press("\x1b[200~qqq\x1b[201~/");
    terminal.wait_for_text("all rows");
    terminal.press("\x1b[200~port\n11211\x1b[201~");
    terminal.wait_for("the text on one line", |screen| screen.contains("port 11211"));
    terminal.press("\r");
    terminal.wait_for_text("filter: port 11211");
}

#[test]
fn a_burst_of_keys_is_taken_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let state = folder.path().to_str().expect("a name");
    let mut terminal = Terminal::start(&Setup::new(&["demo", "--state", state]));
    terminal.wait_for("rows", |screen| rows(screen).len() > 5);
    // A terminal that does not bracket a paste types it. What is longer than one read must not wait for a further key.
    let ports: Vec<String> = (11_000..11_212).map(|port| format!("port = {port}")).collect();
    let text = ports.join(" or ");
    assert!(text.len() > 3_000);
    terminal.press(&format!("/{text}"));
    terminal.wait_for("its end, and what it matches", |screen| {
        let bar = screen.lines().find(|line| line.contains("or port = 11211"));
        bar.is_some_and(|bar| bar.contains(" of "))
    });
    terminal.press("\r");
    terminal.wait_for("the matching rows", |screen| screen.contains("filter: port = 11000"));
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    let kept = std::fs::read_to_string(folder.path().join("filters")).expect("the history");
    assert_eq!(kept.lines().last(), Some(text.as_str()), "a key was lost");
}

#[test]
fn the_mouse_chooses_opens_and_scrolls_unless_it_is_left_alone() {
    let mut terminal = Terminal::start(&Setup::new(&["demo"]));
    // The first alerts give the header its second line, and everything below moves.
    terminal.wait_for("rows and the header as it stays", |screen| {
        rows(screen).len() > 5 && screen.lines().any(|line| line.starts_with(" alerts "))
    });
    assert_ne!(terminal.mouse(), vt100::MouseProtocolMode::None);
    // A click on the tab of sessions, wherever it stands.
    let place = |terminal: &Terminal, text: &str| {
        let contents = terminal.contents();
        let found = contents.lines().enumerate().find_map(|(y, line)| {
            let before = line.find(text)?;
            Some((line[..before].chars().count() + 1, y + 1))
        });
        found.unwrap_or_else(|| panic!("no {text} in\n{contents}"))
    };
    let click = |terminal: &mut Terminal, (x, y): (usize, usize)| {
        terminal.press(&format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m"));
    };
    let tab = place(&terminal, "2 Sessions");
    click(&mut terminal, tab);
    // A frame comes in parts: the last column is there when all are.
    terminal.wait_for("the table of sessions", |screen| screen.contains("initiator") && screen.contains("ratio"));
    let ratio = place(&terminal, "ratio");
    click(&mut terminal, ratio);
    terminal.wait_for("the order of the ratio", |screen| screen.contains("↓ratio"));
    // The wheel moves the rows, tilted the columns.
    let (x, y) = (ratio.0, ratio.1 + 4);
    terminal.press(&format!("\x1b[<65;{x};{y}M"));
    terminal.wait_for("another row under the cursor", |screen| !screen.contains(" 1 of "));
    terminal.press(&format!("\x1b[<67;{x};{y}M"));
    terminal.wait_for("columns that had no room", |screen| screen.contains("p ratio"));
    // A drag over the strip of time narrows the table to it.
    let (from, to, line) = (10, 30, 4);
    terminal.press(&format!("\x1b[<0;{from};{line}M\x1b[<32;{to};{line}M"));
    terminal
        .wait_for("the range that is chosen", |screen| screen.contains(" accepted, ") && screen.contains(" rejected"));
    terminal.press(&format!("\x1b[<0;{to};{line}m"));
    terminal.wait_for("the range in force", |screen| screen.contains("time 08-20 "));
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    terminal.assert_given_back();
    let mut left = Terminal::start(&Setup::new(&["demo", "--no-mouse"]));
    left.wait_for("rows", |screen| rows(screen).len() > 5);
    assert_eq!(left.mouse(), vt100::MouseProtocolMode::None);
}

#[test]
fn countries_and_networks_are_columns_and_groups_and_filters() {
    let folder = tempfile::tempdir().expect("a folder");
    let (countries, systems) = (folder.path().join("country.mmdb"), folder.path().join("asn.mmdb"));
    // A text of a database is somebody's text.
    let hostile = mmdb::system(16_509, "AMAZON\u{1b}[2J\u{202e}-02");
    let korea = [("13.124.0.0/15", mmdb::country("KR", "South Korea"))];
    std::fs::write(&countries, mmdb::database("Test-Country", 1_534_000_000, &korea)).expect("a database");
    let amazon = [("13.125.0.0/16", hostile)];
    std::fs::write(&systems, mmdb::database("Test-ASN", 1_534_000_000, &amazon)).expect("a database");
    let path = |path: &std::path::Path| path.to_str().expect("text").to_owned();
    let (countries, systems) = (path(&countries), path(&systems));
    let args = ["demo", "--speed", "1000x", "--geo", &countries, "--geo", &systems, "--no-state"];
    let mut terminal = Terminal::start(&Setup::new(&args));
    terminal.wait_for_text(ALERT);
    // The country of the reflector, beside its address, without a column.
    terminal.press("/country = kr and dst-asn != 1\r");
    terminal.wait_for("its answers", |screen| {
        let rows = rows(screen);
        !rows.is_empty()
            && rows.iter().all(|row| row.contains("11211 13.125.33.130 KR") || row.contains("→ 13.125.33.130 KR"))
    });
    terminal.press("/\x15asn = AS16509\r2");
    terminal.wait_for("the sessions of that network", |screen| {
        screen.contains("13.125.33.130 KR") && screen.contains("172.16.0.178")
    });
    // Columns of it are offered, since there are databases.
    terminal.press("csrc-org\r\x1b");
    terminal.wait_for("the column", |screen| screen.contains("src org") && screen.contains("AMAZON?[2J?-02"));
    terminal.press("/\x15\r");
    terminal.press("b");
    terminal.wait_for("what groups are offered", |screen| screen.contains("country") && screen.contains("org"));
    terminal.press("country\r");
    terminal.wait_for("countries", |screen| {
        screen.contains("by country") && screen.lines().any(|line| line.trim_start().starts_with("KR  "))
    });
}

#[test]
fn a_theme_that_is_edited_is_drawn_in_while_it_runs_and_a_broken_one_leaves_it_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let themes = folder.path().join("flowtail/themes");
    std::fs::create_dir_all(&themes).expect("a folder of themes");
    let write = |file: &str, text: &str| std::fs::write(themes.join(file), text).expect("a theme");
    let parent = |ground: &str| format!("name = \"parent\"\nkind = \"dark\"\n\n[colors]\nbackground = \"{ground}\"\n");
    write("parent.toml", &parent("#010203"));
    write("mine.toml", "name = \"mi\\u001b[2Jne\"\nbase = \"parent\"\n\n[colors]\naccent = \"#fefdfc\"\n");
    let env = [("COLORTERM", "truecolor"), ("XDG_CONFIG_HOME", folder.path().to_str().expect("text"))];
    let mut terminal = Terminal::start(&Setup { env: &env, ..Setup::new(&["demo", "--theme", "mine", "--no-state"]) });
    terminal.wait_for("rows", |screen| rows(screen).len() > 5);
    let has = |terminal: &Terminal, sequence: &str| String::from_utf8_lossy(terminal.raw()).contains(sequence);
    assert!(
        has(&terminal, "48;2;1;2;3") && has(&terminal, "38;2;254;253;252"),
        "its own colours and those of its base"
    );
    assert!(!has(&terminal, "38;2;9;8;7") && !has(&terminal, "48;2;3;2;1"));
    write("mine.toml", "name = \"mine\"\nbase = \"parent\"\n\n[colors]\naccent = \"#090807\"\n");
    terminal.wait_for_text("The theme mine was read again.");
    terminal.press("j");
    terminal.wait_for("that it is told once", |screen| !screen.contains("was read again"));
    assert!(has(&terminal, "38;2;9;8;7"), "the new accent");
    // The one that it is based on counts as much.
    write("parent.toml", &parent("#030201"));
    terminal.wait_for_text("The theme mine was read again.");
    terminal.press("j");
    terminal.wait_for("the next key", |screen| !screen.contains("was read again"));
    assert!(has(&terminal, "48;2;3;2;1"), "the new ground");
    write("mine.toml", "name = \"mine\"\nbase = \"parent\"\n\n[colors]\naccent = \"no colour\"\n");
    terminal.wait_for_text("The theme stays as it was:");
    write("mine.toml", "name = \"mine\"\nbase = \"parent\"\n\n[colors]\naccent = \"#0b0c0d\"\n");
    terminal.wait_for_text("The theme mine was read again.");
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    assert!(has(&terminal, "38;2;11;12;13") && !has(&terminal, "\u{1b}[2Jne"));
}

#[test]
fn a_border_is_dragged_and_the_drag_is_taken_back() {
    let mut terminal = Terminal::start(&Setup::new(&["demo", "--no-state"]));
    terminal.wait_for("rows and alerts", |screen| rows(screen).len() > 5 && screen.contains(ALERT));
    // The border is where the heading of the alerts begins, counted in cells.
    let border = |screen: &str| {
        let line = screen.lines().find(|line| line.contains("Alerts:"));
        line.and_then(|line| line.chars().position(|sign| sign == '│'))
    };
    let before = border(&terminal.contents()).expect("a border");
    let at = |cell: usize| format!("{};20", cell + 1);
    let (from, to) = (at(before), at(before - 12));
    terminal.press(&format!("\x1b[<0;{from}M\x1b[<32;{to}M\x1b[<0;{to}m"));
    terminal.wait_for("a wider list of alerts", |screen| border(screen) == Some(before - 12));
    terminal.press("U");
    terminal.wait_for("the width that it had", |screen| {
        border(screen) == Some(before) && screen.contains("Took back the panes")
    });
}
