//! The strip of time: what one side is grows upwards, what the other side is hangs below it (accepted and rejected, or in and out); under them an
//! axis with alerts, missing evidence, the time the table is narrowed to, the time of the rows on the screen, and the mark of a change.

use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::fmt;
use super::paint::Paint;
use super::theme::Token;
use crate::app::brush::Measure;
use crate::app::viewport::Strip;
use crate::app::{App, Mode, Target, Viewport};
use crate::engine::view::{Bin, ClockKind, Timeline};

/// Cells at the right for the scale and the end of time.
const SCALE: u16 = 16;

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    if area.height < 3 || area.width < 12 {
        return;
    }
    let scale = if area.width >= 60 { SCALE } else { 0 };
    let wide = usize::from(area.width - 2 - scale);
    viewport.timeline_bins = wide;
    viewport.hits.push((super::area(area), Target::Strip));
    let timeline = &app.page().timeline;
    // A page may be of a moment when the screen was wider.
    let skipped = timeline.bins.len().saturating_sub(wide);
    let bins = &timeline.bins[skipped..];
    if bins.is_empty() {
        return;
    }
    let from = timeline.from + timeline.step * i64::try_from(skipped).unwrap_or(0);
    let strip = Strip { x: area.x + 1, width: area.width - 2 - scale, from, step: timeline.step, bins: bins.len() };
    viewport.strip = Some(strip);
    // One line for the axis. What was rejected is less, and told by its sign; in and out are alike.
    let down = if app.measure() == Measure::Decisions { 1 } else { (area.height - 1) / 2 };
    let up = area.height - 1 - down;
    let (above, below) = sides(app.measure(), timeline.of_sessions);
    let most = |of: fn(&Bin) -> u64| bins.iter().map(of).max().unwrap_or(0);
    let mut most = (most(above), most(below));
    if app.measure() != Measure::Decisions {
        // One scale for both, or they could not be compared.
        most = (most.0.max(most.1), most.0.max(most.1));
    }
    for (x, cell) in (strip.x..).zip(0..wide) {
        // A short time is drawn in broader bars, so that the strip is filled.
        let bin = &bins[strip.bin_of(cell)];
        bar(paint, x, area.y, up, scaled(above(bin), most.0, u64::from(up) * 8), Token::Bar);
        let eighths = scaled(below(bin), most.1, u64::from(down) * 8);
        match app.measure() {
            Measure::Decisions => bar(paint, x, area.y + up, down, eighths, Token::Reject),
            _ => hang(paint, x, area.y + up, down, eighths, Token::Service),
        }
    }
    let begins = axis(app, paint, area, &strip, bins);
    overlays(app, paint, area, &strip);
    if scale > 0 {
        scales(app, paint, area, (up, begins), timeline, most);
    }
}

/// What a bar is high by.
type Amount = fn(&Bin) -> u64;

/// What a bar shows above and below.
fn sides(measure: Measure, of_sessions: bool) -> (Amount, Amount) {
    match measure {
        Measure::Records if of_sessions => (|bin| bin.accepted, |bin| bin.rejected),
        Measure::Decisions => (|bin| bin.accepted, |bin| bin.rejected),
        Measure::Bytes => (|bin| bin.bytes_in, |bin| bin.bytes_out),
        Measure::Records => (|bin| bin.records_in, |bin| bin.records_out),
    }
}

/// What marks a bin stands once, in its middle; what is missing is missing all along it. Tells whether there was room for the time it begins at.
fn axis(app: &App, paint: &mut Paint<'_>, area: Rect, strip: &Strip, bins: &[Bin]) -> bool {
    let y = area.bottom() - 1;
    let wide = usize::from(strip.width);
    let seen = app.visible_time();
    for (x, cell) in (strip.x..).zip(0..wide) {
        let place = strip.bin_of(cell);
        let bin = &bins[place];
        let middle = cell == middle_of(place, bins.len(), wide);
        let begins = strip.from + strip.step * i64::try_from(place).unwrap_or(0);
        let is_seen = seen.is_some_and(|(first, last)| begins <= last && begins + strip.step > first);
        let (sign, token) = match bin.alert {
            Some(level) if middle => (paint.glyphs.alert, Token::level(level)),
            None if bin.skipped > 0 && middle => (paint.glyphs.skipped, Token::Gap),
            _ if bin.incomplete => (paint.glyphs.incomplete, Token::Gap),
            _ if is_seen => (paint.glyphs.seen, Token::Accent),
            _ => (paint.glyphs.horizontal, Token::Border),
        };
        // Where time is incomplete the sign says so, and the weight what is seen.
        let style = if is_seen && bin.incomplete { paint.theme.bold(Token::Accent) } else { paint.theme.style(token) };
        paint.text(x, y, 1, sign, style);
    }
    // The start, where no mark is hidden by it.
    let start = format!("{}Z", fmt::hour_minute(strip.from));
    let covered = 0..=strip.bin_of(usize::from(fmt::width(&start)));
    let long = fmt::width(&start);
    let hides = |time: i64| time >= strip.from && strip.cell_of(time).is_some_and(|cell| cell < long);
    let ends =
        [app.view().window, app.chosen()].into_iter().flatten().flat_map(|(from, to)| [from.max(strip.from), to - 1]);
    let hidden = ends.chain(app.change().map(|change| change.at)).any(hides);
    let free = !hidden && bins[covered].iter().all(|bin| bin.alert.is_none() && bin.skipped == 0);
    if free {
        let muted = paint.theme.style(Token::Muted);
        paint.text(area.x + 1, y, area.width - 1, &start, muted);
    }
    free
}

