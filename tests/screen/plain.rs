//! No colour is needed to tell anything apart, and no place on the screen is a wrong one for the mouse.

use flowtail::app::MouseKind;
use flowtail::ui::theme::{Depth, Theme};
use ratatui::style::{Color, Modifier};

use crate::Stage;
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

/// Texts that are wider than they are long, narrower, or not what they seem: wide and emoji, combining, joined, right to left, bidirectional control,
/// control characters, very long.
const STRANGE: [&str; 9] = [
    "日本語のホスト名",
    "👩‍👩‍👧‍👦👍🏽 family",
    "e\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}x",
    "שלום עולם",
    "مرحبا بالعالم",
    "\u{202e}evil\u{202c}\u{2066}x\u{2069}",
    "\u{1b}[2J\u{7}\u{8}\u{9b}31m",
    "\u{200b}\u{feff}\u{200d}zero",
    "ｆｕｌｌｗｉｄｔｈﷺ꧁꧂",
];

/// The frame is cells that a terminal shows as they stand: each sign is as wide as the cells it has, nothing is left of what it was.
fn assert_sound(stage: &Stage, what: &str) {
    use unicode_width::UnicodeWidthStr as _;
    let area = stage.frame.area;
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let symbol = stage.frame[(x, y)].symbol();
            let bad = |c: char| {
                c.is_control()
                    || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            };
            assert!(!symbol.contains(bad), "{what}: {symbol:?} at {x},{y}");
            let width = u16::try_from(symbol.width()).expect("a sign").max(1);
            assert!(x + width <= area.right(), "{what}: {symbol:?} at {x},{y} goes beyond the edge");
            x += width;
        }
    }
}

#[test]
fn names_notes_paths_and_filters_of_any_script_do_not_break_the_layout() {
    use flowtail::app::{App, Input};
    use flowtail::enrich::{Known, Names};
    for strange in STRANGE {
        let long = strange.repeat(30);
        for text in [strange, &long] {
            let csv = format!("13.125.33.130,\"{text}\"\neni-0536faba73134a9b7,\"{text}\"\n172.16.0.178,\"{text}\"\n");
            // What the reader of lists refuses cannot be shown.
            let names = Names::read(&csv).unwrap_or_default();
            let mut stage = Stage::new(text, Some(text), crate::look(), (80, 24));
            stage.feed([crate::batch(crate::LINES), crate::live()]);
            stage.app = App::new()
                .with_known(std::sync::Arc::new(Known::from(names)))
                .with_themes(vec!["dark".to_owned(), text.to_owned()], text);
            // Where its names stand, where it is typed and pasted, where it is kept, and all of the lists that show it.
            let steps: [(&str, bool); 14] = [
                ("2", false),
                ("d", false),
                ("e", false),
                ("<esc>I", false),
                ("<esc><esc>1/", true),
                ("<enter>", false),
                ("<esc>/'", true),
                ("'<enter>", false),
                ("<esc><esc>jn", true),
                ("<enter>M", false),
                ("<esc>T10:32 ", true),
                ("<enter>x<enter>", true),
                ("<esc>:theme", false),
                ("<esc>:", true),
            ];
            for (keys, paste) in steps {
                stage.run(keys);
                if paste {
                    stage.press(&Input::Paste(text.to_owned()));
                }
                for (width, height) in [(80, 24), (200, 60), (60, 20), (20, 5), (50, 70)] {
                    stage.resize(width, height);
                    assert_sound(&stage, &format!("{text:?} after {keys} at {width}x{height}"));
                }
            }
        }
    }
}
