use super::*;

fn rgb(theme: &Theme, token: Token) -> (u8, u8, u8) {
    match theme.color(token) {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index) => indexed_rgb(index),
        // The terminal's own: what that is nobody knows, but it was chosen to be read.
        Color::Reset => match token {
            Token::Background | Token::Surface => (0, 0, 0),
            _ => (255, 255, 255),
        },
        other => panic!("{token:?} of {} is {other:?}", theme.name()),
    }
}

/// WCAG 2.1 contrast ratio.
fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let luminance = |(r, g, b): (u8, u8, u8)| {
        let part = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.03928 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    };
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn text_of_every_theme_can_be_read() {
    for name in Theme::names() {
        for depth in [Depth::True, Depth::Indexed] {
            let theme = Theme::load(name, None, depth).unwrap();
            for (token, token_name) in TOKENS {
                let grounds: &[Token] = match token {
                    Token::Background | Token::Surface | Token::Selection | Token::Border | Token::Bar => continue,
                    Token::SelectionText => &[Token::Selection],
                    _ => &[Token::Background, Token::Surface],
                };
                for ground in grounds {
                    if theme.color(*token) == Color::Reset && theme.color(*ground) == Color::Reset {
                        // Both the terminal's own, told apart by reverse and bold: there is no ratio to ask for.
                        continue;
                    }
                    let ratio = contrast(rgb(&theme, *token), rgb(&theme, *ground));
                    assert!(ratio >= 4.5, "{name} at {depth:?}: {token_name} on {ground:?} is {ratio:.2}:1");
                }
            }
        }
    }
}

#[test]
fn without_colour_everything_stands_out_in_another_way() {
    let theme = Theme::load("dark", None, Depth::None).unwrap();
    for (token, _) in TOKENS {
        assert_eq!(theme.color(*token), Color::Reset);
    }
    assert!(theme.selected().add_modifier.contains(Modifier::REVERSED));
    assert!(theme.style(Token::Accent).add_modifier.contains(Modifier::BOLD));
    assert!(theme.style(Token::Muted).add_modifier.contains(Modifier::DIM));
}

#[test]
fn colours_come_down_to_what_the_terminal_has() {
    let at = |depth| Theme::load("dark", None, depth).unwrap().color(Token::Accent);
    assert_eq!(at(Depth::True), Color::Rgb(0x7c, 0xb7, 0xff));
    assert!(matches!(at(Depth::Indexed), Color::Indexed(16..)));
    assert_eq!(at(Depth::Ansi), Color::LightBlue);
    let ansi = Theme::load("dark", None, Depth::Ansi).unwrap().selected();
    assert_eq!((ansi.fg, ansi.bg, ansi.add_modifier), (Some(Color::Reset), Some(Color::Reset), Modifier::REVERSED));
    let bare = r##"name = "x"
        colors.accent = "#ff0000""##;
    assert_eq!(Theme::parse(bare, Depth::Ansi, "x.toml", 0).unwrap().color(Token::Accent), Color::LightRed);
}

#[test]
fn depth_is_read_from_the_environment() {
    let depth = |vars: &[(&str, &str)]| {
        Depth::detect(|name| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    };
    assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
    assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "")]), Depth::Indexed);
    assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("NO_COLOR", "1")]), Depth::None);
    assert_eq!(depth(&[("TERM", "linux")]), Depth::Ansi);
    assert_eq!(depth(&[("TERM", "dumb")]), Depth::None);
}

#[test]
fn auto_follows_the_terminal() {
    let auto = |shade| Theme::load("auto", shade, Depth::True).unwrap().shade();
    assert_eq!(auto(Some(Shade::Light)), Shade::Light);
    assert_eq!(auto(Some(Shade::Dark)), Shade::Dark);
    assert_eq!(auto(None), Shade::Dark);
}

#[test]
fn a_broken_file_is_a_clear_error() {
    let error = |text: &str| Theme::parse(text, Depth::True, "my.toml", 0).unwrap_err().to_string();
    assert!(error("name = \"x\"\ncolors.accent = \"#12\"").contains("#rrggbb"));
    assert!(error("name = \"x\"\ncolors.acent = \"red\"").contains("unknown field `acent`"));
    assert!(error("name = \"x\"\ncolors.accent = 256").contains("accent"));
    assert!(error("\u{0}\u{1b}[31m").contains("my.toml is not a theme"));
    assert!(error("").contains("missing field `name`"));
    let unknown = Theme::load("nosuch", None, Depth::True).unwrap_err().to_string();
    assert!(unknown.contains("auto, dark, light, high-contrast"), "{unknown}");
    assert!(Theme::load("/no/such.toml", None, Depth::True).unwrap_err().to_string().contains("cannot be read"));
}

#[test]
fn a_file_leans_on_the_one_it_names_and_never_in_a_circle() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("a.toml", "name = \"a\"\nbase = \"b\"\ncolors.accent = 21\n");
    write("b.toml", "name = \"b\"\nbase = \"light\"\ncolors.key = 22\ncolors.accent = 23\n");
    write("c.toml", "name = \"c\"\nbase = \"c\"\n");
    let load = |name: &str| Theme::load(dir.path().join(name).to_str().unwrap(), None, Depth::True);
    let theme = load("a.toml").unwrap();
    assert_eq!((theme.color(Token::Accent), theme.color(Token::Key)), (Color::Indexed(21), Color::Indexed(22)));
    assert_eq!(theme.color(Token::Text), Theme::load("light", None, Depth::True).unwrap().color(Token::Text));
    assert_eq!(theme.shade(), Shade::Light);
    assert!(load("c.toml").unwrap_err().to_string().contains("leads in a circle"));
    assert_eq!(Theme::in_folder(dir.path()), ["a", "b", "c"]);
    assert!(Theme::in_folder(&dir.path().join("none")).is_empty());
}

#[test]
fn monochrome_has_no_colour_and_stands_out_all_the_same() {
    let theme = Theme::load("monochrome", None, Depth::True).unwrap();
    assert!(TOKENS.iter().all(|(token, _)| theme.color(*token) == Color::Reset));
    assert!(theme.style(Token::Key).add_modifier.contains(Modifier::BOLD));
}

#[test]
fn a_file_leans_on_the_theme_of_its_kind() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.toml");
    std::fs::write(&path, "name = \"mine\"\nkind = \"light\"\ncolors.accent = 21\n").unwrap();
    let theme = Theme::load(path.to_str().unwrap(), None, Depth::True).unwrap();
    assert_eq!(theme.color(Token::Accent), Color::Indexed(21));
    assert_eq!(theme.color(Token::Text), Theme::load("light", None, Depth::True).unwrap().color(Token::Text));
}
