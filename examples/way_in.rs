//! flowtail's way in, one step at a time, over a file of your own: what lines cost, and what a flow weighs.
//!
//! ```text
//! cargo run --release --no-default-features --example way_in -- parse|hold|pair [--format FIELDS] FILE
//! ```
//!
//! `way_in ask FILE` holds the file and answers each line of standard input, a filter, with one: the whole pass of it and its first page.
//! `way_in type FILE` holds it and types each line a key at a time, as a draft whose words are completed; it says how long the longest slice of the
//! passes took, the longest answer, and for how long the whole was counted. A key waits for one slice and one answer at most.
//!
//! `way_in pages FILE` holds the file and asks for 50 rows from 200 places all over it, in order of time and in that of bytes.
//!
//! `way_in sessions FILE` holds the file and puts its sessions in each order that the session view has: when the first page is there, what the longest
//! slice took, which a key may have to wait for, when the order is complete, and a page four thousand rows down (with the passes that keep more rows ready).
//!
//! `parse` makes columns of the lines, `hold` also puts them into the ring, `pair` puts decoded columns into ring and session table, without rules.
//! One thread; reading the file is not counted. `seconds` are those of the wall, `busy` those that the thread had a processor (0 where that is not
//! known), which neighbours disturb less. Prints one JSON object, which `benches/peers/table.py` reads.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::view::{Anchor, RowId, Sort, Tab, ViewSpec};
use flowtail::engine::{Config, Core};
use flowtail::filter::{Filter, Stage};
use flowtail::record::{Batch, Decoder, Field, Format, Origin, Table as _};
use flowtail::store::Ring;

/// Bytes of a batch, as the file source hands them over.
const CHUNK: usize = 256 * 1024;
/// Rows of a slice, as the engine's thread has them.
const SLICE: usize = 4_096;