/// The range that the table is narrowed to, the one that is being chosen, the mark of a change.
fn overlays(app: &App, paint: &mut Paint<'_>, area: Rect, strip: &Strip) {
    let end = strip.from + strip.step * i64::try_from(strip.bins).unwrap_or(0);
    let column = |time: i64| strip.cell_of(time).map_or(if time < strip.from { 0 } else { strip.width }, |cell| cell);
    // Columns of a range, the end not included.
    let columns = |(from, to): (i64, i64)| {
        let (first, past) = (column(from), if to >= end { strip.width } else { column(to) });
        (first, past.max(first + 1).min(strip.width))
    };
    let y = area.bottom() - 1;
    if let Some((from, to)) = app.view().window
        && app.chosen().is_none()
        && from < end
        && to >= strip.from
    {
        let (first, past) = columns((from, to + 1));
        let style = paint.theme.bold(Token::Accent);
        paint.style(Rect::new(strip.x + first, area.y, past - first, area.height), paint.theme.ground(Token::Surface));
        paint.text(strip.x + first, y, 1, "[", style);
        paint.text(strip.x + past - 1, y, 1, "]", style);
    }
    if let Some(chosen) = app.chosen() {
        let (first, past) = columns(chosen);
        paint
            .style(Rect::new(strip.x + first, area.y, past - first, area.height), paint.theme.ground(Token::Selection));
        let style = paint.theme.selected().add_modifier(Modifier::BOLD);
        paint.text(strip.x + first, y, 1, "[", style);
        paint.text(strip.x + past - 1, y, 1, "]", style);
    }
    if let Some(cell) = app.change().and_then(|change| strip.cell_of(change.at)) {
        // It stands over whatever bar is there.
        let style = paint.theme.bold(Token::Warning).remove_modifier(Modifier::REVERSED);
        for line in area.y..y {
            paint.text(strip.x + cell, line, 1, paint.glyphs.vertical, style);
        }
        paint.text(strip.x + cell, y, 1, paint.glyphs.change, style);
    }
}

/// What the tallest bars are, what a bar is, and by which clock.
fn scales(
    app: &App,
    paint: &mut Paint<'_>,
    area: Rect,
    (up, begins): (u16, bool),
    timeline: &Timeline,
    most: (u64, u64),
) {
    let muted = paint.theme.style(Token::Muted);
    let names = match app.measure() {
        Measure::Bytes if timeline.of_sessions => ("asked", "answered"),
        _ if timeline.of_sessions => ("sessions", "rejected"),
        Measure::Decisions => ("accepted", "rejected"),
        Measure::Bytes => ("bytes in", "bytes out"),
        Measure::Records => ("records in", "records out"),
    };
    let amount = |most| if app.measure() == Measure::Bytes { fmt::bytes(most) } else { fmt::count(most) };
    let x = area.right() - SCALE;
    paint.text(x, area.y, SCALE, &format!("{} {}", amount(most.0), names.0), muted);
    paint.text(x, area.y + up, SCALE, &format!("{} {}", amount(most.1), names.1), muted);
    let count = i64::try_from(timeline.bins.len()).unwrap_or(0);
    let end = timeline.from.saturating_add(timeline.step.saturating_mul(count));
    let step = fmt::duration(u64::try_from(timeline.step).unwrap_or(0));
    let (text, style): (String, Style) = if timeline.progress < 1.0 {
        (format!("counted {:.0}%", timeline.progress * 100.0), paint.theme.style(Token::Warning))
    } else if app.clock() == ClockKind::Ingestion && !timeline.of_sessions {
        (format!("{}Z ingested", fmt::hour_minute(end)), paint.theme.style(Token::Accent))
    } else if !begins {
        // Where a mark took the place of the beginning, it is told beside the end.
        (format!("{}-{}Z {step}", fmt::hour_minute(timeline.from), fmt::hour_minute(end)), muted)
    } else {
        (format!("{}Z {step}/bin", fmt::hour_minute(end)), muted)
    };
    paint.text(x, area.bottom() - 1, SCALE, &text, style);
}

