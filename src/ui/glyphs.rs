//! The signs that the screen draws with, for terminals that have them and for those that only have ASCII.

/// A set of signs, each one cell wide.
#[derive(Debug)]
pub struct Glyphs {
    /// Whether the terminal has nothing but ASCII: any other character is written as `?`.
    pub only_ascii: bool,
    /// A line across.
    pub horizontal: &'static str,
    /// A line down.
    pub vertical: &'static str,
    /// From one side to the other.
    pub arrow: &'static str,
    /// In the place of the arrow: accepted by one, rejected by another.
    pub mixed: &'static str,
    /// In the place of the arrow: rejected.
    pub refused: &'static str,
    /// There are columns to the left.
    pub left: &'static str,
    /// There are columns that are not shown, or to the right.
    pub right: &'static str,
    /// Beside a value that what is held has not had before.
    pub first_seen: &'static str,
    /// A row that the user marked.
    pub marked: &'static str,
    /// Before what is folded.
    pub folded: &'static str,
    /// Sorted largest first.
    pub descending: &'static str,
    /// Sorted smallest first.
    pub ascending: &'static str,
    /// An alert on the timeline.
    pub alert: &'static str,
    /// Evidence lost (SKIPDATA) on the timeline.
    pub skipped: &'static str,
    /// Time that could not be read, or may still be incomplete.
    pub incomplete: &'static str,
    /// On the timeline: the rows on the screen are of this time.
    pub seen: &'static str,
    /// The mark of a change on the timeline.
    pub change: &'static str,
    /// Text was cut here.
    pub ellipsis: &'static str,
    /// Something reads.
    pub live: &'static str,
    /// Between facts of one line.
    pub dot: &'static str,
    /// At least.
    pub at_least: &'static str,
    /// Bars that grow from the bottom, by eighths of a cell; the first is empty.
    pub bars: [&'static str; 9],
    /// Whether a bar that hangs from the top is drawn as a reversed one.
    pub hanging: bool,
    /// A full part of a gauge.
    pub full: &'static str,
    /// Where the lines shown are, in a scroll bar.
    pub thumb: &'static str,
    /// An empty part of a gauge.
    pub empty: &'static str,
}

/// For terminals that have them.
pub const UNICODE: Glyphs = Glyphs {
    only_ascii: false,
    horizontal: "─",
    vertical: "│",
    arrow: "→",
    mixed: "≠",
    refused: "×",
    left: "‹",
    right: "›",
    first_seen: "*",
    marked: "◆",
    folded: "▸",
    descending: "↓",
    ascending: "↑",
    alert: "▲",
    skipped: "!",
    incomplete: "░",
    seen: "━",
    change: "◆",
    ellipsis: "…",
    live: "●",
    dot: "·",
    at_least: "≥",
    bars: [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    hanging: true,
    full: "█",
    thumb: "┃",
    empty: "░",
};

/// For those that only have ASCII.
pub const ASCII: Glyphs = Glyphs {
    only_ascii: true,
    horizontal: "-",
    vertical: "|",
    arrow: ">",
    mixed: "#",
    refused: "x",
    left: "<",
    right: ">",
    first_seen: "*",
    marked: "*",
    folded: "+",
    descending: "v",
    ascending: "^",
    alert: "^",
    skipped: "!",
    incomplete: "/",
    seen: "=",
    change: "T",
    ellipsis: "~",
    live: "*",
    dot: "-",
    at_least: ">",
    bars: [" ", ".", ".", ":", ":", "|", "|", "#", "#"],
    hanging: false,
    full: "#",
    thumb: "#",
    empty: ".",
};