const USAGE: &str = "way_in parse|hold|pair [--format FIELDS] FILE, or way_in ask|type|pages|sessions FILE";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let run = match args[..] {
        ["ask", path] => return ask(path, &answer),
        ["type", path] => return ask(path, &typed),
        ["pages", path] => pages(path),
        ["sessions", path] => sessions(path),
        [mode, path] => measure(mode, None, path),
        [mode, "--format", format, path] => measure(mode, Some(format), path),
        _ => Err(USAGE.to_owned()),
    };
    match run {
        Ok(told) => println!("{told}"),
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn measure(mode: &str, format: Option<&str>, path: &str) -> Result<String, String> {
    let format = format.map(Format::parse).transpose().map_err(|error| error.to_string())?;
    let mut decoder = Decoder::new(format);
    let mut spent = Spent::default();
    let (mut lines, mut rejects, mut held) = (0, 0, 0);
    let batches = Batches::of(path).map_err(|error| format!("{path}: {error}"))?;
    match mode {
        "parse" => {
            for batch in batches {
                let begun = Watch::start();
                let out = decoder.decode(&batch);
                spent.add(&begun);
                lines += out.columns.len() as u64;
                rejects += out.rejects.len();
            }
        }
        "hold" => {
            let mut ring = Ring::new(64 << 30);
            for batch in batches {
                let begun = Watch::start();
                let out = decoder.decode(&batch);
                ring.push_all(&out.columns);
                spent.add(&begun);
                rejects += out.rejects.len();
            }
            lines = ring.len();
            held = ring.bytes();
        }
        "pair" => {
            let mut core = core();
            for batch in batches {
                let out = decoder.decode(&batch);
                lines += out.columns.len() as u64;
                rejects += out.rejects.len();
                let begun = Watch::start();
                core.ingest(&out);
                spent.add(&begun);
            }
        }
        other => return Err(format!("there is no '{other}': {USAGE}")),
    }
    Ok(format!(
        "{{\"lines\": {lines}, \"rejects\": {rejects}, \"seconds\": {:.6}, \"busy\": {:.6}, \"held\": {held}}}",
        spent.wall.as_secs_f64(),
        spent.busy.as_secs_f64()
    ))
}

/// An engine without rules and with room for everything.
fn core() -> Core {
    let config = Config {
        memory: 64 << 30,
        lateness: 600,
        live: false,
        source: "bench".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    Core::new(config, Detector::new(&Rules::default(), Limits::default()), false)
}

/// An engine that holds the file.
fn holding(path: &str) -> Result<Core, String> {
    let (mut core, mut decoder) = (core(), Decoder::new(None));
    let batches = Batches::of(path).map_err(|error| format!("{path}: {error}"))?;
    batches.for_each(|batch| core.ingest(&decoder.decode(&batch)));
    Ok(core)
}

/// What pages of 50 rows take: the first in each order, which begins its pass, and the median and the longest of those that follow.
fn pages(path: &str) -> Result<String, String> {
    const PLACES: u64 = 200;
    let mut core = holding(path)?;
    let held = core.ring().len();
    let mut told = format!("{{\"held\": {held}");
    for field in [Field::End, Field::Bytes] {
        let columns = vec![Field::End, Field::SrcAddr, Field::DstAddr, Field::SrcPort, Field::DstPort, Field::Bytes];
        let mut spec = ViewSpec { sort: Sort { field, descending: true }, columns, after: 50, ..ViewSpec::default() };
        let ask = |core: &mut Core, spec: &ViewSpec| {
            let begun = Instant::now();
            let rows = core.page(spec).rows.len();
            (begun.elapsed().as_secs_f64() * 1e6, rows)
        };
        let first = ask(&mut core, &spec).0;
        let mut all = Vec::new();
        for place in 0..PLACES {
            // An odd step over all rows, so that neighbouring questions are far from each other.
            let seq = held / PLACES * (place * 77 % PLACES);
            let time = core.ring().find(seq).map_or(0, |(part, row)| part.time(row));
            spec.anchor = Anchor::Row(RowId::Flow { time, seq });
            let (micros, rows) = ask(&mut core, &spec);
            if rows == 0 {
                return Err(format!("no rows at place {place}"));
            }
            all.push(micros);
        }
        all.sort_by(f64::total_cmp);
        let (median, longest) = (all[all.len() / 2], all[all.len() - 1]);
        // Writing to a string cannot fail.
        let _ = write!(
            told,
            ", \"{}\": {{\"first_us\": {first:.0}, \"median_us\": {median:.1}, \"longest_us\": {longest:.1}}}",
            field.name()
        );
    }
    Ok(told + "}")
}

/// What the orders of the session view take, by the wall: a table in Markdown.
fn sessions(path: &str) -> Result<String, String> {
    use Field::{
        Action, Baf, ByteRatio, Client, Duration, End, InterfaceId, PacketRatio, Records, ReqBytes, RespBytes, Server,
        Service, SizeRatio, Start, State,
    };
    let orders = [
        End,
        Start,
        Duration,
        Client,
        Server,
        Service,
        ReqBytes,
        RespBytes,
        ByteRatio,
        PacketRatio,
        SizeRatio,
        Baf,
        Records,
        State,
        Action,
        InterfaceId,
    ];
    let mut core = holding(path)?;
    let mut told = format!(
        "{} sessions\n\n| order | first page | longest slice | complete | a page deep down |\n|---|---|---|---|---|",
        core.sessions().len()
    );
    let columns = vec![Client, Server, Service, ReqBytes, RespBytes, ByteRatio, Duration, State, Records];
    let ms = |begun: Instant| begun.elapsed().as_secs_f64() * 1e3;
    for field in orders {
        let sort = Sort { field, descending: true };
        let mut spec =
            ViewSpec { tab: Tab::Sessions, sort, columns: columns.clone(), after: 60, ..ViewSpec::default() };
        let begun = Instant::now();
        core.look_at(&spec);
        core.refresh();
        let (mut first, mut longest, mut last) = (None, 0_f64, None);
        loop {
            let slice = Instant::now();
            let more = core.step(SLICE);
            longest = longest.max(ms(slice));
            // A screen draws thirty times a second; here each answer of the beginning counts, and the last.
            if first.is_none() || !more {
                let page = core.answer();
                first = first.or_else(|| (page.rows.len() == 60).then(|| ms(begun)));
                last = page.rows.last().map(|row| row.id);
            }
            if !more {
                break;
            }
        }
        let complete = ms(begun);
        let down = Instant::now();
        for _ in 0..70 {
            spec.anchor = last.map_or(Anchor::Top, Anchor::Row);
            last = core.page(&spec).rows.last().map(|row| row.id);
        }
        // Writing to a string cannot fail.
        let _ = write!(
            told,
            "\n| {} | {:.1} ms | {longest:.1} ms | {complete:.0} ms | {:.1} ms |",
            field.name(),
            first.unwrap_or(f64::NAN),
            ms(down) / 70.0
        );
    }
    Ok(told)
}

/// Holds the file and has `told` answer each line of standard input.
fn ask(path: &str, told: &dyn Fn(&mut Core, &str) -> Result<String, String>) -> ExitCode {
    let mut core = match holding(path) {
        Ok(core) => core,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    println!("ready {}", core.ring().len());
    for line in io::stdin().lines().map_while(Result::ok) {
        match told(&mut core, line.trim()) {
            Ok(told) => println!("{told}"),
            Err(why) => {
                eprintln!("{line}: {why}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::SUCCESS
}

/// What a screen asks for.
fn screen() -> ViewSpec {
    let columns = vec![Field::End, Field::SrcAddr, Field::DstAddr, Field::Bytes];
    ViewSpec { columns, after: 60, ..ViewSpec::default() }
}

/// The whole pass of a filter and its first page.
fn answer(core: &mut Core, line: &str) -> Result<String, String> {
    let filter = Filter::parse(line, Stage::Flows).map_err(|error| error.message)?;
    let spec = ViewSpec { filter: Some(Arc::new(filter)), ..screen() };
    let mut spent = Spent::default();
    let begun = Watch::start();
    let page = core.page(&spec);
    spent.add(&begun);
    let (wall, busy) = (spent.wall.as_secs_f64() * 1e3, spent.busy.as_secs_f64() * 1e3);
    Ok(format!("{{\"ms\": {wall}, \"cpu\": {busy}, \"hits\": {}}}", page.matched))
}

/// A filter typed a key at a time, by the processor's time: each draft is worked on to its end, and a page is cut after every tenth slice.
#[expect(clippy::unnecessary_wraps, reason = "one of the two answers that `ask` is given")]
fn typed(core: &mut Core, line: &str) -> Result<String, String> {
    let mut told = Vec::new();
    for (end, _) in line.char_indices().map(|(at, c)| (at + c.len_utf8(), c)) {
        // What is not finished yet is no draft.
        let Ok(filter) = Filter::parse(&line[..end], Stage::Flows) else { continue };
        let values = vec![Field::Ip, Field::Port, Field::InterfaceId];
        let spec = ViewSpec { draft: Some(Arc::new(filter)), values, timeline_bins: 120, ..screen() };
        let (mut slice, mut page, mut whole) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let timed = |most: &mut Duration, whole: &mut Duration, work: &mut dyn FnMut() -> bool| {
            let begun = busy();
            let more = work();
            let took = busy().saturating_sub(begun);
            *most = took.max(*most);
            *whole += took;
            more
        };
        timed(&mut page, &mut whole, &mut || {
            core.look_at(&spec);
            true
        });
        for number in 0.. {
            let more = timed(&mut slice, &mut whole, &mut || core.step(SLICE));
            if number % 10 == 0 || !more {
                timed(&mut page, &mut whole, &mut || core.answer().draft.is_some());
            }
            if !more {
                break;
            }
        }
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        told.push(format!(
            "{:<40} slice {:7.2} ms  answer {:7.2} ms  whole {:9.1} ms",
            &line[..end],
            ms(slice),
            ms(page),
            ms(whole)
        ));
    }
    Ok(told.join("\n"))
}

/// What one step began with.
struct Watch {
    wall: Instant,
    busy: Duration,
}

impl Watch {
    fn start() -> Watch {
        let busy = busy();
        Watch { wall: Instant::now(), busy }
    }
}

/// What all steps took.
#[derive(Default)]
struct Spent {
    wall: Duration,
    busy: Duration,
}

impl Spent {
    fn add(&mut self, begun: &Watch) {
        self.wall += begun.wall.elapsed();
        self.busy += busy().saturating_sub(begun.busy);
    }
}

/// The time that this thread has had a processor, as Linux tells it.
fn busy() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanos| nanos.parse().ok()).map_or(Duration::ZERO, Duration::from_nanos)
}

/// Whole lines of a file in batches of about [`CHUNK`] bytes.
struct Batches {
    file: File,
    origin: Arc<Origin>,
    /// The line that the last chunk cut.
    rest: Vec<u8>,
}

impl Batches {
    fn of(path: &str) -> io::Result<Batches> {
        let origin = Arc::new(Origin { name: path.into(), region: None });
        Ok(Batches { file: File::open(path)?, origin, rest: Vec::new() })
    }
}

impl Iterator for Batches {
    type Item = Batch;

    fn next(&mut self) -> Option<Batch> {
        let mut bytes = std::mem::take(&mut self.rest);
        // A file that fails midway ends there: the number of lines tells.
        let read = self.file.by_ref().take(CHUNK as u64).read_to_end(&mut bytes).unwrap_or(0);
        if read > 0 {
            let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            self.rest = bytes.split_off(whole);
        } else if bytes.is_empty() {
            return None;
        }
        Some(Batch { origin: Arc::clone(&self.origin), bytes, first_line: 1, ..Batch::default() })
    }
}
