//! Ordinary traffic raises next to nothing.

use super::*;

/// A generator of numbers that are the same in every run (Knuth's MMIX multiplier).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Both directions of a conversation in one window.
fn talk(
    out: &mut String,
    ends: (&str, u64, &str, u64),
    protocol: u8,
    asked: (u64, u64),
    answered: (u64, u64),
    start: u64,
) {
    let (client, cp, server, sp) = ends;
    let end = start + 50;
    _ = writeln!(
        out,
        "2 1 eni-1 {client} {server} {cp} {sp} {protocol} {} {} {start} {end} ACCEPT OK",
        asked.0, asked.1
    );
    _ = writeln!(
        out,
        "2 1 eni-1 {server} {client} {sp} {cp} {protocol} {} {} {start} {end} ACCEPT OK",
        answered.0, answered.1
    );
}

/// Two hours of a small VPC.
fn traffic() -> String {
    let mut out = String::new();
    let mut random = Numbers(42);
    for minute in 0..120_u64 {
        let start = 1_700_000_000 + minute * 60;
        let mut port = || 32_768 + random.below(28_000);
        for _ in 0..12 {
            // Browsers outside, our web servers.
            let client = format!("81.2.{}.{}", port() % 250, port() % 250);
            let (packets, bytes) = (10 + port() % 40, 20_000 + port() * 9);
            talk(
                &mut out,
                (&client, port(), "10.0.1.10", 443),
                6,
                (packets, packets * 90),
                (packets * 2, bytes),
                start,
            );
        }
        for host in 1..6 {
            let host = format!("10.0.2.{host}");
            // Downloads, QUIC, DNS inside and outside, database, symmetric NTP, metrics and health checks.
            talk(&mut out, (&host, port(), "151.101.1.5", 443), 6, (4_000, 210_000), (9_000, 12_000_000), start);
            talk(&mut out, (&host, port(), "142.250.4.4", 443), 17, (900, 60_000), (8_000, 9_000_000), start);
            talk(&mut out, (&host, port(), "10.0.0.53", 53), 17, (30, 2_100), (30, 6_300), start);
            talk(&mut out, (&host, port(), "8.8.8.8", 53), 17, (30, 2_100), (30, 9_000), start);
            talk(&mut out, (&host, port(), "10.0.3.5", 5_432), 6, (500, 90_000), (700, 800_000), start);
            talk(&mut out, (&host, 123, "162.159.200.1", 123), 17, (1, 76), (1, 76), start);
            talk(&mut out, ("10.0.4.4", port(), &host, 9_100), 6, (12, 1_400), (20, 24_000), start);
            talk(&mut out, ("10.0.5.5", port(), &host, 8_080), 6, (6, 500), (5, 600), start);
        }
        // A public resolver and time server of ours, with a few long answers.
        talk(&mut out, ("81.2.69.1", port(), "10.0.1.53", 53), 17, (40, 2_800), (40, 12_000), start);
        talk(&mut out, ("81.2.69.2", port(), "10.0.1.53", 53), 17, (2, 130), (2, 2_400), start);
        talk(&mut out, ("81.2.69.3", port(), "10.0.1.53", 123), 17, (20, 1_520), (20, 1_520), start);
        // A nightly copy to storage, 400 MB in an hour at most, and one inside.
        talk(&mut out, ("10.0.2.1", 40_000, "52.216.1.1", 443), 6, (5_000, 6_000_000), (2_500, 140_000), start);
        talk(&mut out, ("10.0.2.1", 40_001, "10.0.3.9", 22), 6, (40_000, 55_000_000), (15_000, 800_000), start);
        // WireGuard and a scan of the internet that the security group stops.
        talk(&mut out, ("81.2.70.7", 51_820, "10.0.6.6", 51_820), 17, (4_000, 400_000), (9_000, 11_000_000), start);
        for _ in 0..20 {
            let (a, b, to, from) = (
                port() % 250,
                port() % 250,
                [22, 23, 53, 123, 1_900, 3_389, 11_211, 161][usize::try_from(port() % 8).unwrap_or(0)],
                port(),
            );
            _ = writeln!(out, "2 1 eni-1 45.{a}.{b}.9 10.0.1.10 {from} {to} 17 1 60 {start} {} REJECT OK", start + 1);
        }
    }
    out
}

#[test]
fn two_hours_of_ordinary_traffic_raise_nothing() {
    let alerts = alerts(&traffic());
    let said: Vec<&str> = alerts.iter().map(|alert| alert.message.as_str()).collect();
    assert!(alerts.is_empty(), "{said:#?}");
}

#[test]
fn the_attack_inside_ordinary_traffic_is_found_as_alone() {
    // The same records, moved into the middle of the traffic.
    let moved = 1_700_003_643 - 1_534_778_743;
    let attack = FOUNDING.lines().map(|line| {
        let mut parts: Vec<String> = line.split(' ').map(str::to_owned).collect();
        for at in [10, 11] {
            parts[at] = (parts[at].parse::<i64>().expect("a time") + moved).to_string();
        }
        parts.join(" ")
    });
    let ordinary = traffic();
    let mut lines: Vec<String> = ordinary.lines().map(str::to_owned).chain(attack).collect();
    lines.sort_by_key(|line| line.split(' ').nth(11).map(str::to_owned));
    let text = lines.join("\n");
    let alerts = alerts(&text);
    assert_eq!(ids(&alerts), ["AMP-PROBE", "RATIO-BYTES", "RATIO-PACKETS"], "{alerts:#?}");
}
