//! The alerts: a column of cards where there is room for one, else a short list.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::fmt;
use super::paint::Paint;
use super::table::level_letter;
use super::theme::Token;
use crate::app::{App, Focus, Target, Viewport};
use crate::detect::Alert;
use crate::record::{Cell, Field};

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, is_column: bool, viewport: &mut Viewport) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    viewport.hits.push((super::area(area), Target::Sidebar));
    if is_column { column(app, paint, area, viewport) } else { list(app, paint, area, viewport) }
}

fn title(app: &App) -> String {
    let muted = app.page().muted;
    let muted = if muted == 0 { String::new() } else { format!(", {muted} muted") };
    format!("{}{muted}", counted(app))
}

fn counted(app: &App) -> String {
    let alerts = &app.page().alerts;
    let open = alerts.iter().filter(|alert| !alert.closed).count();
    match (open, alerts.len()) {
        (_, 0) => "Alerts".to_owned(),
        (0, all) => format!("Alerts: {all} closed"),
        (open, all) if open == all => format!("Alerts: {open} open"),
        (open, all) => format!("Alerts: {open} open, {} closed", all - open),
    }
}

fn heading(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let token = if app.focus() == Focus::Sidebar { Token::Accent } else { Token::Header };
    let style = paint.theme.bold(token);
    paint.rule(Rect { height: 1, ..area }, &title(app), style);
}

fn column(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let border = paint.theme.style(Token::Border);
    for y in area.top()..area.bottom() {
        paint.text(area.x, y, 1, paint.glyphs.vertical, border);
    }
    let inner = Rect::new(area.x + 1, area.y, area.width - 1, area.height);
    heading(app, paint, inner);
    let alerts = &app.page().alerts;
    if alerts.is_empty() {
        let style = paint.theme.style(Token::Muted);
        paint.text(inner.x + 1, inner.y + 2, inner.width.saturating_sub(2), "None so far.", style);
        return;
    }
    let selected = app.selected_alert().map(|alert| alert.id);
    let cards: Vec<Vec<String>> = alerts.iter().map(|alert| card(app, alert, inner.width.saturating_sub(2))).collect();
    let at = alerts.iter().position(|alert| Some(alert.id) == selected).unwrap_or(0);
    let height = |card: &Vec<String>| card.len() + 1;
    // Begin so far up that the selected card is seen whole.
    let room = usize::from(inner.height.saturating_sub(1));
    let mut first = at;
    let mut used = cards.get(at).map_or(0, height);
    while first > 0 && used + height(&cards[first - 1]) <= room {
        first -= 1;
        used += height(&cards[first]);
    }
    let mut y = inner.y + 1;
    for (alert, lines) in alerts.iter().zip(&cards).skip(first) {
        if y >= inner.bottom() {
            break;
        }
        let tall = u16::try_from(lines.len()).unwrap_or(1).min(inner.bottom() - y);
        let rect = Rect::new(inner.x, y, inner.width, tall);
        viewport.hits.push((super::area(rect), Target::Alert(alert.id)));
        let quiet = alert.closed || app.is_acknowledged(alert) || app.is_muted(alert);
        let head = if quiet {
            paint.theme.style(Token::level(alert.level))
        } else {
            paint.theme.bold(Token::level(alert.level))
        };
        let body = paint.theme.style(if quiet { Token::Muted } else { Token::Text });
        for (line, text) in (0..tall).zip(lines) {
            let style = if line == 0 { head } else { body };
            paint.text(inner.x + 1, y + line, inner.width.saturating_sub(2), text, style);
        }
        if app.focus() == Focus::Sidebar && Some(alert.id) == selected {
            let style = paint.theme.selected();
            paint.style(rect, style);
        }
        y += tall + 1;
    }
}

/// The lines of a card: what and how bad, when, what happened.
fn card(app: &App, alert: &Alert, width: u16) -> Vec<String> {
    let state = state(app, alert);
    let mut lines =
        vec![format!("{} {} {}{state}", level_letter(alert.level), alert.level.as_str().to_uppercase(), alert.rule)];
    lines.extend(wrap(&fmt::clean(&alert.message), width));
    lines.extend(named(app, alert).map(|named| fmt::cut(&fmt::clean(&named), width, "…").into_owned()));
    let records = if alert.count == 1 { "1 record".to_owned() } else { format!("{} records", fmt::count(alert.count)) };
    lines.push(format!("{}Z  {records}", fmt::time_of_day(alert.last)));
    lines
}

/// Whom it is about by their names, where they have some.
fn named(app: &App, alert: &Alert) -> Option<String> {
    let name = |(field, cell): &(Field, Cell)| match (field, cell) {
        (_, Cell::Addr(address)) => app.known().address(*address).map(|name| format!("{address} {name}")),
        (Field::InterfaceId, Cell::Text(id)) => app.known().interface(id).map(|name| format!("{id} {name}")),
        _ => None,
    };
    let names: Vec<String> = alert.group.iter().filter_map(name).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What there is to say of an alert that nobody need look at now, after a space each.
fn state(app: &App, alert: &Alert) -> String {
    let says = [(alert.closed, " closed"), (app.is_acknowledged(alert), " seen"), (app.is_muted(alert), " muted")];
    says.into_iter().filter(|(holds, _)| *holds).map(|(_, word)| word).collect()
}

fn list(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    let mut y = area.y;
    if area.height > 1 {
        heading(app, paint, area);
        y += 1;
    }
    let alerts = &app.page().alerts;
    let selected = app.selected_alert().map(|alert| alert.id);
    let lines = usize::from(area.bottom() - y);
    let at = alerts.iter().position(|alert| Some(alert.id) == selected).unwrap_or(0);
    let first = at.saturating_sub(lines.saturating_sub(1));
    for alert in alerts.iter().skip(first).take(lines) {
        let rect = Rect::new(area.x, y, area.width, 1);
        viewport.hits.push((super::area(rect), Target::Alert(alert.id)));
        let level = paint.theme.bold(Token::level(alert.level));
        let state = state(app, alert);
        let quiet = alert.closed || app.is_acknowledged(alert) || app.is_muted(alert);
        let mut used = 1;
        used += paint.text(
            area.x + used,
            y,
            area.width,
            &format!("{} {}{state} ", level_letter(alert.level), alert.rule),
            level,
        );
        let text = paint.theme.style(if quiet { Token::Muted } else { Token::Text });
        paint.text(area.x + used, y, area.width.saturating_sub(used + 1), &alert.message, text);
        if app.focus() == Focus::Sidebar && Some(alert.id) == selected {
            let style = paint.theme.selected().add_modifier(Modifier::BOLD);
            paint.style(rect, style);
        }
        y += 1;
    }
}

/// Breaks a text into lines of `width` cells, at spaces where it can.
pub(super) fn wrap(text: &str, width: u16) -> Vec<String> {
    let mut lines = Vec::new();
    if width == 0 {
        return lines;
    }
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        if !line.is_empty() && fmt::width(&line) + 1 + fmt::width(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        // A word longer than a line is broken where the line ends.
        while fmt::width(&line) + fmt::width(word) > width {
            let room = width - fmt::width(&line);
            let head = fmt::cut(word, room, "").into_owned();
            if head.is_empty() {
                break;
            }
            line.push_str(&head);
            word = &word[head.len()..];
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}
