//! What a record costs on its way in, and what a frame costs with few and with many records held. `benches/README.md` has the figures.

mod traffic;

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use flowtail::app::App;
use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::view::{Page, Sort, ViewSpec};
use flowtail::engine::{Config, Core};
use flowtail::filter::{Filter, Stage};
use flowtail::record::columns::Remap;
use flowtail::record::{Decoded, Decoder, Field, Flow, Names, RowRef, Table as _};
use flowtail::session::{LOOK_AHEAD, SessionTable};
use flowtail::store::Ring;
use flowtail::ui::glyphs::UNICODE;
use flowtail::ui::theme::{Depth, Theme};
use flowtail::ui::{self, Look};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Records in the benchmarks of the way in.
const RECORDS: usize = 100_000;
/// Records held in the benchmarks of the way out.
const HELD: [usize; 2] = [10_000, 1_000_000];
/// A filter that about a sixth of the records pass, with an address and a number to compare.
const FILTER: &str = "10.0.0.0/24 and bytes > 10k and not port 53";

fn main() {
    divan::main();
}

fn core(rules: &Rules) -> Core {
    let config = Config {
        memory: 1 << 30,
        lateness: 600,
        live: false,
        source: "bench".into(),
        region: None,
        interfaces: Vec::new(),
        fetch: None,
    };
    Core::new(config, Detector::new(rules, Limits::default()), false)
}

fn filter() -> Arc<Filter> {
    Arc::new(Filter::parse(FILTER, Stage::Flows).expect("the filter parses"))
}

/// From lines to columns.
#[divan::bench(sample_count = 20)]
fn decode(bencher: Bencher) {
    let batches = traffic::batches(RECORDS);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let mut decoder = Decoder::new(None);
        batches.iter().map(|batch| decoder.decode(batch).columns.len()).sum::<usize>()
    });
}

/// From lines to the ring.
#[divan::bench(sample_count = 20)]
fn decode_and_hold(bencher: Bencher) {
    let batches = traffic::batches(RECORDS);
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| {
        let mut decoder = Decoder::new(None);
        let mut ring = Ring::new(1 << 30);
        for batch in &batches {
            let rows = decoder.decode(batch).columns;
            let mut remap = Remap::default();
            let mut next = 0;
            while next < rows.len() {
                next += ring.push(&rows, next..rows.len(), &mut remap).rows;
            }
        }
        ring
    });
}

fn ingest(bencher: Bencher, rules: &Rules) {
    let batches = traffic::decoded(RECORDS);
    bencher.counter(ItemsCount::new(RECORDS)).with_inputs(|| core(rules)).bench_local_values(|mut core| {
        for batch in &batches {
            core.ingest(batch);
        }
        core
    });
}

/// From columns to the ring, with pairing, without rules.
#[divan::bench(sample_count = 20)]
fn ingest_with_sessions(bencher: Bencher) {
    ingest(bencher, &Rules::default());
}

/// From columns to the ring, with pairing and all rules.
#[divan::bench(sample_count = 20)]
fn ingest_with_sessions_and_rules(bencher: Bencher) {
    ingest(bencher, &Rules::builtin().expect("the rules are right"));
}

/// Pairing alone: records into an empty session table of the default budget, event time passed on every 1,024.
#[divan::bench(args = [100_000, 2_000_000], sample_count = 5)]
fn session_pairing(bencher: Bencher, count: usize) {
    let mut names = Names::default();
    let mut flows = Vec::with_capacity(count);
    for batch in traffic::decoded(count) {
        flows.extend((0..batch.columns.len()).filter_map(|row| Flow::of(&batch.columns, row, &mut names)));
    }
    let bytes = (1 << 30) / 100 * 35;
    bencher
        .counter(ItemsCount::new(flows.len()))
        .with_inputs(|| SessionTable::new(bytes, 600).reporting(false))
        .bench_local_values(|mut table| {
            let mut now = 0;
            for slice in flows.chunks(1_024) {
                for part in slice.chunks(LOOK_AHEAD) {
                    black_box(table.look_ahead(part));
                    for flow in part {
                        table.add(flow);
                        now = flow.end.max(now);
                    }
                }
                table.advance(now);
            }
            table
        });
}

