//! The whole product but its threads and its terminal: lines go in, keys are pressed, frames come out. Nothing here has a clock, so the same
//! lines and keys give the same frames. The screen tests and the maker of the screenshots share it.

use std::path::Path;
use std::sync::Arc;

use flowtail::app::takeaway::Heard;
use flowtail::app::{App, Effect, Input as Pressed, Key, Viewport};
use flowtail::engine::Core;
use flowtail::engine::core::Config;
use flowtail::engine::pinned::Progress;
use flowtail::filter::translate::pattern::Fetch;
use flowtail::filter::{Filter, Stage as FilterStage};
use flowtail::record::{Decoder, Input};
use flowtail::save;
use flowtail::source::demo;
use flowtail::start;
use flowtail::ui::{self, Look};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use tokio::sync::mpsc;

/// What the clock on the wall says, Unix milliseconds: 2018-08-20 15:30:00 UTC.
pub const NOW: i64 = 1_534_779_000_000;

/// Memory of the engine: what the program takes unless told otherwise.
const MEMORY: usize = 1 << 30;

/// Questions after which a screen that asks on and on is broken.
const PATIENCE: usize = 20;

/// An engine, an app and a screen.
pub struct Stage {
    pub app: App,
    /// The last frame.
    pub frame: Buffer,
    /// How it was laid out.
    pub viewport: Viewport,
    /// What the keys asked the world to do.
    pub effects: Vec<Effect>,
    pub look: Look,
    core: Core,
    decoder: Decoder,
    size: (u16, u16),
}

impl Stage {
    /// An empty engine for records of `source` before a screen of `size`.
    pub fn new(source: &str, region: Option<&str>, look: Look, size: (u16, u16)) -> Stage {
        Stage::fetching(source, region, None, look, size)
    }

    /// The same where only what matches `fetch` was asked for.
    pub fn fetching(source: &str, region: Option<&str>, fetch: Option<&str>, look: Look, size: (u16, u16)) -> Stage {
        let fetch = fetch.map(|text| Fetch::new(&Filter::parse(text, FilterStage::Flows).expect("a filter"), None));
        let decoder = start::narrow(Decoder::new(None), fetch.as_ref());
        let config = Config {
            memory: MEMORY,
            lateness: 20 * 60,
            live: false,
            source: source.into(),
            region: region.map(Into::into),
            interfaces: Vec::new(),
            fetch: fetch.map(Into::into),
        };
        let mut stage = Stage {
            app: App::new().with_nothing_earlier(nothing_earlier(source)),
            frame: Buffer::default(),
            viewport: Viewport::default(),
            effects: Vec::new(),
            look,
            core: Core::new(config, start::detector(MEMORY).expect("the built-in rules read"), false),
            decoder,
            size,
        };
        stage.settle();
        stage
    }

    /// The demo as it stands when the recorded tail has read everything that arrived by `clock`, Unix milliseconds.
    pub fn demo(clock: i64, look: Look, size: (u16, u16)) -> Stage {
        let mut stage = Stage::new("demo", Some("us-west-1"), look, size);
        stage.feed(demo_until(clock));
        stage
    }

    /// Has the engine take in what a source sends.
    pub fn feed(&mut self, inputs: impl IntoIterator<Item = Input>) {
        for input in inputs {
            match input {
                Input::Batch(batch) => self.core.ingest(&self.decoder.decode(&batch)),
                Input::Status(status) => self.core.source_status(*status),
                Input::Partial(batch) => self.core.preview(&self.decoder.decode(&batch)),
                Input::Gap(gap) => self.core.gap(gap),
                Input::End => self.core.finish(),
            }
        }
        self.settle();
    }

    /// Puts other rules in force, as a changed file does.
    #[allow(dead_code, reason = "the maker of the screenshots has no use for it")]
    pub fn change_rules(&mut self, rules: &flowtail::detect::Rules) {
        let limits = start::limits(MEMORY);
        self.core.change_rules(flowtail::detect::Detector::new(rules, limits));
        self.settle();
    }

    /// Presses the keys that `keys` spells ([`Key::sequence`]), each on the frame that the one before it made.
    pub fn run(&mut self, keys: &str) -> &mut Stage {
        for key in Key::sequence(keys) {
            self.press(&Pressed::Key(key));
        }
        self
    }

    /// Does one thing that a user can do: a key, a paste, the mouse.
    pub fn press(&mut self, pressed: &Pressed) -> &mut Stage {
        self.effects = self.app.input(pressed);
        self.settle();
        self
    }

    /// Begins anew with an engine that has less memory.
    pub fn forget(&mut self, memory: usize) {
        let config = Config {
            memory,
            lateness: 20 * 60,
            live: false,
            source: "flows.log".into(),
            region: None,
            interfaces: Vec::new(),
            fetch: None,
        };
        self.core = Core::new(config, start::detector(memory).expect("the built-in rules read"), false);
        self.settle();
    }

    /// Writes the export that the last key asked for, as the loop of the screen has it written; gives where to.
    pub fn export(&mut self) -> String {
        let Some(Effect::Export(order, path)) = self.effects.pop() else { panic!("no export\n{:?}", self.effects) };
        self.app.hear(match save::write(&self.core.pin(), &order, Path::new(&path), &Progress::default()) {
            Ok(said) => Heard::Done(said),
            Err(save::SaveError::Exists(_)) => Heard::Exists(order, path.clone()),
            Err(error) => Heard::Failed(error.to_string()),
        });
        self.settle();
        path
    }

    /// Gives the screen another size.
    pub fn resize(&mut self, width: u16, height: u16) -> &mut Stage {
        self.size = (width, height);
        self.settle();
        self
    }

    /// Asks, answers and draws until a frame leads to no new question, as the loop of the screen does.
    fn settle(&mut self) {
        self.app.tick(NOW);
        for _ in 0..PATIENCE {
            let spec = self.app.spec();
            self.app.receive(Arc::new(self.core.page(&spec)));
            self.frame = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
            self.viewport = ui::draw(&self.app, &self.look, &mut self.frame);
            self.app.laid_out(self.viewport.clone());
            if self.app.spec().serial == spec.serial {
                return;
            }
        }
        panic!("the screen does not come to rest at {:?}", self.size);
    }
}

/// What `[` says where nothing is earlier: of a group there is.
fn nothing_earlier(source: &str) -> Option<String> {
    (!source.starts_with('/')).then(|| format!("All of {source} is read: nothing earlier is in it."))
}

/// What the demo sends until the recorded clock says `clock`, Unix milliseconds.
fn demo_until(clock: i64) -> Vec<Input> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without threads");
    runtime.block_on(async {
        let (out, mut inputs) = mpsc::channel(1);
        let take = async move {
            let mut taken = Vec::new();
            while let Some(input) = inputs.recv().await {
                if matches!(&input, Input::Batch(batch) if batch.arrival > clock) {
                    break;
                }
                taken.push(input);
            }
            taken
        };
        tokio::join!(demo::run(demo::DemoConfig { speed: None }, out), take).1
    })
}
