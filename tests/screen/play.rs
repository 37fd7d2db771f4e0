//! What the tests of getting around share: a stage with records that can be counted, a hand on the mouse, and questions to what is shown.

use std::fmt::Write as _;

use flowtail::app::{Input, Mouse, MouseKind, Target};
use flowtail::engine::view::{RowId, Tab};
use ratatui::style::Modifier;

use crate::stage::Stage;

/// The four records of the founding attack: the priming, then the trigger and its answer, 1,026.5 times as large.
pub const FOUNDING: &str = "\
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 22222 11211 17 3422 5072550 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 22222 17 137 513727 1534778743 1534778802 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK
2 622676721278 eni-0536faba73134a9b7 172.16.0.178 13.125.33.130 11211 40396 17 36 51327 1534778806 1534778866 ACCEPT OK
";

/// Records `first` to `first + count` of a series: one a second from 15:20:00 on the day of the attack, each second one the answer to the
/// one before, but for SSH, which is refused.
pub fn flows(first: u64, count: u64) -> String {
    let mut out = String::new();
    for n in first..first + count {
        let talk = n / 2;
        let port = [443, 53, 22, 5432][usize::try_from(talk % 4).expect("below 4")];
        let (protocol, action) = (if port == 53 { 17 } else { 6 }, if port == 22 { "REJECT" } else { "ACCEPT" });
        let client = (format!("172.16.1.{}", talk % 7 + 10), 40_000 + talk % 20_000);
        let server = ("172.16.0.178".to_owned(), port);
        let back = n % 2 == 1 && action == "ACCEPT";
        let (from, to) = if back { (&server, &client) } else { (&client, &server) };
        let (packets, bytes) = (talk % 9 + 1, (talk % 9 + 1) * if back { 400 } else { 90 });
        let (start, end) = (1_534_778_342 + n, 1_534_778_400 + n);
        let ends = format!("{} {} {} {}", from.0, to.0, from.1, to.1);
        let _ = writeln!(
            out,
            "2 622676721278 eni-0536faba73134a9b7 {ends} {protocol} {packets} {bytes} {start} {end} {action} OK"
        );
    }
    out
}

/// A stage of 80 by 24 over the first `count` records of the series.
pub fn series(count: u64) -> Stage {
    let mut stage = Stage::new("flows.log", Some("us-west-1"), crate::look(), (80, 24));
    stage.feed([crate::batch(&flows(0, count)), crate::live()]);
    stage
}

/// A stage of 120 by 40 over 300 records of the series and the attack.
pub fn attacked() -> Stage {
    let mut stage = series(300);
    stage.resize(120, 40).feed([crate::batch(FOUNDING)]);
    stage
}

impl Stage {
    /// More records of the series arrive.
    pub fn arrive(&mut self, first: u64, count: u64) {
        self.feed([crate::batch(&flows(first, count))]);
    }

    /// Text comes from the clipboard.
    pub fn paste(&mut self, text: &str) -> &mut Stage {
        self.press(&Input::Paste(text.to_owned()))
    }

    /// The mouse does something at a cell.
    pub fn mouse(&mut self, kind: MouseKind, x: u16, y: u16) -> &mut Stage {
        self.press(&Input::Mouse(Mouse { kind, x, y }))
    }

    /// Clicks where `wanted` is on the screen.
    pub fn click(&mut self, wanted: Target) -> &mut Stage {
        let hit = self.viewport.hits.iter().rev().find(|(_, target)| *target == wanted);
        let (area, _) = *hit.unwrap_or_else(|| panic!("{wanted:?} is not on the screen:\n{}", self.text()));
        self.mouse(MouseKind::Click, area.x, area.y)
    }

    /// Whether a line shows `text`.
    pub fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The lines of the table that are drawn as selected.
    pub fn selected(&self) -> Vec<String> {
        let area = self.frame.area;
        let line = |y: u16| (area.left()..area.right()).filter_map(move |x| self.frame.cell((x, y)));
        (area.top()..area.bottom())
            .filter(|y| line(*y).next().is_some_and(|cell| cell.modifier.contains(Modifier::REVERSED)))
            .map(|y| line(y).map(ratatui::buffer::Cell::symbol).collect())
            .collect()
    }

    /// The row under the cursor.
    pub fn cursor(&self) -> Option<RowId> {
        self.app.view().table().cursor
    }

    /// The place of that row in the whole order, from 0.
    pub fn place(&self) -> u64 {
        self.app.view().table().index
    }

    /// The table that is looked at.
    pub fn tab(&self) -> Tab {
        self.app.view().tab
    }

    /// The text of the filter in force.
    pub fn filter(&self) -> Option<&str> {
        self.app.view().filter.as_ref().filter(|applied| !applied.off).map(|applied| applied.text.as_str())
    }

    /// How many rows match.
    pub fn matched(&self) -> u64 {
        self.app.page().matched
    }
}
