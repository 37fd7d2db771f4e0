//! The app, the real engine and the real renderer, joined without threads, terminal or clock: keys go in as a string, a screen comes out.

use std::sync::Arc;

use flowtail::app::{App, Effect, Input, Key, Mouse, MouseKind, Target};
use flowtail::detect::{Detector, Limits, Rules};
use flowtail::engine::view::{RowId, Tab};
use flowtail::engine::{Config, Core};
use flowtail::record::{Batch, Decoder, Input as Fed, SourceState, SourceStatus};
use flowtail::source::demo::{self, DemoConfig};
use flowtail::ui::theme::{Depth, Theme};
use flowtail::ui::{self, Look, glyphs};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Standard output of the screen: a size, and what was drawn last.
pub struct Screen {
    pub app: App,
    pub core: Core,
    pub effects: Vec<Effect>,
    pub buffer: Buffer,
    pub look: Look,
    decoder: Decoder,
    answered: u64,
}

impl Screen {
    /// A screen of `width` by `height` over an engine that holds nothing yet.
    pub fn new(width: u16, height: u16) -> Screen {
        let config = Config {
            memory: 64 << 20,
            lateness: 600,
            live: false,
            source: "flows.log".into(),
            region: Some("us-west-1".into()),
            interfaces: Vec::new(),
        };
        Screen::over(config, width, height)
    }

    fn over(config: Config, width: u16, height: u16) -> Screen {
        let detector = Detector::new(&Rules::builtin().expect("built in"), Limits::default());
        let theme = Theme::load("dark", None, Depth::True).expect("built in");
        let mut screen = Screen {
            app: App::new(),
            core: Core::new(config, detector, false),
            effects: Vec::new(),
            buffer: Buffer::empty(Rect::new(0, 0, width, height)),
            look: Look { theme, glyphs: &glyphs::UNICODE },
            decoder: Decoder::new(None),
            answered: 0,
        };
        screen.settle();
        screen
    }

    /// A screen that has read `lines`.
    pub fn reading(lines: &str, width: u16, height: u16) -> Screen {
        let mut screen = Screen::new(width, height);
        screen.state(SourceState::Live);
        screen.feed(lines);
        screen
    }

    /// A screen at the end of the built-in recording, its memcached attack told.
    pub fn demo(width: u16, height: u16) -> Screen {
        let config = Config {
            memory: 64 << 20,
            lateness: 20 * 60,
            live: false,
            source: "demo".into(),
            region: Some("us-west-1".into()),
            interfaces: Vec::new(),
        };
        let mut screen = Screen::over(config, width, height);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        let inputs = runtime.block_on(async {
            let (out, mut inputs) = tokio::sync::mpsc::channel(4);
            let task = tokio::spawn(demo::run(DemoConfig { speed: None }, out));
            let mut all = Vec::new();
            while let Some(input) = inputs.recv().await {
                all.push(input);
            }
            task.await.expect("the recording ends");
            all
        });
        for input in inputs {
            match input {
                Fed::Batch(batch) => screen.core.ingest(&screen.decoder.decode(&batch)),
                Fed::Status(status) => screen.core.source_status(status),
                Fed::Gap(gap) => screen.core.gap(gap),
                Fed::End => {}
            }
        }
        screen.state(SourceState::Live);
        screen.settle();
        screen
    }

    /// The source says this of itself.
    pub fn state(&mut self, state: SourceState) {
        self.core.source_status(SourceStatus { state, ..SourceStatus::default() });
        self.refresh();
    }

    /// More lines arrive.
    pub fn feed(&mut self, lines: &str) {
        let batch = Batch { bytes: lines.as_bytes().to_vec(), first_line: 1, ..Batch::default() };
        self.core.ingest(&self.decoder.decode(&batch));
        self.refresh();
    }

    /// The engine publishes its page again, as it does when something changed.
    pub fn refresh(&mut self) {
        self.answered = 0;
        self.settle();
    }

    /// Presses keys, one at a time, each answered before the next.
    pub fn run(&mut self, keys: &str) -> &mut Screen {
        for key in Key::sequence(keys) {
            self.input(&Input::Key(key));
        }
        self
    }

