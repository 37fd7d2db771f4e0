//! One change of the view after the other is taken back, whatever made it; and borders are moved by the mouse.

use flowtail::app::grab::Border;
use flowtail::app::{Context, Input, Mouse, MouseKind, Target};
use flowtail::engine::view::Tab;

use crate::Stage;

fn mouse(stage: &mut Stage, kind: MouseKind, x: u16, y: u16) {
    stage.press(&Input::Mouse(Mouse { kind, x, y }));
}

/// Where a border is.
fn place(stage: &Stage, border: Border) -> (u16, u16) {
    let hit = stage.viewport.hits.iter().find(|(_, target)| *target == Target::Border(border));
    let (area, _) = hit.unwrap_or_else(|| panic!("no {border:?}\n{}", stage.text()));
    (area.x, area.y)
}

#[test]
fn changes_are_taken_back_one_by_one_by_whatever_they_were_made() {
    let mut stage = crate::stage();
    stage.resize(120, 32);
    let mut pictures = vec![stage.text()];
    // Sorted, filtered, turned around, a table, folded out, a column, panes, times, a group, a pivot, what Esc took back.
    for keys in [
        "u",
        "<right><right>s",
        "/port 11211<enter>",
        "S",
        "2",
        "cscope<enter><esc>",
        "v",
        "w",
        "bclient<enter>",
        "<esc>",
    ] {
        stage.run(keys);
        pictures.push(stage.text());
    }
    let changed = pictures.len() - 1;
    for left in (0..changed).rev() {
        stage.run("U");
        let more = match left {
            0 => "nothing more".to_owned(),
            1 => "1 more change can be".to_owned(),
            more => format!("{more} more changes can be"),
        };
        assert!(stage.shows(&more) && stage.shows("Took back "), "{left}\n{}", stage.text());
    }
    stage.run("U");
    assert!(stage.shows("no change of the view to take back"), "{}", stage.text());
    // A key that moves nothing takes the words away: all is as it was.
    stage.run("<f12>");
    let first = |text: &str| text.lines().skip(8).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(first(&stage.text())[1..], first(&pictures[0])[1..]);
    assert_eq!((stage.app.view().tab, stage.app.steps_back()), (Tab::Flows, 0));
}

#[test]
fn a_filter_that_was_left_by_esc_comes_back() {
    let mut stage = crate::stage();
    stage.resize(120, 32).run("/port 11211<enter>e<esc><esc>");
    assert!(stage.app.view().filter.is_none());
    stage.run("U");
    assert!(stage.app.view().filter.is_some() && stage.shows("Took back the filter"), "{}", stage.text());
    // The way back is again the one that led there.
    assert_eq!(stage.app.steps_back(), 1);
    stage.run("<esc>");
    assert!(stage.app.view().filter.is_none() && stage.app.steps_back() == 0);
}

#[test]
fn borders_are_dragged_and_a_drag_is_one_change() {
    let mut stage = crate::stage();
    stage.resize(120, 32);
    let (x, y) = place(&stage, Border::BesideAlerts);
    mouse(&mut stage, MouseKind::Click, x, y + 3);
    for to in (x - 17..x).rev() {
        mouse(&mut stage, MouseKind::Drag, to, y + 5);
    }
    mouse(&mut stage, MouseKind::Release, x - 16, y + 5);
    assert_eq!(place(&stage, Border::BesideAlerts).0, x - 16, "{}", stage.text());
    // Further moves are no drag.
    mouse(&mut stage, MouseKind::Drag, 3, 20);
    assert_eq!(place(&stage, Border::BesideAlerts).0, x - 16);
    stage.run("U");
    assert!(stage.shows("Took back the panes; nothing more"), "{}", stage.text());
    assert_eq!(place(&stage, Border::BesideAlerts).0, x);
    // The detail, and the alerts below the table; never to nothing, never over all.
    stage.run("d");
    let (x, y) = place(&stage, Border::OverDetail);
    mouse(&mut stage, MouseKind::Click, x + 9, y);
    mouse(&mut stage, MouseKind::Drag, x + 9, y - 4);
    mouse(&mut stage, MouseKind::Release, x + 9, y - 4);
    assert_eq!(place(&stage, Border::OverDetail).1, y - 4, "{}", stage.text());
    stage.run("d").resize(80, 24);
    let (x, y) = place(&stage, Border::OverAlerts);
    mouse(&mut stage, MouseKind::Click, x + 9, y);
    for to in [0, 23, y - 1] {
        mouse(&mut stage, MouseKind::Drag, x + 9, to);
        assert!(stage.viewport.table_rows > 0, "{}", stage.text());
    }
    mouse(&mut stage, MouseKind::Release, x + 9, y - 1);
    assert_eq!(place(&stage, Border::OverAlerts).1, y - 1, "{}", stage.text());
}

#[test]
fn the_scroll_bar_says_where_one_is_and_pages() {
    let mut stage = Stage::demo(crate::NOW, crate::look(), (120, 32));
    let bar = |stage: &Stage| stage.viewport.scrollbar.expect("a scroll bar");
    let x = place(&stage, Border::BesideAlerts).0;
    let rows = u16::try_from(stage.viewport.table_rows).expect("rows");
    let (top, height) = bar(&stage);
    assert_eq!(stage.frame[(x, top)].symbol(), "┃", "{}", stage.text());
    let click = |stage: &mut Stage, y: u16| {
        mouse(stage, MouseKind::Click, x, y);
        mouse(stage, MouseKind::Release, x, y);
    };
    let before = stage.app.view().table().index;
    click(&mut stage, top + height + 2);
    let after = stage.app.view().table().index;
    assert_eq!(after - before, u64::from(rows) - 1, "{}", stage.text());
    stage.run("G");
    assert_eq!(bar(&stage).0 + bar(&stage).1, top + rows, "{}", stage.text());
    let end = stage.app.view().table().index;
    click(&mut stage, top);
    assert!(stage.app.view().table().index < end, "{}", stage.text());
    // What all is shown of has none.
    stage.run("/port 11211 and srcport 40396<enter>");
    assert_eq!(stage.viewport.scrollbar, None, "{}", stage.text());
}

#[test]
fn the_palette_does_what_the_timeline_can() {
    let mut stage = Stage::demo(crate::NOW, crate::look(), (120, 32));
    assert!(!stage.shows("bytes in"));
    stage.run(":bytes in and out<enter>");
    assert!(stage.shows("bytes in") && stage.app.context() == Context::Timeline, "{}", stage.text());
    stage.run("<esc>U");
    assert!(stage.shows("Took back the timeline") && !stage.shows("bytes in"), "{}", stage.text());
}
