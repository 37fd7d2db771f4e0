//! A flood of connection attempts to random ports among busy conversations, through the engine with all its rules: what memory does, and what
//! stays. `cargo run --release --no-default-features --example sessions_flood -- [RECORDS] [MEMORY_IN_MIB]` (10,000,000 and 1,024).
//!
//! The ring of records fills up to its share meanwhile, which has nothing to do with sessions: what it holds is told apart. Fails where a busy
//! conversation was pushed out or lost a record, or where the rest of the memory still grew in the second half.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::time::Instant;

use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::{Config, Core};
use flowtail::record::{Action, Batch, Decoder, Flow, Names};

/// Conversations that go on all the time, with a record each way a minute.
const BUSY: u32 = 500;
/// Records of the flood a second of event time.
const RATE: u64 = 8_000;
const START: u64 = 1_700_000_000;
const BATCH: u64 = 8_000;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
    let (Ok(records), Ok(memory)) = (arguments.next().unwrap_or(Ok(10_000_000)), arguments.next().unwrap_or(Ok(1_024)))
    else {
        eprintln!("give two numbers: records of the flood, and the budget in MiB");
        return ExitCode::from(2);
    };
    let rules = Rules::builtin().expect("the rules are right");
    let config = Config {
        memory: usize::try_from(memory << 20).expect("a budget of this machine"),
        lateness: 600,
        live: false,
        source: "flood".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    // The split of DESIGN: rules have 12 % of the budget.
    let limits = Limits { memory: config.memory / 100 * 12, ..Limits::default() };
    let mut core = Core::new(config, Detector::new(&rules, limits), false);
    let mut decoder = Decoder::new(None);
    println!(
        "| records | resident MiB | ring MiB | sessions MiB | sessions held | bytes a session | evicted |\n\
         |---|---|---|---|---|---|---|"
    );
    let (begun, mut seed, mut minute) = (Instant::now(), 7_u64, 0);
    let mut rest = Vec::new();
    let mut made = 0;
    while made < records {
        let mut text = String::new();
        for _ in 0..BATCH {
            // Knuth's MMIX generator.
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let from = Ipv4Addr::from(0x0B00_0000 + u32::try_from(seed >> 40).unwrap_or(0));
            let (sport, dport) = (1_024 + (seed >> 24) % 64_000, (seed >> 8) % 65_536);
            let end = START + made / RATE;
            // Writing to a String cannot fail.
            let _ = writeln!(
                text,
                "2 1 eni-{:017x} {from} 10.0.1.1 {sport} {dport} 6 1 40 {} {end} REJECT OK",
                1,
                end - 30
            );
            made += 1;
        }
        if made / RATE / 60 >= minute {
            for number in 0..BUSY {
                for line in busy(number, minute) {
                    let _ = writeln!(text, "{line}");
                }
            }
            minute += 1;
        }
        core.ingest(&decoder.decode(&Batch { bytes: text.into_bytes(), ..Batch::default() }));
        if made % (records / 10).max(1) < BATCH {
            let held = core.sessions();
            let (all, ring) = (resident_mib(), core.ring().bytes() as u64 >> 20);
            rest.push(all.saturating_sub(ring));
            println!(
                "| {made} | {all} | {ring} | {} | {} | {} | {} |",
                held.bytes() >> 20,
                held.len(),
                held.bytes() / held.len().max(1),
                held.dropped()
            );
        }
    }
    let whole = (0..BUSY).filter(|number| is_whole(&core, *number, minute)).count();
    println!(
        "\n{whole} of {BUSY} busy conversations are held with every record; {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let (half, last) = (rest.get(rest.len() / 2).copied().unwrap_or(0), rest.last().copied().unwrap_or(0));
    // The allocator may keep a few pages more.
    let is_flat = last <= half + half / 20;
    println!("resident memory beside the ring: {half} MiB at half, {last} MiB at the end");
    if whole == BUSY as usize && is_flat { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The two records of a busy conversation in a minute.
fn busy(number: u32, minute: u64) -> [String; 2] {
    let client = Ipv4Addr::from(0x0A00_0200 + number);
    let (start, end) = (START + minute * 60 - 60, START + minute * 60);
    [
        format!("2 1 eni-{number:017x} {client} 10.0.1.2 40000 5432 6 20 2000 {start} {end} ACCEPT OK"),
        format!("2 1 eni-{number:017x} 10.0.1.2 {client} 5432 40000 6 30 30000 {start} {end} ACCEPT OK"),
    ]
}

fn is_whole(core: &Core, number: u32, minutes: u64) -> bool {
    let mut names = Names::default();
    let account = names.id("1");
    // The engine gave this account its first number as well.
    let last = i64::try_from(START + minutes * 60 - 60).unwrap_or(0);
    let flow = Flow {
        scope: account,
        account,
        interface: account,
        src: Ipv4Addr::from(0x0A00_0200 + number).into(),
        dst: Ipv4Addr::new(10, 0, 1, 2).into(),
        src_port: Some(40_000),
        dst_port: Some(5_432),
        protocol: 6,
        packets: 1,
        bytes: 1,
        start: last - 60,
        end: last,
        action: Action::Accept,
        flags: None,
        addresses: flowtail::record::Addresses::default(),
    };
    core.sessions().find(&flow).is_some_and(|session| u64::from(session.records) == 2 * minutes)
}

/// Resident memory of this process; 0 where the system does not say.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok()).map_or(0, |kib| kib >> 10)
}
