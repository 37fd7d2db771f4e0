//! No colour is needed to tell anything apart, and no place on the screen is a wrong one for the mouse.

use flowtail::app::MouseKind;
use flowtail::ui::theme::{Depth, Theme};
use ratatui::style::{Color, Modifier};

use crate::play::{attacked, series};

#[test]
fn without_colour_every_state_has_another_sign() {
    let mut s = attacked();
    s.look.theme = Theme::load("dark", None, Depth::None).expect("built in");
    s.run("jj");
    assert!(s.frame.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    assert_eq!(s.selected().len(), 1, "the cursor is reversed");
    assert!(s.text().lines().any(|line| line.contains("H 15:27:46")), "the mark is a letter:\n{}", s.text());
    s.run("a");
    let reversed = s.frame.content().iter().filter(|cell| cell.modifier.contains(Modifier::REVERSED)).count();
    assert!(reversed > 120, "the alert with the focus is reversed too");
    s.run("<esc>/22<enter>");
    assert!(s.text().contains(" R 172.16.1."), "rejected is a letter:\n{}", s.text());
    s.run("/ &&");
    assert!(s.text().contains("x/"), "a bad filter has a sign:\n{}", s.text());
}

#[test]
fn the_mouse_may_be_anywhere() {
    let mut s = series(30);
    for kind in [MouseKind::Click, MouseKind::WheelUp, MouseKind::WheelDown] {
        for (x, y) in [(0, 0), (59, 11), (500, 500), (u16::MAX, u16::MAX)] {
            s.mouse(kind, x, y);
        }
    }
}
