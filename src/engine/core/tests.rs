use super::*;
use crate::engine::view::{Anchor, Detail, RowId, Sort, Tab};
use crate::record::{Batch, Cell, Decoder};
use proptest::prelude::*;

fn core() -> Core {
    let config = Config {
        memory: 64 << 20,
        lateness: 600,
        live: false,
        source: "test".into(),
        region: Some("us-west-1".into()),
        interfaces: Vec::new(),
        fetch: None,
    };
    Core::new(config, Detector::default(), true)
}

fn decoded(text: &str) -> Decoded {
    Decoder::new(None).decode(&Batch { bytes: text.as_bytes().to_vec(), first_line: 1, ..Batch::default() })
}

/// A record that ends at `end` and has `bytes` bytes.
fn line(end: u64, bytes: u64, port: u16) -> String {
    format!("2 1 eni-1 10.0.0.1 10.0.0.2 40000 {port} 6 5 {bytes} {} {end} ACCEPT OK\n", end.saturating_sub(60))
}

fn spec() -> ViewSpec {
    ViewSpec { columns: vec![Field::End, Field::Bytes], after: 1_000_000, ..ViewSpec::default() }
}

/// The bytes of the rows of a page.
fn bytes(page: &Page) -> Vec<u64> {
    let value = |row: &crate::engine::view::PageRow| match row.cells[1] {
        Cell::Int(n) => n,
        _ => u64::MAX,
    };
    page.rows.iter().map(value).collect()
}

#[test]
fn every_line_is_counted_once() {
    let mut core = core();
    let text = format!(
        "{}version account-id interface-id srcaddr\n2 1 eni-1 - - - - - - - 1 2 - NODATA\n2 1 eni-1 - - - - - - - 1 2 - SKIPDATA\nbad\n",
        line(100, 1, 443)
    );
    let text = text.replace("version account-id interface-id srcaddr\n", "");
    core.ingest(&decoded(&text));
    let counts = core.counts();
    assert_eq!((counts.records, counts.nodata, counts.skipdata, counts.unparsed()), (1, 1, 1, 1));
    assert_eq!(core.quarantine().next().map(|reject| reject.line), Some(4));
}

#[test]
fn what_is_not_whole_is_shown_until_rows_come_and_leaves_nothing() {
    let mut core = core();
    core.preview(&decoded(&(line(100, 1, 443) + &line(200, 2, 443))));
    let page = core.page(&spec());
    assert_eq!((bytes(&page), page.status.partial, page.status.held), (vec![2, 1], 2, 0));
    assert_eq!(page.status.searched, None);
    let sessions = core.page(&ViewSpec { tab: Tab::Sessions, ..spec() });
    assert_eq!((sessions.total, sessions.status.sessions), (1, 0));
    // The next takes its place.
    core.preview(&decoded(&line(300, 3, 443)));
    assert_eq!(bytes(&core.page(&spec())), [3]);
    assert_eq!(core.pin().status.held, 0, "an export has nothing of it");
    core.ingest(&decoded(&line(100, 1, 443)));
    core.preview(&decoded(&line(300, 3, 443)));
    let page = core.page(&spec());
    assert_eq!((bytes(&page), page.status.partial), (vec![1], 0));
    // Nor is anything left of it where no rows come.
    let mut core = self::core();
    core.preview(&decoded(&line(300, 3, 443)));
    core.finish();
    let page = core.page(&spec());
    assert_eq!((page.rows.len(), page.status.partial), (0, 0));
}

#[test]
fn since_when_names_the_conversation_who_began_it_and_what_was_searched() {
    let mut core = core();
    let text = |end: u64, server: &str, port: u16| {
        format!("2 1 eni-1 10.0.0.1 {server} 40000 {port} 6 5 9 {} {end} ACCEPT OK\n", end - 60)
    };
    core.ingest(&decoded(
        &(text(1_000, "10.0.0.9", 80) + &text(5_000, "10.0.0.2", 443) + &text(9_000, "10.0.0.2", 443)),
    ));
    let wanted = core.page(&ViewSpec { tab: Tab::Sessions, ..spec() }).rows[0].id;
    let detail = |core: &mut Core| {
        let page = core.page(&ViewSpec { tab: Tab::Sessions, detail: Some(wanted), ..spec() });
        let Some(Detail::Session(session)) = page.detail else { panic!("no detail") };
        let since = session.since.expect("since when");
        assert_eq!((since.parties.port, since.parties.server.to_string()), (Some(443), "10.0.0.2".to_owned()));
        (since.client, since.both, page.status.searched)
    };
    assert_eq!(detail(&mut core), (940, 4_940, Some(940)));
    // What comes of earlier time counts, and so does what was searched in vain.
    core.ingest(&decoded(&text(3_000, "10.0.0.2", 443)));
    core.source_status(SourceStatus { searched: Some(500), ..SourceStatus::default() });
    assert_eq!(detail(&mut core), (940, 2_940, Some(500)));
}

