//! The screen from its opening to its end: everything that can be wrong is found out before it opens, and the terminal is given back first.

mod desk;
mod exports;
mod input;
mod inquiries;
mod keyboard;
mod looping;
mod searches;
mod signals;
mod tabs;
mod themes;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use desk::Desk;
use inquiries::Inquiries;
use looping::Loop;
use searches::Searches;
use themes::Themes;

use crate::app::App;
use crate::cli::{Command, Common};
use crate::config::rules::Watch;
use crate::notify::Notifier;
use crate::start::{self, Source, StartError};
use crate::state::{self, StateError};
use crate::terminal::{self, Screen};
use crate::ui::Look;
use crate::ui::glyphs;
use crate::ui::theme::{Depth, ThemeError};

/// How long `--on-alert` may take for what waits when the screen was left.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long nothing need be said while AWS is asked whether what was named is there.
const SILENT: Duration = Duration::from_millis(300);

/// Why the screen could not open or had to close.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// Before it opened.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is no such theme.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// The folder of `--state`.
    #[error(transparent)]
    State(#[from] StateError),
    /// The terminal.
    #[error("the terminal cannot show the screen: {0}. --print works without one")]
    Terminal(#[from] io::Error),
}

/// An app that knows what was configured, what earlier runs kept and what was typed, in this order.
fn known(common: &Common, kept: Option<&state::Place>) -> Result<App, ScreenError> {
    let mut app = App::new().with_zone(jiff::tz::TimeZone::system()).with_keys(Arc::clone(&common.keys));
    app = app.with_known(Arc::clone(&common.known)).with_change(common.change.clone());
    app = app.with_arrangement(common.screen.iter().map(String::as_str));
    if let Some(text) = &common.filter {
        app = app.with_filter(text).map_err(|error| StartError::Filter { text: text.clone(), error })?;
    }
    if let Some(place) = kept {
        let earlier = place.load()?;
        app = app.with_mutes(earlier.muted.iter().cloned());
        app = app.with_arrangement(earlier.screen.iter().map(String::as_str));
        app = app.with_history(earlier.filters.iter().map(String::as_str));
        app = app.with_saved(earlier.saved.iter().map(|(key, text)| (*key, text.as_str())));
    }
    Ok(app)
}

/// Waits for what may ask a network, and says so where that takes long: until it answers there is nothing to open a screen on.
async fn patiently<T>(mut work: impl Future<Output = T> + Unpin) -> T {
    if let Ok(done) = tokio::time::timeout(SILENT, &mut work).await {
        return done;
    }
    // Nobody is left to hear it if this fails.
    let _ = writeln!(io::stderr(), "flowtail: waiting for an answer of AWS; Ctrl-C leaves");
    work.await
}

/// Opens the screen on `command` and runs until the user leaves. Gives what the source could not read, for the exit code.
///
/// # Errors
/// What kept the screen from opening, or the terminal's end.
pub async fn run(command: Command, common: &Common) -> Result<(), ScreenError> {
    // All that can be wrong is found out before the screen opens.
    let decoder = start::decoder(common)?;
    let detector = start::detection(common)?;
    let kept = state::place(&command, common);
    let mut app = known(common, kept.as_ref())?;
    let depth = Depth::detect(|name| std::env::var(name).ok());
    // Again below with what the terminal says; a theme that does not exist is found out before anything starts.
    let mut themes = Themes::new(depth);
    themes.load(&common.theme, None)?;
    app = app.with_themes(themes.names(), &common.theme);
    let asks_aws = matches!(command, Command::Tail(_) | Command::History(_));
    let source = Box::pin(Source::prepare(command, common, true));
    let source = if asks_aws { patiently(source).await? } else { source.await? };
    let searches = Searches::new(source.search.clone(), source.lessons.clone());
    let inquiries = Inquiries::new(source.inventory.clone());
    app = app.with_nothing_earlier(source.nothing_earlier()).with_search(source.search.is_some());
    app = app.with_inventory(source.has_inventory());
    if !source.remarks.is_empty() {
        app.tell(source.remarks.join(". "));
    }
    if let [only] = &source.interfaces[..] {
        // Somebody who asks for one interface wants to know about it.
        app = app.with_interface(only);
    }
    // The first question does not depend on the terminal, and a terminal that does not answer costs its whole patience: rows are read meanwhile.
    let desk = Desk::open(app, source, decoder, detector, common, true)?;
    let shade = if common.theme == "auto" && depth != Depth::None { terminal::shade() } else { None };
    let theme = themes.load(&common.theme, shade)?;
    let look = Look { theme, glyphs: if common.ascii { &glyphs::ASCII } else { &glyphs::UNICODE } };
    let (say, said) = mpsc::unbounded_channel();
    let notifier = common.on_alert.clone().map(|command| {
        // Nobody is left to hear it if this fails.
        Notifier::start(command, move |text| drop(say.send(text)))
    });
    let notifier = notifier.transpose()?;
    let screen = Screen::open(!common.no_mouse)?;
    let mutes = Arc::clone(desk.app.mutes());
    let mut screen = Loop {
        desk,
        other: None,
        look,
        screen,
        mutes,
        kept: kept.clone(),
        notifier,
        said,
        alarm: (common.bell, common.notify),
        raised: None,
        rules: Watch::new(common.rule_files.clone()),
        common: common.clone(),
        searches,
        inquiries,
        lent: 0,
        themes,
        shade,
        drawn_in: common.theme.clone(),
    };
    let result = screen.run().await;
    let Loop { desk, other, screen, searches, notifier, .. } = screen;
    // The terminal first: whatever else goes wrong, the shell is usable.
    drop(screen);
    searches.stop();
    let left_out = notifier.map_or(0, |notifier| notifier.finish(GOODBYE));
    if left_out > 0 {
        // Nobody is left to hear it if this fails.
        let _ = writeln!(io::stderr(), "flowtail: --on-alert was not run for {left_out} alerts, which still waited");
    }
    let mut failed = None;
    for desk in std::iter::once(desk).chain(other) {
        if desk.live
            && let Some(place) = &kept
        {
            place.save(desk.app.history(), desk.app.saved())?;
            place.save_screen(&desk.app.arrangement())?;
        }
        let live = desk.live;
        let why = desk.close().await;
        // What a search beside it did not find was told where it was asked for.
        failed = failed.or(why.filter(|_| live));
    }
    result?;
    match failed {
        Some(why) => Err(StartError::Unreadable(why).into()),
        None => Ok(()),
    }
}
