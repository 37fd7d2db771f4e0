//! Tabs, the filter or the group prompt with what there is to say about it, and the key hints at the bottom.

use std::fmt::Write as _;
use std::ops::Range;

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::draft::{filter_bar, filter_says};
use super::fmt;
use super::paint::Paint;
use super::prompts::{ask_prompt, ask_says, change_prompt, change_says, group_prompt, group_says};
use super::sidebar::wrap;
use super::theme::Token;
use crate::app::{Action, App, Context, Line, Mode, Notice, Target, Viewport};
use crate::engine::view::{PhaseCount, Tab};

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    if area.height == 0 {
        return;
    }
    let typing = matches!(app.mode(), Mode::Filter(_) | Mode::Group(_) | Mode::Change(_) | Mode::Ask(_));
    let mut y = area.y;
    // On a low screen what there is to say stands where the tabs are.
    if area.height > 1 || !(typing || app.notice().is_some()) {
        tabs(app, paint, area, y, viewport);
        y += 1;
    }
    if y >= area.bottom() {
        return;
    }
    let line = Rect::new(area.x, y, area.width, 1);
    viewport.hits.push((super::area(line), Target::Filter));
    match app.mode() {
        Mode::Filter(bar) => filter_bar(app, bar, paint, line, viewport),
        Mode::Group(prompt) => group_prompt(prompt, paint, line, viewport),
        Mode::Change(prompt) => change_prompt(prompt, paint, line, viewport),
        Mode::Ask(ask) => ask_prompt(ask, paint, line, viewport),
        _ => standing(app, paint, Rect { height: area.bottom() - y, ..line }),
    }
    let said = app.notice().filter(|_| !typing).map_or(0, |notice| self::notice(notice, area.width).len());
    if y + 1 < area.bottom() && said < 2 {
        let under = Rect::new(area.x, y + 1, area.width, 1);
        match app.mode() {
            Mode::Filter(bar) => filter_says(app, bar, paint, Rect { height: area.bottom() - y - 1, ..under }),
            Mode::Group(prompt) => group_says(prompt, paint, under),
            Mode::Change(prompt) => change_says(prompt, paint, under),
            Mode::Ask(ask) => ask_says(ask, paint, under),
            _ if app.change().is_some() => changed(app, paint, under),
            _ => way(app, paint, under),
        }
    }
}

/// Cells of what is typed that are left to it on any screen.
const LEAST_TYPED: u16 = 20;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// The change that was marked, and what became of the sessions.
fn changed(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let Some(change) = app.change() else { return };
    let theme = paint.theme;
    let today = app.page().status.event_time.is_some_and(|now| now.div_euclid(DAY) == change.at.div_euclid(DAY));
    let at = if today { fmt::time_of_day(change.at) } else { fmt::day_time(change.at) };
    let mut spans = vec![(format!("{} {at}Z", paint.glyphs.change), theme.bold(Token::Warning))];
    if let Some(counts) = app.page().change {
        let sessions = |count: PhaseCount| format!("{} ({})", fmt::count(count.sessions), fmt::bytes(count.bytes));
        let survived =
            if counts.surviving.sessions > 0 { theme.bold(Token::Warning) } else { theme.style(Token::Text) };
        spans.push((format!("  before {}", sessions(counts.before)), theme.style(Token::Text)));
        spans.push((format!("  surviving {}", sessions(counts.surviving)), survived));
        spans.push((format!("  new {}", sessions(counts.new)), theme.style(Token::Text)));
        if !counts.complete {
            spans.push((" (counting)".to_owned(), theme.style(Token::Muted)));
        }
    }
    // The note is what the user knows already: it is cut first.
    spans.push((format!("  {}", change.note), theme.style(Token::Muted)));
    paint.spans(area.x + 1, area.y, area.width.saturating_sub(2), &spans);
}