#[test]
fn what_made_way_was_not_searched() {
    let config = Config { memory: 1 << 20, ..core().config };
    let mut core = Core::new(config, Detector::default(), false);
    core.source_status(SourceStatus { searched: Some(5), ..SourceStatus::default() });
    let text: String = (0..20_000_u64).map(|n| line(100 + n * 1_000, n, u16::try_from(n).unwrap())).collect();
    core.ingest(&decoded(&text));
    let searched = core.page(&spec()).status.searched.unwrap();
    let first = core.sessions().chunks().iter().flat_map(|chunk| chunk.iter().flatten()).map(|held| held.first).min();
    assert!(searched > 5 && first.unwrap() >= searched, "{searched}, {first:?}");
}

#[test]
fn pages_are_cut_around_an_identity() {
    let mut core = core();
    let text: String = (0..1_000).map(|n| line(10_000 + n, n, 443)).collect();
    core.ingest(&decoded(&text));
    let top = core.page(&ViewSpec { after: 3, ..spec() });
    assert_eq!((bytes(&top), top.first_index, top.matched), (vec![999, 998, 997], 0, 1_000));
    let anchor = Anchor::Row(top.rows[2].id);
    let middle = core.page(&ViewSpec { anchor, before: 1, after: 2, ..spec() });
    assert_eq!((bytes(&middle), middle.first_index), (vec![998, 997, 996], 1));
    let gone = Anchor::Row(RowId::Flow { time: 10_500, seq: u64::MAX });
    assert_eq!(bytes(&core.page(&ViewSpec { anchor: gone, after: 1, ..spec() })), [500]);
    let bottom = core.page(&ViewSpec { anchor: Anchor::Bottom, before: 1, after: 1, ..spec() });
    assert_eq!((bytes(&bottom), bottom.first_index), (vec![1, 0], 998));
}

#[test]
fn another_order_shows_its_head_and_its_end() {
    let mut core = core();
    let text: String = (0..1_000).map(|n| line(10_000 + n, (n * 7_919) % 1_000, 443)).collect();
    core.ingest(&decoded(&text));
    let sort = Sort { field: Field::Bytes, descending: true };
    let top = core.page(&ViewSpec { sort, after: 3, ..spec() });
    assert_eq!(bytes(&top), [999, 998, 997]);
    let next = core.page(&ViewSpec { sort, anchor: Anchor::Row(top.rows[2].id), before: 1, after: 2, ..spec() });
    assert_eq!((bytes(&next), next.first_index), (vec![998, 997, 996], 1));
    let bottom = core.page(&ViewSpec { sort, anchor: Anchor::Bottom, before: 1, after: 1, ..spec() });
    assert_eq!((bytes(&bottom), bottom.first_index), (vec![1, 0], 998));
    core.ingest(&decoded(&line(5, 5_000, 443)));
    assert_eq!(bytes(&core.page(&ViewSpec { sort, after: 1, ..spec() })), [5_000], "a new row finds its place");
}

#[test]
fn a_frozen_view_stays_and_counts_what_it_does_not_show() {
    let mut core = core();
    core.ingest(&decoded(&line(100, 1, 443)));
    let frozen = ViewSpec { frozen: true, ..spec() };
    assert_eq!(bytes(&core.page(&frozen)), [1]);
    core.ingest(&decoded(&line(200, 2, 443)));
    let page = core.page(&frozen);
    assert_eq!((bytes(&page), page.unseen), (vec![1], 1));
    assert_eq!(bytes(&core.page(&spec())), [2, 1]);
}

#[test]
fn a_frozen_session_stays_as_it_was() {
    let mut core = core();
    core.ingest(&decoded(&line(100, 1, 443)));
    let columns = vec![Field::End, Field::ReqBytes];
    let frozen = ViewSpec { tab: Tab::Sessions, frozen: true, columns, ..spec() };
    assert_eq!(bytes(&core.page(&frozen)), [1]);
    core.ingest(&decoded(&line(160, 2, 443)));
    assert_eq!(bytes(&core.page(&frozen)), [1]);
    assert_eq!(bytes(&core.page(&ViewSpec { frozen: false, ..frozen })), [3]);
}

