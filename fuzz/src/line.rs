//! Lines to records.

use std::sync::Arc;

use flowtail::record::{Batch, Decoded, Decoder, Format, Origin, Table as _};

/// The format that is given, by the first byte of the input.
const FORMATS: [Option<&str>; 4] = [
    None,
    Some(
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status",
    ),
    Some("interface-id srcaddr pkt-dstaddr bytes"),
    Some(
        "version resource-type account-id tgw-id srcaddr dstaddr packets-lost-blackhole start end log-status instance-tag tcp-flags",
    ),
];

/// The first byte chooses the format and where the rest is cut in two; the rest is read as lines.
///
/// # Panics
/// Where a line is not accounted for, a record is not given back as it was logged, or the cut makes a difference.
pub fn line(data: &[u8]) {
    let Some((&first, bytes)) = data.split_first() else { return };
    let given = || FORMATS[usize::from(first) % FORMATS.len()].map(|text| Format::parse(text).expect("a format"));
    let batch = |bytes: &[u8], first_line| Batch {
        origin: Arc::new(Origin { name: "fuzz".into(), region: None }),
        bytes: bytes.to_vec(),
        first_line,
        ..Batch::default()
    };
    let whole = accounted(&mut Decoder::new(given()), &batch(bytes, 1));

    // Batches hold whole lines: cut at the line end that the first byte points at.
    let ends: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').collect();
    if ends.is_empty() {
        return;
    }
    let cut = ends[usize::from(first) / FORMATS.len() % ends.len()] + 1;
    let mut decoder = Decoder::new(given());
    let a = accounted(&mut decoder, &batch(&bytes[..cut], 1));
    let b = accounted(
        &mut decoder,
        &batch(&bytes[cut..], 1 + bytes[..cut].iter().filter(|byte| **byte == b'\n').count() as u64),
    );
    let rejects: Vec<_> = a.rejects.iter().chain(&b.rejects).cloned().collect();
    assert_eq!((a.lines + b.lines, a.headers + b.headers, &rejects), (whole.lines, whole.headers, &whole.rejects));
    let parts: Vec<String> = rendered(&a).into_iter().chain(rendered(&b)).collect();
    assert_eq!(parts, rendered(&whole), "the cut at {cut} makes a difference");
}

fn rendered(decoded: &Decoded) -> Vec<String> {
    (0..decoded.columns.len())
        .map(|row| {
            let mut out = String::new();
            decoded.columns.render_line(row, &mut out);
            out
        })
        .collect()
}

/// Decodes plain lines and checks that each went somewhere, and that records are given back in the order and with the words they came with.
///
/// # Panics
/// Where that does not hold.
pub fn accounted(decoder: &mut Decoder, batch: &Batch) -> Decoded {
    let out = decoder.decode(batch);
    let words = |line: &[u8]| -> Vec<String> {
        let words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).filter(|word| !word.is_empty());
        words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
    };
    let lines: Vec<Vec<String>> =
        batch.bytes.split(|byte| *byte == b'\n').map(words).filter(|words| !words.is_empty()).collect();
    let rows = out.columns.len() as u64;
    assert_eq!(rows + out.headers + out.rejects.len() as u64, out.lines);
    assert_eq!(out.lines, lines.len() as u64, "a line that is not blank is a record, a header or a reject");
    for reject in &out.rejects {
        assert!(!reject.error.reason().is_empty() && !reject.error.to_string().is_empty());
        assert!(reject.text.len() <= 4 * 1024, "what is kept of a bad line is bounded");
    }
    // What is held is a multiple of what came in, however it is made: no line may cost more than its bytes and its columns.
    let mut ring = flowtail::store::Ring::new(64 << 20);
    ring.push_all(&out.columns);
    let held = ring.bytes();
    assert!(held <= 256 * 1024 + batch.bytes.len() * 64 + out.columns.len() * 2048, "{held} bytes");

    // Records come in the order of their lines, with an exported time and the stream's name before them taken off.
    let mut sources = lines.iter();
    for line in rendered(&out) {
        let found = sources.any(|words| {
            (0..words.len().min(3)).any(|skip| (skip == 0 || iso(&words[0])) && words[skip..].join(" ") == line)
        });
        assert!(found, "no line reads {line:?}");
    }
    out
}

fn iso(word: &str) -> bool {
    word.len() >= 19 && word.as_bytes()[10] == b'T'
}