/// What there is to say about the chosen bar or range, in the place of the filter.
pub(super) fn says(app: &App) -> Option<String> {
    if !matches!(app.mode(), Mode::Timeline(_)) {
        return None;
    }
    let timeline = &app.page().timeline;
    let Some((from, to)) = app.chosen() else {
        return Some(if app.clock() == ClockKind::Ingestion && timeline.timeless > 0 {
            format!(
                "{} records do not say when they were ingested: {} goes back to event time.",
                fmt::count(timeline.timeless),
                app.keys().spell("{timeline:clock}")
            )
        } else {
            "There is no time to choose from yet.".to_owned()
        });
    };
    let inside = |bin: usize| {
        let begins = timeline.from + timeline.step * i64::try_from(bin).unwrap_or(0);
        begins >= from && begins < to
    };
    let mut sum = Bin::default();
    for (_, bin) in timeline.bins.iter().enumerate().filter(|(place, _)| inside(*place)) {
        sum.accepted += bin.accepted;
        sum.rejected += bin.rejected;
        sum.skipped += bin.skipped;
        sum.bytes_in = sum.bytes_in.saturating_add(bin.bytes_in);
        sum.bytes_out = sum.bytes_out.saturating_add(bin.bytes_out);
    }
    let skipped = if sum.skipped > 0 { format!(", {} SKIPDATA", fmt::count(sum.skipped)) } else { String::new() };
    if timeline.of_sessions {
        return Some(format!(
            "{} to {}Z: sessions that the filter selects, by their life",
            fmt::time_of_day(from),
            fmt::time_of_day(to)
        ));
    }
    Some(format!(
        "{} to {}Z: {} accepted, {} rejected{skipped}; {} in, {} out",
        fmt::time_of_day(from),
        fmt::time_of_day(to),
        fmt::count(sum.accepted),
        fmt::count(sum.rejected),
        fmt::bytes(sum.bytes_in),
        fmt::bytes(sum.bytes_out)
    ))
}

/// The cell in the middle of those that show a bin.
fn middle_of(bin: usize, bins: usize, cells: usize) -> usize {
    let first = |bin: usize| (bin * cells).div_ceil(bins.max(1));
    let (from, to) = (first(bin), first(bin + 1));
    from + to.saturating_sub(from + 1) / 2
}

/// A bar of `eighths` over `lines` lines whose top is `y`.
fn bar(paint: &mut Paint<'_>, x: u16, y: u16, lines: u16, eighths: u64, token: Token) {
    let style = paint.theme.style(token);
    for line in 0..lines {
        let here = eighths.saturating_sub(u64::from(line) * 8).min(8);
        if here > 0 {
            let sign = paint.glyphs.bars[usize::try_from(here).unwrap_or(8)];
            paint.text(x, y + lines - 1 - line, 1, sign, style);
        }
    }
}

/// A bar of `eighths` that hangs from `y` down over `lines` lines. There are no signs that grow downwards: what is below it is drawn, reversed.
fn hang(paint: &mut Paint<'_>, x: u16, y: u16, lines: u16, eighths: u64, token: Token) {
    let style = paint.theme.style(token);
    for line in 0..lines {
        let here = usize::try_from(eighths.saturating_sub(u64::from(line) * 8).min(8)).unwrap_or(8);
        match here {
            0 => {}
            1..8 if paint.glyphs.hanging => {
                let sign = paint.glyphs.bars[8 - here];
                paint.text(x, y + line, 1, sign, style.add_modifier(Modifier::REVERSED));
            }
            _ => {
                let sign = paint.glyphs.bars[here];
                paint.text(x, y + line, 1, sign, style);
            }
        }
    }
}

/// `value` of `most` in `steps`; anything above zero shows.
fn scaled(value: u64, most: u64, steps: u64) -> u64 {
    let share = u128::from(value) * u128::from(steps) / u128::from(most.max(1));
    let share = u64::try_from(share).unwrap_or(steps);
    if value > 0 { share.max(1) } else { 0 }
}