    /// Pastes text.
    pub fn paste(&mut self, text: &str) -> &mut Screen {
        self.input(&Input::Paste(text.to_owned()));
        self
    }

    /// The mouse at a cell.
    pub fn mouse(&mut self, kind: MouseKind, x: u16, y: u16) -> &mut Screen {
        self.input(&Input::Mouse(Mouse { kind, x, y }));
        self
    }

    /// Clicks on what `wanted` picks among all that is on the screen.
    pub fn click(&mut self, wanted: impl Fn(Target) -> bool) -> &mut Screen {
        let hits = &self.app.viewport().hits;
        let (area, _) = *hits.iter().rev().find(|(_, target)| wanted(*target)).expect("it is on the screen");
        self.mouse(MouseKind::Click, area.x, area.y)
    }

    fn input(&mut self, input: &Input) {
        let effects = self.app.input(input);
        self.effects.extend(effects);
        self.settle();
    }

    /// Another size.
    pub fn resize(&mut self, width: u16, height: u16) -> &mut Screen {
        self.buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.settle();
        self
    }

    /// Draws and asks in turns until there is nothing left to ask. A frame may change the question (more rows fit), a page may too
    /// (the cursor nears its end); both must come to rest.
    pub fn settle(&mut self) {
        for _ in 0..8 {
            self.draw();
            let spec = self.app.spec();
            if spec.serial == self.answered {
                return;
            }
            self.answered = spec.serial;
            let page = self.core.page(&spec);
            self.app.receive(Arc::new(page));
        }
        panic!("the screen asks without end");
    }

    fn draw(&mut self) {
        let mut buffer = Buffer::empty(self.buffer.area);
        let viewport = ui::draw(&self.app, &self.look, &mut buffer);
        self.app.laid_out(viewport);
        self.buffer = buffer;
    }

    /// The screen as text, trailing blanks cut.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for y in 0..self.buffer.area.height {
            out.push_str(&self.line(y));
            out.push('\n');
        }
        out
    }

    /// A line of the screen.
    pub fn line(&self, y: u16) -> String {
        let mut line = String::new();
        let mut hidden = 0;
        for x in 0..self.buffer.area.width {
            let symbol = self.buffer[(x, y)].symbol();
            // What lies under the second half of a wide character is not seen.
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            hidden = ui::fmt::width(symbol).saturating_sub(1);
            line.push_str(symbol);
        }
        line.trim_end().to_owned()
    }

    /// Whether the screen shows `text` on one line.
    pub fn shows(&self, text: &str) -> bool {
        (0..self.buffer.area.height).any(|y| self.line(y).contains(text))
    }

    /// The lines that are drawn as selected.
    pub fn selected(&self) -> Vec<String> {
        let reversed = |y: &u16| self.buffer[(self.buffer.area.width / 4, *y)].modifier.contains(Modifier::REVERSED);
        (0..self.buffer.area.height).filter(reversed).map(|y| self.line(y)).collect()
    }

    /// The row under the cursor.
    pub fn cursor(&self) -> Option<RowId> {
        self.app.view().table().cursor
    }

    /// Position in the whole order of the row under the cursor, from 0.
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
}

/// Flow records in the default format: one a second from 10:00:00 on 2024-05-01, ports and sizes by number.
pub fn flows(count: u64) -> String {
    flows_from(0, count)
}

/// The same from number `first` on.
pub fn flows_from(first: u64, count: u64) -> String {
    (first..first + count)
        .map(|n| {
            let end = 1_714_557_600 + n;
            let (host, port) = (n % 7 + 1, [443, 53, 22, 8080][usize::try_from(n % 4).unwrap_or(0)]);
            let (protocol, action) = (if port == 53 { 17 } else { 6 }, if n % 5 == 0 { "REJECT" } else { "ACCEPT" });
            format!(
                "2 123456789012 eni-0a1b2c3d4e5f60718 10.0.0.{host} 198.51.100.{} {} {port} {protocol} {} {} {} {end} {action} OK\n",
                n % 200 + 1,
                40_000 + n % 20_000,
                n % 90 + 1,
                (n * 7_919) % 1_000_000,
                end - 60
            )
        })
        .collect()
}
