//! The strip of time: accepted records grow upwards, rejected ones stand below, alerts and missing evidence are marked, in event time.

use ratatui::layout::Rect;

use super::fmt;
use super::paint::Paint;
use super::theme::Token;
use crate::app::{App, Viewport};
use crate::engine::view::Bin;

pub(super) fn draw(app: &App, paint: &mut Paint<'_>, area: Rect, viewport: &mut Viewport) {
    if area.height < 3 || area.width < 12 {
        return;
    }
    viewport.timeline_bins = usize::from(area.width - 2);
    let strip = &app.page().timeline;
    let bins = &strip.bins[strip.bins.len().saturating_sub(viewport.timeline_bins)..];
    let Some(last) = bins.len().checked_sub(1) else { return };
    // One line for the axis, one for what was rejected, the rest for what was accepted.
    let up = area.height - 2;
    let most = |of: fn(&Bin) -> u64| bins.iter().map(of).max().unwrap_or(0).max(1);
    let (most_accepted, most_rejected) = (most(|bin| bin.accepted), most(|bin| bin.rejected));
    let left = area.x + 1;
    let wide = cells_a_bin(area, bins.len());
    for cell in 0..bins.len() * wide {
        let bin = &bins[cell / wide];
        let Ok(offset) = u16::try_from(cell) else { break };
        let x = left + offset;
        bar(paint, x, area.y, up, scaled(bin.accepted, most_accepted, u64::from(up) * 8), Token::Accept);
        bar(paint, x, area.y + up, 1, scaled(bin.rejected, most_rejected, 8), Token::Reject);
        let axis = area.y + up + 1;
        let (sign, token) = match bin.alert {
            Some(level) => (paint.glyphs.alert, Token::level(level)),
            None if bin.skipped > 0 => (paint.glyphs.skipped, Token::Gap),
            None if bin.incomplete => (paint.glyphs.incomplete, Token::Gap),
            None => (paint.glyphs.horizontal, Token::Border),
        };
        let style = paint.theme.style(token);
        paint.text(x, axis, 1, sign, style);
    }
    labels(paint, area, strip.from, strip.step, bins, last);
}

/// Times at the ends of the axis, where no mark is hidden by them.
fn labels(paint: &mut Paint<'_>, area: Rect, from: i64, step: i64, bins: &[Bin], last: usize) {
    let axis = area.bottom() - 1;
    let style = paint.theme.style(Token::Muted);
    let free = |range: std::ops::Range<usize>| {
        bins.get(range).is_none_or(|bins| bins.iter().all(|bin| bin.alert.is_none() && bin.skipped == 0))
    };
    if free(0..6_usize.div_ceil(cells_a_bin(area, bins.len())).min(bins.len())) {
        paint.text(area.x + 1, axis, 6, &format!("{}Z", fmt::hour_minute(from)), style);
    }
    let end = from + step * i64::try_from(last + 1).unwrap_or(0);
    let wide = format!("{}Z {}/bin", fmt::hour_minute(end), fmt::duration(u64::try_from(step).unwrap_or(0)));
    let used = u16::try_from((last + 1) * cells_a_bin(area, bins.len())).unwrap_or(u16::MAX);
    let room = area.width.saturating_sub(used.saturating_add(2));
    if room >= fmt::width(&wide) {
        paint.text(area.x + 2 + used, axis, room, &wide, style);
    }
}

/// Cells that a bin is wide: a short time is drawn in broader bars, so that the strip is filled.
fn cells_a_bin(area: Rect, bins: usize) -> usize {
    (usize::from(area.width.saturating_sub(16)) / bins.max(1)).clamp(1, 6)
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
