//! What stands where there is no row: why, and what to do about it.

use std::fmt::Write as _;

use ratatui::layout::Rect;

use super::fmt;
use super::fold;
use super::paint::Paint;
use super::sidebar::wrap;
use super::theme::Token;
use crate::app::{Action, App, Context};
use crate::engine::view::Tab;
use crate::record::SourceState;

/// What stands where there are no rows: why, and what to do about it. Never "none" where it may only not have come yet.
pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect) {
    if area.height < 3 {
        return;
    }
    let page = app.page();
    let (what, hint) = if page.tab != app.view().tab || page.progress < 1.0 {
        ("Looking …".to_owned(), String::new())
    } else if page.tab == Tab::Alerts {
        ("No alert so far.".to_owned(), String::new())
    } else if page.total == 0 {
        nothing_yet(app)
    } else if fold::total(app) > 0 {
        ("Everything here is folded.".to_owned(), app.keys().spell("{fold} shows it."))
    } else {
        (
            format!("None of the {} rows held matches the filter.", fmt::thousands(page.total)),
            app.keys().spell(
                "{back} goes back, {toggle-filter} turns the filter off, {filter} changes it, {explain} tells why.",
            ),
        )
    };
    let y = area.y + 1 + (area.height - 1) / 3;
    let width = area.width.saturating_sub(4).min(76);
    let style = paint.theme.style(Token::Text);
    paint.text(area.x + 2, y, area.width.saturating_sub(2), &what, style);
    let style = paint.theme.style(Token::Muted);
    for (y, line) in (y + 1..area.bottom()).zip(wrap(&fmt::clean(&hint), width)) {
        paint.text(area.x + 2, y, width, &line, style);
    }
}

/// Why there is nothing, by what the source says of itself.
fn nothing_yet(app: &App) -> (String, String) {
    let status = &app.page().status;
    let why = super::header::problem(app, status);
    match &status.state.state {
        SourceState::Connecting => (format!("Connecting to {}.", status.source), String::new()),
        SourceState::Waiting { .. } => ("Waiting to try again.".to_owned(), why.unwrap_or_default()),
        SourceState::Live => {
            let usual = "Flow logs are delivered some minutes after the traffic.".to_owned();
            let read = status.state.earlier.filter(|_| status.state.requests > 0);
            read.map_or_else(
                || ("Waiting for the first records.".to_owned(), why.clone().unwrap_or(usual)),
                |earlier| (none_since(app, earlier.from), why.clone().unwrap_or_else(|| where_to_look(app))),
            )
        }
        SourceState::Failed(_) => ("Nothing was read.".to_owned(), why.unwrap_or_default()),
        SourceState::Ended => ("The input ended without a record.".to_owned(), why.unwrap_or_default()),
    }
}

/// What a tail that found nothing has read so far.
fn none_since(app: &App, from: i64) -> String {
    let state = &app.page().status.state;
    let requests = if state.requests == 1 {
        "1 request".to_owned()
    } else {
        format!("{} requests", fmt::thousands(state.requests))
    };
    let events = match state.events_read {
        0 => "No event".to_owned(),
        some => format!("No record among {} events", fmt::thousands(some)),
    };
    format!("{events} from {}Z until now: {requests} so far.", fmt::hour_minute(from))
}

/// What to check where nothing is found.
fn where_to_look(app: &App) -> String {
    let status = &app.page().status;
    let key = |action| app.keys().hint(Context::Main, action);
    let mut text = "Flow logs are delivered some minutes after the traffic.".to_owned();
    if status.unparsed > 0 {
        let _ = write!(
            text,
            " {} lines did not parse ({} shows them).",
            fmt::thousands(status.unparsed),
            key(Action::Unparsed)
        );
    }
    if let Some(fetch) = &status.fetch {
        let _ = write!(text, " Only {} is fetched.", fetch.text);
    }
    let of = if status.interfaces.is_empty() { "" } else { " of these interfaces" };
    let _ = write!(
        text,
        " If none come: is there traffic{of}, does a flow log write here ({} tells what is known), is {} the right region? {} reads an hour further back.",
        key(Action::Source),
        status.region.as_deref().unwrap_or("this"),
        key(Action::Earlier)
    );
    text
}