/// The filter over decoded rows, without the engine around it.
#[divan::bench(sample_count = 20)]
fn filter_rows(bencher: Bencher) {
    let (batches, filter) = (traffic::decoded(RECORDS), filter());
    let count = |batch: &Decoded| {
        let matches = |row: &usize| filter.matches(&RowRef { table: &batch.columns, row: *row }, 0);
        (0..batch.columns.len()).filter(matches).count()
    };
    bencher.counter(ItemsCount::new(RECORDS)).bench_local(|| batches.iter().map(count).sum::<usize>());
}

/// Engines with each of [`HELD`] records, filled once. No rules: what they hold does not take part in a page.
static FULL: LazyLock<[Mutex<Core>; 2]> = LazyLock::new(|| {
    HELD.map(|count| {
        let mut core = core(&Rules::default());
        for batch in traffic::decoded(count) {
            core.ingest(&batch);
        }
        Mutex::new(core)
    })
});

fn with_held<R>(held: usize, f: impl FnOnce(&mut Core) -> R) -> R {
    let at = HELD.iter().position(|count| *count == held).expect("one of HELD");
    f(&mut FULL[at].lock().unwrap_or_else(PoisonError::into_inner))
}

/// What a screen of 60 rows asks for.
fn screen() -> ViewSpec {
    let columns = vec![
        Field::End,
        Field::InterfaceId,
        Field::SrcAddr,
        Field::SrcPort,
        Field::DstAddr,
        Field::DstPort,
        Field::Protocol,
        Field::Packets,
        Field::Bytes,
        Field::Action,
    ];
    ViewSpec { columns, after: 180, timeline_bins: 120, ..ViewSpec::default() }
}

/// Asks again and again for what `spec` says, as a screen does while nothing changes.
fn ask(bencher: Bencher, held: usize, spec: &ViewSpec) {
    with_held(held, |core| {
        assert!(!core.page(spec).rows.is_empty(), "the page is not empty");
        bencher.bench_local(|| core.page(black_box(spec)));
    });
}

/// A frame of the newest flows.
#[divan::bench(args = HELD)]
fn page_by_time(bencher: Bencher, held: usize) {
    ask(bencher, held, &screen());
}

/// A frame under a filter whose pass is over.
#[divan::bench(args = HELD)]
fn page_filtered(bencher: Bencher, held: usize) {
    ask(bencher, held, &ViewSpec { filter: Some(filter()), ..screen() });
}

/// A frame in the order of bytes whose pass is over.
#[divan::bench(args = HELD)]
fn page_by_bytes(bencher: Bencher, held: usize) {
    ask(bencher, held, &ViewSpec { sort: Sort { field: Field::Bytes, descending: true }, ..screen() });
}

/// The whole pass that a new filter begins. The screen shows its first page before it is over.
#[divan::bench(args = HELD, sample_count = 20)]
fn filter_pass(bencher: Bencher, held: usize) {
    with_held(held, |core| {
        // A filter that was compiled anew is a new question, even with the same text.
        bencher
            .counter(ItemsCount::new(held))
            .with_inputs(|| ViewSpec { filter: Some(filter()), ..screen() })
            .bench_local_values(|spec| core.page(&spec).matched);
    });
}

/// The whole pass that a new order begins.
#[divan::bench(args = HELD, sample_count = 20)]
fn sort_pass(bencher: Bencher, held: usize) {
    with_held(held, |core| {
        let mut descending = false;
        bencher
            .counter(ItemsCount::new(held))
            .with_inputs(|| {
                descending = !descending;
                ViewSpec { sort: Sort { field: Field::Bytes, descending }, ..screen() }
            })
            .bench_local_values(|spec| core.page(&spec).rows.len());
    });
}

/// Drawing a page on a screen of 200 columns and 60 rows.
#[divan::bench(args = HELD)]
fn draw_200x60(bencher: Bencher, held: usize) {
    let mut app = App::new();
    let spec = app.spec();
    let page: Page = with_held(held, |core| core.page(&spec));
    app.receive(Arc::new(page));
    let theme = Theme::load("dark", None, Depth::True).expect("the theme is built in");
    let look = Look { theme, glyphs: &UNICODE };
    let mut buffer = Buffer::empty(Rect::new(0, 0, 200, 60));
    app.laid_out(ui::draw(&app, &look, &mut buffer));
    bencher.bench_local(|| ui::draw(black_box(&app), &look, &mut buffer));
}