#[test]
fn a_frozen_view_pins_a_quarter_of_the_ring_at_most() {
    let mut core = core();
    let text: String = (0..2_000).map(|n| line(100_000 + n, n, 443)).collect();
    let batch = decoded(&text);
    core.ring = Ring::new(1 << 20);
    for _ in 0..50 {
        core.ingest(&batch);
    }
    let frozen = ViewSpec { frozen: true, after: 1, ..spec() };
    let before = core.page(&frozen).total;
    assert!(before > 65_536);
    for _ in 0..100 {
        core.ingest(&batch);
    }
    let page = core.page(&frozen);
    assert!(page.total < before, "{} of {before} are still pinned", page.total);
    assert!(page.status.evicted > core.ring.evicted());
}

#[test]
fn sessions_are_over_by_the_clock_of_the_source() {
    // A machine that is two hours ahead, and a source that says so.
    let mut core = tail();
    let arrived = 100_000_000;
    core.source_status(SourceStatus { skew: -7_200_000, ..SourceStatus::default() });
    core.ingest(&Decoded { arrival: arrived, ..decoded(&line(100_000, 1, 443)) });
    core.tick(arrived + 7_200_000);
    assert!(core.take_finished().is_empty(), "more of it may be delivered");
    core.tick(arrived + 7_200_000 + 3_600_000);
    assert_eq!(core.take_finished().len(), 1);
}

#[test]
fn a_record_from_the_future_of_a_live_source_breaks_nothing() {
    let mut core = core();
    core.config.live = true;
    let mut batch = decoded(&line(2_000_000, 1, 443));
    batch.arrival = 1_000_000_000;
    core.ingest(&batch);
    core.tick(1_000_000_000);
    let page = core.page(&ViewSpec { timeline_bins: 50, ..spec() });
    assert_eq!(page.matched, 1);
}

#[test]
fn long_lines_kept_as_logged_stay_within_the_budget() {
    let mut core = core();
    core.ring = Ring::new(4 << 20);
    for _ in 0..50 {
        let long: String =
            (0..10_u64).map(|n| line(100 + n, n, 443).replace(" OK", &format!(" OK {}", "x".repeat(60_000)))).collect();
        core.ingest(&decoded(&long));
    }
    assert!(core.ring.bytes() < 12 << 20, "{} bytes", core.ring.bytes());
    assert!(core.ring.evicted() > 0);
}

#[test]
fn a_record_leads_to_its_session_and_back() {
    let mut core = core();
    core.ingest(&decoded(
        "2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK\n\
         2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK\n",
    ));
    let top = core.page(&spec());
    let page = core.page(&ViewSpec { detail: Some(top.rows[0].id), ..spec() });
    let Some(Detail::Flow { session: Some(session), line, .. }) = page.detail else { panic!("no detail") };
    assert!(line.starts_with("2 622676721278 eni-0536faba73134a9b7 172.16.0.178"));
    assert_eq!(
        (session.records.len(), session.service, session.region.as_deref()),
        (2, Some("memcached"), Some("us-west-1"))
    );
    assert!(session.notes.iter().any(|note| note.contains("public address")), "{:?}", session.notes);
    let sessions =
        core.page(&ViewSpec { tab: Tab::Sessions, columns: vec![Field::Server, Field::RespBytes], ..spec() });
    assert_eq!(bytes(&sessions), [51_327]);
    assert_eq!(sessions.rows[0].id, RowId::Session(session.id));
}

#[test]
fn the_parts_of_a_filter_and_the_values_of_a_field_know_the_moment_of_a_change() {
    let mut core = core();
    // Over at 100, still there at 1,000, and begun at 1,040.
    core.ingest(&decoded(&[line(100, 1, 21), line(900, 1, 22), line(1_020, 1, 22), line(1_100, 1, 23)].concat()));
    let filter = Arc::new(
        crate::filter::Filter::parse("server.port > 21 and phase = new", crate::filter::Stage::Sessions).unwrap(),
    );
    let explained = ViewSpec {
        tab: Tab::Sessions,
        change: Some(1_000),
        explain: Some(filter),
        values: vec![Field::Phase],
        ..spec()
    };
    let page = core.page(&explained);
    let clauses = &page.explained.expect("asked for").clauses;
    assert_eq!(clauses.iter().map(|clause| clause.alone).collect::<Vec<_>>(), [2, 1]);
    let phase = |name: &str| (Cell::Text(name.into()), 1);
    assert_eq!(page.values[0].values, [phase("before"), phase("new"), phase("surviving")]);
}

