//! A writer of small databases of networks, by the published specification of the format (`MaxMind` DB File Format, version 2.0), so that tests need no copy of
//! anybody's data.

use std::net::IpAddr;

/// A value in a database.
#[derive(Clone, Debug)]
pub enum Value {
    Text(&'static str),
    Number(u32),
    Map(Vec<(&'static str, Value)>),
}

/// A country as `MaxMind` writes it.
pub fn country(code: &'static str, name: &'static str) -> Value {
    let names = Value::Map(vec![("en", Value::Text(name))]);
    Value::Map(vec![("country", Value::Map(vec![("iso_code", Value::Text(code)), ("names", names)]))])
}

/// An autonomous system as `MaxMind` writes it.
pub fn system(number: u32, organisation: &'static str) -> Value {
    Value::Map(vec![
        ("autonomous_system_number", Value::Number(number)),
        ("autonomous_system_organization", Value::Text(organisation)),
    ])
}

/// What a branch of the tree leads to.
#[derive(Clone, Copy)]
enum Leads {
    Nowhere,
    Node(usize),
    Data(usize),
}

/// A database of `kind`, made at `built` (Unix seconds), that says `values` of networks such as `203.0.113.0/24`.
pub fn database(kind: &str, built: u64, values: &[(&str, Value)]) -> Vec<u8> {
    let mut nodes = vec![[Leads::Nowhere; 2]];
    let mut data = Vec::new();
    for (network, value) in values {
        let (address, length) = network.split_once('/').expect("a network");
        let length: usize = length.parse().expect("a length");
        // The older addresses lie below ::/96.
        let (bits, length) = match address.parse().expect("an address") {
            IpAddr::V4(address) => (u128::from(u32::from(address)), length + 96),
            IpAddr::V6(address) => (u128::from(address), length),
        };
        let at = data.len();
        write(value, &mut data);
        let mut node = 0;
        for depth in 0..length {
            let bit = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                nodes[node][bit] = Leads::Data(at);
            } else {
                node = if let Leads::Node(next) = nodes[node][bit] {
                    next
                } else {
                    nodes.push([Leads::Nowhere; 2]);
                    nodes[node][bit] = Leads::Node(nodes.len() - 1);
                    nodes.len() - 1
                };
            }
        }
    }
    let mut out = Vec::new();
    for leads in nodes.iter().flatten() {
        let record = match leads {
            Leads::Nowhere => nodes.len(),
            Leads::Node(node) => *node,
            Leads::Data(at) => nodes.len() + 16 + at,
        };
        out.extend(&u32::try_from(record).expect("a small tree").to_be_bytes()[1..]);
    }
    out.extend([0; 16]);
    out.extend(data);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    control(7, 9, &mut out);
    for (key, size, number) in [
        ("binary_format_major_version", 5, 2),
        ("binary_format_minor_version", 5, 0),
        ("record_size", 5, 24),
        ("ip_version", 5, 6),
        ("node_count", 6, nodes.len() as u64),
        ("build_epoch", 9, built),
    ] {
        text(key, &mut out);
        let bytes = number.to_be_bytes();
        let significant = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        control(size, significant.len(), &mut out);
        out.extend(significant);
    }
    text("database_type", &mut out);
    text(kind, &mut out);
    text("description", &mut out);
    control(7, 1, &mut out);
    text("en", &mut out);
    text("made by a test", &mut out);
    text("languages", &mut out);
    control(11, 1, &mut out);
    text("en", &mut out);
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Text(words) => text(words, out),
        Value::Number(number) => {
            control(6, 4, out);
            out.extend(number.to_be_bytes());
        }
        Value::Map(entries) => {
            control(7, entries.len(), out);
            for (key, value) in entries {
                text(key, out);
                write(value, out);
            }
        }
    }
}

fn text(words: &str, out: &mut Vec<u8>) {
    control(2, words.len(), out);
    out.extend(words.as_bytes());
}

/// Type and size of what follows.
fn control(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (short, more) = if size < 29 { (size, None) } else { (29, Some(size - 29)) };
    let short = u8::try_from(short).expect("a size");
    // Types from 8 on stand in a byte of their own.
    if kind < 8 {
        out.push(kind << 5 | short);
    } else {
        out.extend([short, kind - 7]);
    }
    out.extend(more.map(|more| u8::try_from(more).expect("a short text")));
}
