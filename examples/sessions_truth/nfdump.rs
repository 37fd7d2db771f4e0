//! nfdump as a peer: records go as `NetFlow` version 5 to nfcapd on loopback, and come back paired.

use std::fs;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::score::Found;
use crate::truth::{Line, World};

/// Whether both programs can be started.
pub fn is_there() -> bool {
    ["nfcapd", "nfdump"]
        .iter()
        .all(|name| Command::new(name).arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok())
}

/// What `nfdump -b` and `nfdump -B` make of the lines.
pub fn pair(world: &World, flags: bool) -> io::Result<[Vec<Found>; 2]> {
    let folder = std::env::temp_dir().join(format!("flowtail-nfdump-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder)?;
    let result = collect(world, flags, &folder).and_then(|()| Ok([read(&folder, "-b")?, read(&folder, "-B")?]));
    let _ = fs::remove_dir_all(&folder);
    result
}

fn collect(world: &World, flags: bool, folder: &std::path::Path) -> io::Result<()> {
    let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut collector = Command::new("nfcapd")
        .args(["-b", "127.0.0.1", "-p", &port.to_string(), "-t", "3600", "-B", "8000000", "-w"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    std::thread::sleep(Duration::from_millis(700));
    let sent = send(world, flags, port);
    std::thread::sleep(Duration::from_millis(700));
    // It closes its file when it is asked to stop.
    let id = i32::try_from(collector.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(id) = id {
        rustix::process::kill_process(id, rustix::process::Signal::TERM)?;
    }
    collector.wait()?;
    let (sent, told) = (sent?, run(folder, &["-I"])?);
    let held: u64 = told
        .lines()
        .filter_map(|line| line.strip_prefix("Flows: "))
        .filter_map(|count| count.trim().parse::<u64>().ok())
        .sum();
    if held == sent { Ok(()) } else { Err(io::Error::other(format!("nfcapd has {held} of {sent} records; run again"))) }
}

fn send(world: &World, flags: bool, port: u16) -> io::Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.connect(("127.0.0.1", port))?;
    let v4: Vec<&Line> = world.lines.iter().filter(|line| line.src.0.is_ipv4()).collect();
    let boot = v4.iter().map(|line| line.start).min().unwrap_or(0) - 100;
    let mut sent = 0_u64;
    for part in v4.chunks(30) {
        let now = part.iter().map(|line| line.end).max().unwrap_or(boot);
        let mut packet = Vec::with_capacity(24 + part.len() * 48);
        let put16 =
            |packet: &mut Vec<u8>, value: u64| packet.extend(u16::try_from(value).unwrap_or(u16::MAX).to_be_bytes());
        let put32 =
            |packet: &mut Vec<u8>, value: u64| packet.extend(u32::try_from(value).unwrap_or(u32::MAX).to_be_bytes());
        let since = |time: i64| (time - boot).max(0).cast_unsigned() * 1_000;
        put16(&mut packet, 5);
        put16(&mut packet, part.len() as u64);
        for value in [since(now), now.cast_unsigned(), 0, sent & 0xFFFF_FFFF, 0] {
            put32(&mut packet, value);
        }
        for line in part {
            for end in [line.src, line.dst] {
                if let IpAddr::V4(addr) = end.0 {
                    packet.extend(addr.octets());
                }
            }
            put32(&mut packet, 0);
            put16(&mut packet, line.eni.into());
            put16(&mut packet, 0);
            for value in [line.packets, line.bytes, since(line.start), since(line.end)] {
                put32(&mut packet, value);
            }
            put16(&mut packet, line.src.1.unwrap_or(0).into());
            put16(&mut packet, line.dst.1.unwrap_or(0).into());
            packet.extend([0, if flags { line.flags } else { 0 }, line.protocol, 0]);
            packet.extend([0; 8]);
        }
        socket.send(&packet)?;
        sent += part.len() as u64;
        // UDP loses what the collector is too slow for.
        std::thread::sleep(Duration::from_micros(200));
    }
    Ok(sent)
}

fn run(folder: &std::path::Path, args: &[&str]) -> io::Result<String> {
    let output = Command::new("nfdump").arg("-R").arg(folder).args(args).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn read(folder: &std::path::Path, mode: &str) -> io::Result<Vec<Found>> {
    let text = run(folder, &[mode, "-q", "-N", "-o", "fmt:%tsr %pr %sa %sp %da %dp %ibyt %ipkt %obyt %opkt"])?;
    let rows: Vec<Found> = text.lines().filter_map(row).collect();
    if rows.is_empty() { Err(io::Error::other(format!("nfdump {mode} gave no rows: {text:.200}"))) } else { Ok(rows) }
}

/// A row. What nfdump calls "in" is what the source sent.
fn row(line: &str) -> Option<Found> {
    let cells: Vec<&str> = line.split_whitespace().collect();
    let [first, protocol, src, src_port, dst, dst_port, asked_bytes, asked_packets, answered_bytes, answered_packets] =
        cells[..]
    else {
        return None;
    };
    let protocol = match protocol {
        "TCP" => 6,
        "UDP" => 17,
        "ICMP" => 1,
        "ESP" => 50,
        other => other.parse().ok()?,
    };
    let port = |port: &str| match protocol {
        50 => None,
        1 => Some(0),
        _ => port.parse().ok(),
    };
    #[expect(clippy::cast_possible_truncation, reason = "Unix seconds with milliseconds")]
    let first = first.parse::<f64>().ok()? as i64;
    Some(Found {
        protocol,
        client: (src.parse().ok()?, port(src_port)),
        server: (dst.parse().ok()?, port(dst_port)),
        asked: (asked_bytes.parse().ok()?, asked_packets.parse().ok()?),
        answered: (answered_bytes.parse().ok()?, answered_packets.parse().ok()?),
        first,
        method: None,
    })
}
