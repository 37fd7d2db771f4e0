//! Where a stream is cut into reads makes no difference: in a line, in a character, in a member of gzip.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::reader::How;
use super::going_on::pipe;
use super::*;
use crate::record::Decoder;
use crate::store::Ring;

/// What is in the ring in the end, as lines, and what was refused.
fn held(batches: impl IntoIterator<Item = Batch>) -> (Vec<String>, Vec<(u64, String)>) {
    let (mut decoder, mut ring) = (Decoder::new(None), Ring::new(1 << 20));
    let mut refused = Vec::new();
    for batch in batches {
        let out = decoder.decode(&batch);
        refused.extend(out.rejects.into_iter().map(|reject| (reject.line, reject.text)));
        ring.push_all(&out.columns);
    }
    let line = |seq| {
        let (part, row) = ring.find(seq).expect("nothing was evicted");
        let mut out = String::new();
        part.row(row, |row| row.render(&mut out));
        out
    };
    ((0..ring.next_seq()).map(line).collect(), refused)
}

/// The batches that come of `bytes` when they are read in pieces that end at `cuts`.
fn in_pieces(bytes: &[u8], cuts: &[Index]) -> Vec<Batch> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).chain([0, bytes.len()]).collect();
    cuts.sort_unstable();
    cuts.dedup();
    let outcome = runtime().block_on(async {
        let (writer, input) = pipe(How { follow: false, timed: false });
        for cut in cuts.windows(2) {
            writer.send(Ok(bytes[cut[0]..cut[1]].to_vec())).unwrap();
        }
        drop(writer);
        let (out, inputs) = mpsc::channel(4);
        collect(async { Merger::new(vec![(input.0, Feed::Open(input.1))], None, out).run().await }, inputs).await
    });
    assert_eq!(outcome.result, Ok(()));
    outcome.batches
}

/// A line: a record, a header in between, text of more than one byte a character, bytes that are none, and nothing.
fn a_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (any::<u16>(), 0..600_i64).prop_map(|(port, end)| record(port, 1_534_778_000 + end).trim_end().into()),
        1 => Just(b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status".to_vec()),
        1 => "(é|日|🦀|x| ){1,12}".prop_map(String::into_bytes),
        1 => Just(b"2 1 \xFF\xFE eni-1".to_vec()),
        1 => Just(Vec::new()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_cut_of_the_stream_gives_the_same_ring(
        lines in prop::collection::vec(a_line(), 1..60),
        windows in any::<bool>(),
        members in 0_usize..4,
        ended in any::<bool>(),
        cuts in prop::collection::vec(any::<Index>(), 0..40),
    ) {
        let newline: &[u8] = if windows { b"\r\n" } else { b"\n" };
        let mut text = lines.join(newline);
        if ended {
            text.extend_from_slice(newline);
        }
        let origin = Arc::new(Origin { name: "stdin".into(), region: None });
        let whole = held([Batch { origin, bytes: text.clone(), first_line: 1, ..Batch::default() }]);
        let sent = match members {
            0 => text,
            // Members end anywhere too.
            _ => text.chunks(text.len().div_ceil(members).max(1)).flat_map(|part| {
                let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
                packed.write_all(part).unwrap();
                packed.finish().unwrap()
            }).collect(),
        };
        prop_assert_eq!(held(in_pieces(&sent, &cuts)), whole);
    }
}