fn tabs(app: &App, paint: &mut Paint<'_>, area: Rect, y: u16, viewport: &mut Viewport) {
    let page = app.page();
    paint.style(Rect::new(area.x, y, area.width, 1), paint.theme.ground(Token::Surface));
    let status = &page.status;
    let open: u64 = status.open_alerts.iter().sum();
    let alerts = match (open, page.alerts.len()) {
        (0, 0) => "none".to_owned(),
        (0, closed) => format!("{closed} closed"),
        (open, _) => format!("{} open", fmt::count(open)),
    };
    let mut names = [
        (Tab::Flows, Action::Flows, "Flows", fmt::count(status.held)),
        (Tab::Sessions, Action::Sessions, "Sessions", fmt::count(status.sessions)),
        (Tab::Alerts, Action::Alerts, "Alerts", alerts),
    ];
    let wide: usize = names.iter().map(|(.., name, count)| name.len() + count.len() + 5).sum();
    if wide > usize::from(area.width) {
        // What is wrong is told on any screen; how much is held stands in the header.
        names[..2].iter_mut().for_each(|(.., count)| count.clear());
    }
    let mut x = area.x + 1;
    for (tab, action, name, count) in names {
        let active = app.view().tab == tab;
        let style = if active {
            paint.theme.bold(Token::Accent).add_modifier(Modifier::UNDERLINED)
        } else {
            paint.theme.style(Token::Muted)
        };
        let width = area.right().saturating_sub(x);
        let key = app.keys().hint(Context::Main, action);
        let mut used = paint.text(x, y, width, format!("{key} {name}").trim_start(), style);
        let muted = paint.theme.style(Token::Muted);
        let told = if tab == Tab::Alerts && open > 0 { paint.theme.bold(Token::Warning) } else { muted };
        if !count.is_empty() {
            used += paint.text(x + used, y, width.saturating_sub(used), &format!(" {count}"), told);
        }
        viewport.hits.push((super::area(Rect::new(x, y, used, 1)), Target::Tab(tab)));
        x += used + 2;
    }
    if let Some(beside) = app.beside() {
        let style = paint.theme.style(Token::Accent);
        let text = format!("{} {beside}", app.keys().hint(Context::Main, Action::Beside));
        let used = paint.text(x, y, area.right().saturating_sub(x), text.trim_start(), style);
        viewport.hits.push((super::area(Rect::new(x, y, used, 1)), Target::Hint(Action::Beside)));
        x += used + 2;
    }
    // Where in the table one is, and what it is grouped by.
    let table = app.view().table();
    let mut facts = String::new();
    if !table.group_by.is_empty() {
        let names: Vec<&str> = table.group_by.iter().map(|field| field.name()).collect();
        let _ = write!(facts, "by {}  ", names.join(", "));
    }
    if page.progress < 1.0 {
        let _ = write!(facts, "looked at {:.0}%  ", page.progress * 100.0);
    }
    if table.fresh > 0 && !table.follows() {
        let _ = write!(facts, "+{} new  ", fmt::count(table.fresh));
    }
    let total = if page.tab == Tab::Alerts { page.alerts.len() as u64 } else { page.matched };
    if app.view().lens.is_some() {
        facts.clear();
    } else if total > 0 && page.tab == app.view().tab && !app.has_other_rows() {
        let _ = write!(facts, "{} of {}", fmt::thousands(table.index + 1), fmt::thousands(total));
    }
    let room = area.right().saturating_sub(x + 1);
    if fmt::width(&facts) <= room {
        let style = paint.theme.style(Token::Text);
        paint.text_right(area.right() - 1, y, room, &facts, style);
    }
}

/// The steps that led here, the last ones where there is no room for all.
fn way(app: &App, paint: &mut Paint<'_>, area: Rect) {
    /// Cells of one step.
    const STEP: u16 = 40;
    let between = format!(" {} ", paint.glyphs.arrow);
    let steps: Vec<String> =
        app.way().map(|step| fmt::cut(&fmt::clean(step), STEP, paint.glyphs.ellipsis).into_owned()).collect();
    let back = app.keys().spell("{back} back");
    let room = area.width.saturating_sub(fmt::width(&back) + 4);
    let from = (0..steps.len()).find(|from| {
        let cut = if *from > 0 { fmt::width(paint.glyphs.ellipsis) } else { 0 };
        fmt::width(&between) + cut + fmt::width(&steps[*from..].join(&between)) <= room
    });
    let Some(from) = from.or(steps.len().checked_sub(1)) else { return };
    let begun = if from > 0 { paint.glyphs.ellipsis } else { "" };
    let text = format!("{begun}{between}{}", steps[from..].join(&between));
    let style = paint.theme.style(Token::Muted);
    paint.text(area.x + 1, area.y, room, text.trim_start(), style);
    paint.text_right(area.right() - 1, area.y, fmt::width(&back), &back, style);
}

