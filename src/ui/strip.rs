//! The strip of time: accepted records grow upwards, rejected ones stand below, alerts and missing evidence are marked, in event time.

use ratatui::layout::Rect;

use super::fmt;
use super::paint::Paint;
use super::theme::Token;
use crate::app::{App, Viewport};
use crate::engine::view::Bin;

/// Cells at the right for the scale and the end of time.
const SCALE: u16 = 16;

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    if area.height < 3 || area.width < 12 {
        return;
    }
    let scale = if area.width >= 60 { SCALE } else { 0 };
    let wide = usize::from(area.width - 2 - scale);
    viewport.timeline_bins = wide;
    let strip = &app.page().timeline;
    let bins = &strip.bins[strip.bins.len().saturating_sub(wide)..];
    if bins.is_empty() {
        return;
    }
    // One line for the axis, one for what was rejected, the rest for what was accepted.
    let up = area.height - 2;
    let most = |of: fn(&Bin) -> u64| bins.iter().map(of).max().unwrap_or(0);
    let (most_accepted, most_rejected) = (most(|bin| bin.accepted), most(|bin| bin.rejected));
    let axis = area.y + up + 1;
    for (x, cell) in (area.x + 1..area.right() - scale - 1).zip(0..) {
        // A short time is drawn in broader bars, so that the strip is filled.
        let bin = &bins[bin_of(cell, bins.len(), wide)];
        bar(paint, x, area.y, up, scaled(bin.accepted, most_accepted, u64::from(up) * 8), Token::Bar);
        bar(paint, x, area.y + up, 1, scaled(bin.rejected, most_rejected, 8), Token::Reject);
        // What marks a bin stands once, in its middle; what is missing is missing all along it.
        let middle = cell == middle_of(bin_of(cell, bins.len(), wide), bins.len(), wide);
        let (sign, token) = match bin.alert {
            Some(level) if middle => (paint.glyphs.alert, Token::level(level)),
            None if bin.skipped > 0 && middle => (paint.glyphs.skipped, Token::Gap),
            _ if bin.incomplete => (paint.glyphs.incomplete, Token::Gap),
            _ => (paint.glyphs.horizontal, Token::Border),
        };
        let style = paint.theme.style(token);
        paint.text(x, axis, 1, sign, style);
    }
    let step = u64::try_from(strip.step).unwrap_or(0);
    let muted = paint.theme.style(Token::Muted);
    if scale > 0 {
        let x = area.right() - scale;
        let end = strip.from.saturating_add(strip.step.saturating_mul(i64::try_from(bins.len()).unwrap_or(0)));
        paint.text(x, area.y, scale, &format!("{} accepted", fmt::count(most_accepted)), muted);
        paint.text(x, area.y + up, scale, &format!("{} rejected", fmt::count(most_rejected)), muted);
        paint.text(x, axis, scale, &format!("{}Z {}/bin", fmt::hour_minute(end), fmt::duration(step)), muted);
    }
    // The start, where no mark is hidden by it.
    let start = format!("{}Z", fmt::hour_minute(strip.from));
    let covered = 0..=bin_of(usize::from(fmt::width(&start)), bins.len(), wide);
    if bins[covered].iter().all(|bin| bin.alert.is_none() && bin.skipped == 0) {
        paint.text(area.x + 1, axis, area.width - 1, &start, muted);
    }
}

/// The bin that a cell of the strip shows.
fn bin_of(cell: usize, bins: usize, cells: usize) -> usize {
    (cell * bins / cells.max(1)).min(bins.saturating_sub(1))
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

/// `value` of `most` in `steps`; anything above zero shows.
fn scaled(value: u64, most: u64, steps: u64) -> u64 {
    let share = u128::from(value) * u128::from(steps) / u128::from(most.max(1));
    let share = u64::try_from(share).unwrap_or(steps);
    if value > 0 { share.max(1) } else { 0 }
}
