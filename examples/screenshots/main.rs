//! Makes the pictures of `screenshots/` from the demo and the real screen: `cargo run --example screenshots`. With `-- --check` it writes
//! nothing and fails, naming them, where a picture is not what the screen draws today.
//!
//! A picture is a moment of the recorded clock, a size, a theme and a string of keys, so that it can be made again by anybody.

#[path = "../../tests/screen/stage.rs"]
#[expect(dead_code, reason = "the screen tests, which share it, use all of it")]
mod stage;
mod svg;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use flowtail::app::{Input, Key};
use flowtail::ui::Look;
use flowtail::ui::glyphs::UNICODE;
use flowtail::ui::theme::{Depth, Theme};
use stage::{NOW, Stage};

/// One picture.
struct Shot {
    /// Name of its file, without `.svg`.
    name: &'static str,
    size: (u16, u16),
    theme: &'static str,
    /// What is pressed, as [`flowtail::app::Key::sequence`] spells it.
    keys: &'static str,
}

/// Sessions, the ratio of bytes chosen and sorted by.
const BY_RATIO: &str = "2<right><right><right><right><right><right><right><right><right>s";

const SHOTS: [Shot; 7] = [
    Shot { name: "demo", size: (120, 36), theme: "dark", keys: "ad" },
    Shot { name: "sessions", size: (150, 32), theme: "dark", keys: BY_RATIO },
    Shot { name: "alert", size: (120, 36), theme: "dark", keys: "a<enter>" },
    Shot { name: "filter", size: (120, 28), theme: "dark", keys: "/port 11211<enter>/ and byts > 1000<enter>" },
    Shot { name: "help", size: (100, 40), theme: "dark", keys: "?" },
    Shot { name: "light", size: (120, 32), theme: "light", keys: "2d" },
    Shot { name: "small", size: (80, 24), theme: "dark", keys: "/11211<enter>" },
];

/// The film: what is pressed, and how long it stands, tenths of a second. What is typed goes letter by letter.
const FILM: (&str, (u16, u16), &[(&str, u32)]) = (
    "session",
    (110, 30),
    &[
        ("", 20),
        ("u", 12),
        ("u", 8),
        ("a", 12),
        ("<enter>", 35),
        ("e", 30),
        ("<esc>", 5),
        ("<esc>", 5),
        ("2", 15),
        ("/server.port in @amplification and ratio > 10", 1),
        ("<enter>", 25),
        ("m", 12),
        ("x", 25),
        ("<esc>", 5),
        ("<esc>", 15),
    ],
);

fn main() -> ExitCode {
    let check = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [only] if only == "--check" => true,
        _ => {
            eprintln!("usage: cargo run --example screenshots [-- --check]");
            return ExitCode::from(2);
        }
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    let mut stale = Vec::new();
    let pictures = SHOTS.iter().map(|shot| (shot.name, draw(shot)));
    for (name, picture) in pictures.chain(std::iter::once_with(|| (FILM.0, film()))) {
        let path = folder.join(name).with_extension("svg");
        if fs::read_to_string(&path).is_ok_and(|there| there == picture) {
            continue;
        }
        if check {
            stale.push(name);
            continue;
        }
        if let Err(error) = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, picture)) {
            eprintln!("{} cannot be written: {error}", path.display());
            return ExitCode::FAILURE;
        }
        println!("{}", path.display());
    }
    if stale.is_empty() {
        return ExitCode::SUCCESS;
    }
    for name in stale {
        eprintln!("screenshots/{name}.svg is not what the screen draws: cargo run --example screenshots makes it anew");
    }
    ExitCode::FAILURE
}

fn film() -> String {
    let (_, size, script) = FILM;
    let theme = Theme::load("dark", None, Depth::True).expect("a built-in theme");
    let mut stage = Stage::demo(NOW, Look { theme, glyphs: &UNICODE }, size);
    let mut frames = Vec::new();
    for (keys, tenths) in script {
        let mut take = |stage: &Stage| {
            frames.push(svg::Frame { buffer: stage.frame.clone(), caret: stage.viewport.caret, tenths: *tenths });
        };
        let keys = Key::sequence(keys);
        if keys.is_empty() {
            take(&stage);
        }
        for key in keys {
            stage.press(&Input::Key(key));
            take(&stage);
        }
    }
    svg::film(&frames, &stage.look.theme)
}

fn draw(shot: &Shot) -> String {
    let theme = Theme::load(shot.theme, None, Depth::True).expect("a built-in theme");
    let mut stage = Stage::demo(NOW, Look { theme, glyphs: &UNICODE }, shot.size);
    stage.run(shot.keys);
    svg::picture(&stage.frame, &stage.look.theme, stage.viewport.caret)
}