/// The first of `texts` that has room, else the last, with the keys in force.
fn longest(app: &App, texts: &[&str], width: u16) -> String {
    let mut spelled = texts.iter().map(|text| app.keys().spell(text));
    let last = spelled.next_back().unwrap_or_default();
    spelled.find(|text| fmt::width(text) <= width).unwrap_or(last)
}

/// The lines of what there is to say on a screen of `width`.
pub(super) fn notice(notice: &Notice, width: u16) -> Vec<String> {
    wrap(&fmt::clean(&notice.text), width.saturating_sub(2).max(1))
}

/// The filter in force while nothing is typed, or what there is to say to the user.
fn standing(app: &App, paint: &mut Paint<'_>, area: Rect) {
    let theme = paint.theme;
    let width = area.width.saturating_sub(2);
    if let Some(notice) = app.notice() {
        let token = if notice.tone == crate::app::Tone::Refused { Token::Warning } else { Token::Text };
        let lines = self::notice(notice, area.width);
        let last = usize::from(area.height).min(lines.len()).saturating_sub(1);
        for (offset, line) in lines.iter().take(last).enumerate() {
            paint.text(area.x + 1, area.y + u16::try_from(offset).unwrap_or(0), width, line, theme.style(token));
        }
        // Where there is no room for all of it, what is cut is seen to be.
        let rest = lines[last.min(lines.len())..].join(" ");
        paint.text(area.x + 1, area.y + u16::try_from(last).unwrap_or(0), width, &rest, theme.style(token));
        return;
    }
    if let Some(saving) = app.saving() {
        let (looked, all) = saving.looked;
        let share = (looked.min(all) * 100).checked_div(all).map_or_else(String::new, |share| format!(" {share}%"));
        let text = format!("Writing {}:{share} {}", saving.path, app.keys().spell("({export} stops it)"));
        paint.text(area.x + 1, area.y, width, &text, theme.bold(Token::Accent));
        return;
    }
    if let Some(text) = super::strip::says(app) {
        paint.text(area.x + 1, area.y, width, &text, theme.bold(Token::Accent));
        return;
    }
    if app.view().lens.is_some() {
        let texts = [
            "all that is held, whatever the filter; {enter} opens an entry, {endpoint} a peer",
            "all that is held; {enter} opens, {endpoint} a peer",
            "{enter} opens, {endpoint} a peer",
        ];
        paint.text(area.x + 1, area.y, width, &longest(app, &texts, width), theme.style(Token::Muted));
        return;
    }
    let mut area = area;
    let mut width = width;
    if let Some((from, to)) = app.view().window {
        // A range of one day needs no date.
        let label = format!("time {} to {}Z  ", fmt::day_time(from), fmt::time_of_day(to));
        let used = paint.text(area.x + 1, area.y, width, &label, theme.bold(Token::Accent));
        (area.x, area.width, width) = (area.x + used, area.width.saturating_sub(used), width.saturating_sub(used));
    }
    let Some(applied) = &app.view().filter else {
        if let Some(what) = app.searched_for() {
            let used = paint.text(area.x + 1, area.y, width, "searched for: ", theme.style(Token::Muted));
            let rest = width.saturating_sub(used);
            paint.text(area.x + 1 + used, area.y, rest, what, theme.bold(Token::Ok));
            return;
        }
        let texts = [
            "no filter: {filter} to type one, such as 11211, 10.0.0.0/8 or udp and bytes > 1000",
            "no filter: {filter} to type one, such as 11211",
            "no filter: {filter} to type one",
        ];
        paint.text(area.x + 1, area.y, width, &longest(app, &texts, width), theme.style(Token::Muted));
        return;
    };
    let (label, style) = if applied.off {
        (app.keys().spell("filter off ({toggle-filter} turns it on): "), theme.style(Token::Muted))
    } else if app.view().tab == Tab::Alerts {
        ("filter (not for alerts): ".to_owned(), theme.style(Token::Muted))
    } else {
        ("filter: ".to_owned(), theme.bold(Token::Ok))
    };
    let mut used = paint.text(area.x + 1, area.y, width, &label, theme.style(Token::Muted));
    used += paint.text(area.x + 1 + used, area.y, width.saturating_sub(used), &applied.text, style);
    let page = app.page();
    let counted = app.view().table().group_by.is_empty() && !app.has_other_rows();
    if app.view().tab != Tab::Alerts && !applied.off && counted {
        let counts = format!("{} of {}", fmt::thousands(page.matched), fmt::thousands(page.total));
        if used + fmt::width(&counts) + 3 < width {
            paint.text_right(area.right() - 1, area.y, width, &counts, theme.style(Token::Muted));
        }
    }
}