#[test]
fn groups_sum_and_count_peers() {
    let mut core = core();
    let text: String = (0..10).map(|n| line(100, 10, if n < 7 { 443 } else { 22 })).collect();
    core.ingest(&decoded(&text.replacen("10.0.0.1", "10.0.0.9", 1)));
    let page = core.page(&ViewSpec { group_by: vec![Field::DstPort], ..spec() });
    let first: Vec<Cell> = page.rows[0].cells.clone();
    assert_eq!(first, [Cell::Int(443), Cell::Int(70), Cell::Int(35), Cell::Int(7), Cell::Int(3), Cell::Float(0.0)]);
    assert_eq!(page.matched, 2);
}

#[test]
fn the_timeline_takes_back_what_is_evicted() {
    let mut core = core();
    let text: String = (0..2_000).map(|n| line(100_000 + n, 1, 443)).collect();
    let batch = decoded(&text);
    core.ring = Ring::new(1 << 20);
    for _ in 0..200 {
        core.ingest(&batch);
    }
    assert!(core.ring.evicted() > 0);
    let page = core.page(&ViewSpec { timeline_bins: 50, ..spec() });
    let counted: u64 = page.timeline.bins.iter().map(|bin| bin.accepted).sum();
    assert_eq!(counted, core.ring.len());
}

proptest! {
    #[test]
    fn any_page_is_a_window_of_the_whole_order(
        times in prop::collection::vec(0_u64..60, 1..80), at in 0_usize..80, before in 0_usize..10, after in 1_usize..10, cuts in prop::collection::vec(1_usize..9, 1..10)
    ) {
        let mut core = core();
        let mut rest = &times[..];
        let mut number = 0;
        for cut in cuts.iter().cycle() {
            let (now, later) = rest.split_at((*cut).min(rest.len()));
            let text: String = now.iter().map(|time| { number += 1; line(*time, number, 443) }).collect();
            core.ingest(&decoded(&text));
            rest = later;
            if rest.is_empty() { break; }
        }
        let whole = core.page(&spec());
        let mut expected: Vec<(u64, u64)> = times.iter().copied().zip(1..).collect();
        expected.sort_unstable();
        expected.reverse();
        prop_assert_eq!(bytes(&whole), expected.iter().map(|(_, n)| *n).collect::<Vec<_>>());
        let at = at % times.len();
        let page = core.page(&ViewSpec { anchor: Anchor::Row(whole.rows[at].id), before, after, ..spec() });
        let from = at.saturating_sub(before);
        let to = (at + after).min(times.len());
        prop_assert_eq!(page.first_index, from as u64);
        prop_assert_eq!(&page.rows[..], &whole.rows[from..to]);
    }
}

/// The engine of a tail that can load earlier time.
fn tail() -> Core {
    let config = Config { live: true, ..core().config };
    Core::new(config, Detector::default(), true)
}

fn searched(from: i64, wanted: i64, begun: i64) -> SourceStatus {
    let earlier = Some(crate::record::Earlier { from, wanted, begun });
    SourceStatus { state: SourceState::Live, earlier, ..SourceStatus::default() }
}

#[test]
fn earlier_time_is_seen_among_the_rows_once_it_is_read_and_its_sessions_are_whole() {
    let mut core = tail();
    let arrived = 100_000_000;
    let live = |text: &str, earlier| Decoded { arrival: arrived, earlier, ..decoded(text) };
    core.ingest(&live(&line(100_000, 1, 443), false));
    core.source_status(searched(99_000, 92_000, 99_000));
    // One conversation of three records, read from its end, over an hour before.
    for end in [96_120, 96_060, 96_000] {
        core.ingest(&live(&line(end, 10, 22), true));
        core.tick(arrived);
    }
    assert_eq!(bytes(&core.page(&spec())), [1], "not before the stretch is read");
    core.source_status(searched(92_000, 92_000, 99_000));
    let page = core.page(&spec());
    assert_eq!(bytes(&page), [1, 10, 10, 10]);
    assert_eq!((page.status.late, page.status.evicted, page.status.held), (0, 0, 4));
    core.tick(arrived + 10_000_000);
    let finished = core.take_finished();
    let old: Vec<&Session> = finished.iter().filter(|session| session.last < 97_000).collect();
    assert_eq!(old.len(), 1, "{finished:?}");
    assert_eq!((old[0].first, old[0].last, old[0].records), (95_940, 96_120, 3));
}
