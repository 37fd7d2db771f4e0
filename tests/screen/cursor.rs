//! The cursor is a row, never a place: it stays with its row through new rows, other orders, filters and evictions.

use flowtail::app::{Focus, MouseKind, Pin, Target};
use flowtail::engine::view::{RowId, Sort, Tab};
use flowtail::record::Field;

use crate::play::{attacked, series};

#[test]
fn following_shows_what_comes_and_leaving_keeps_the_rows_still() {
    let mut s = series(100);
    let newest = s.cursor();
    s.arrive(100, 5);
    assert_ne!(s.cursor(), newest);
    assert_eq!(s.place(), 0);
    s.run("jjj");
    let (row, text) = (s.cursor(), s.selected());
    s.arrive(105, 500);
    assert_eq!((s.cursor(), s.selected()), (row, text), "the row and its line stay");
    assert_eq!(s.place(), 503);
    assert!(s.shows("+500 new"), "{}", s.text());
    s.run("g");
    assert!(!s.shows(" new "));
    assert_eq!((s.place(), s.app.view().table().pin), (0, Pin::Top));
}

#[test]
fn up_at_the_newest_row_follows_again() {
    let mut s = series(100);
    s.run("jk");
    assert!(!s.app.view().table().follows());
    s.run("k");
    assert!(s.app.view().table().follows());
}

#[test]
fn a_walk_over_the_whole_order_meets_every_row_once() {
    let mut s = series(400);
    let mut met = vec![s.cursor()];
    for _ in 1..400 {
        met.push(s.run("j").cursor());
    }
    assert_eq!(s.place(), 399);
    met.dedup();
    assert_eq!(met.len(), 400);
    assert_eq!(s.run("j").place(), 399, "nothing lies beyond the end");
    s.run("<pgup><pgdn><ctrl-u><ctrl-d>");
    assert_eq!(s.place(), 399);
    let up: Vec<u64> = (0..40).map(|_| s.run("<pgup>").place()).collect();
    assert!(up.is_sorted_by(|a, b| a > b || *b == 0), "{up:?}");
    assert_eq!(up.last(), Some(&0));
}

#[test]
fn the_end_is_where_the_oldest_row_is() {
    let mut s = series(400);
    s.run("G");
    assert_eq!(s.place(), 399);
    let oldest = s.cursor();
    s.arrive(400, 50);
    assert_eq!((s.cursor(), s.place()), (oldest, 449));
    s.run("k");
    assert_eq!(s.place(), 448);
}

#[test]
fn a_row_that_the_filter_leaves_out_gives_way_to_its_neighbour_in_time() {
    let mut s = series(400);
    s.run("jjjjjjjjjj");
    let Some(RowId::Flow { time: before, .. }) = s.cursor() else { panic!("a flow") };
    s.run("/22<enter>");
    let Some(RowId::Flow { time: after, .. }) = s.cursor() else { panic!("a flow") };
    assert!(before.abs_diff(after) <= 8, "{before} and {after}");
    assert!(!s.shows("no longer held"), "a filter is no loss");
}

#[test]
fn a_frozen_view_counts_and_does_not_move() {
    let mut s = series(100);
    s.run("<space>");
    let rows = |text: String| text.lines().skip(8).take(12).map(str::to_owned).collect::<Vec<_>>();
    let before = rows(s.text());
    s.arrive(100, 40);
    assert_eq!(before, rows(s.text()));
    assert!(s.shows("FROZEN +40"));
    s.run("jj<space>");
    assert!(s.shows("LIVE") && s.place() == 42, "{} {}", s.place(), s.text());
}

#[test]
fn clicks_and_the_wheel() {
    let mut s = attacked();
    s.click(Target::Header(flowtail::app::columns::Col::Field(Field::Bytes)));
    assert_eq!(s.app.view().table().sort, Sort { field: Field::Bytes, descending: true });
    s.click(Target::Tab(Tab::Sessions));
    assert_eq!(s.tab(), Tab::Sessions);
    let third = s.app.row_id(2).expect("a row");
    s.click(Target::Row(third));
    assert_eq!(s.cursor(), Some(third));
    s.click(Target::Row(third));
    assert!(s.app.view().detail, "a second click opens");
    let alert = s.app.page().alerts[0].id;
    s.click(Target::Alert(alert));
    assert_eq!(s.app.focus(), Focus::Sidebar);
    s.click(Target::Alert(alert));
    assert!(s.shows("1,026.5") && s.tab() == Tab::Sessions);
    s.run("<esc><esc>1F");
    let (table, _) = *s.viewport.hits.iter().find(|(_, target)| *target == Target::Table).expect("a table");
    let (x, y) = (table.x + 5, table.y + 4);
    s.mouse(MouseKind::WheelDown, x, y);
    assert_eq!(s.place(), 3);
    s.mouse(MouseKind::WheelUp, x, y);
    s.mouse(MouseKind::WheelUp, x, y);
    assert!(s.app.view().table().follows());
    s.resize(80, 24);
    s.mouse(MouseKind::WheelRight, x, y);
    assert!(s.viewport.first_column > 0, "{}", s.text());
    s.mouse(MouseKind::WheelLeft, x, y);
    s.click(Target::Hint(flowtail::app::Action::Help));
    assert!(s.shows("Help: type to search"));
    s.mouse(MouseKind::WheelDown, 40, 12);
    assert!(s.viewport.help.1 > s.viewport.help.0);
}