/// A line that is typed into: label, text with what is wrong underlined, verdict at the right, caret.
#[expect(clippy::too_many_arguments, reason = "one line of the screen has as many parts")]
pub(super) fn prompt_line(
    paint: &mut Paint<'_>,
    area: Rect,
    label: &str,
    line: &Line,
    style: Style,
    span: Option<&Range<usize>>,
    verdict: &str,
    viewport: &mut Viewport,
) {
    // What is typed is seen before what is to be said of it.
    let verdict = if area.width < fmt::width(label) + fmt::width(verdict) + LEAST_TYPED { "" } else { verdict };
    let wrong = fmt::width(verdict);
    let mut x = area.x + 1;
    let bold = paint.theme.bold(Token::Accent);
    x += paint.text(x, area.y, area.width, label, bold) + 1;
    let room = area.right().saturating_sub(x + 1 + if wrong > 0 { wrong + 2 } else { 0 });
    let text = line.text();
    // Scroll so that the caret is seen.
    let before = fmt::width(&fmt::clean(&text[..line.caret()]));
    let mut start = 0;
    let mut hidden = before.saturating_sub(room.saturating_sub(1));
    while hidden > 0 && start < line.caret() {
        let Some(next) = text[start..].chars().next() else { break };
        hidden = hidden.saturating_sub(fmt::width(&fmt::clean(next.encode_utf8(&mut [0; 4]))));
        start += next.len_utf8();
    }
    let mut used = 0;
    for (at, c) in text[start..].char_indices() {
        let at = start + at;
        let bad = span.is_some_and(|span| span.contains(&at));
        let style = if bad { style.add_modifier(Modifier::UNDERLINED | Modifier::BOLD) } else { style };
        let wide = paint.text(x + used, area.y, room.saturating_sub(used), c.encode_utf8(&mut [0; 4]), style);
        if wide == 0 {
            break;
        }
        used += wide;
    }
    // Something is missing at the end of the text: the place where it should stand is marked.
    if span.is_some_and(|span| span.start >= text.len()) && used < room {
        let style = paint.theme.bold(Token::Error).add_modifier(Modifier::UNDERLINED);
        paint.text(x + used, area.y, 1, " ", style);
    }
    if wrong > 0 {
        let style = paint.theme.style(Token::Muted);
        paint.text_right(area.right() - 1, area.y, wrong, verdict, style);
    }
    let caret = fmt::width(&fmt::clean(&text[start..line.caret()]));
    viewport.caret = Some(((x + caret).min(area.right().saturating_sub(1)), area.y));
}

/// The keys that matter here, out of the table of actions.
pub(super) fn hints(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    if area.height == 0 {
        return;
    }
    paint.style(area, paint.theme.ground(Token::Surface));
    let mut x = area.x + 1;
    for (key, word, action) in app.hints() {
        let wide = fmt::width(&key) + 1 + fmt::width(word);
        if x + wide + 1 > area.right() {
            break;
        }
        let bold = paint.theme.bold(Token::Key);
        let mut used = paint.text(x, area.y, wide, &key, bold) + 1;
        let muted = paint.theme.style(Token::Muted);
        used += paint.text(x + used, area.y, wide - used, word, muted);
        viewport.hits.push((super::area(Rect::new(x, area.y, used, 1)), Target::Hint(action)));
        x += used + 2;
    }
}
