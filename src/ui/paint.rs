//! Writing text into the buffer. Everything goes through [`Paint::text`], which cleans it: nothing from a log reaches the terminal as it came.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Look;
use super::fmt;
use super::glyphs::Glyphs;
use super::theme::{Theme, Token};

/// A buffer with the means to write into it.
pub(super) struct Paint<'a> {
    buffer: &'a mut Buffer,
    pub(super) theme: &'a Theme,
    pub(super) glyphs: &'static Glyphs,
}

impl<'a> Paint<'a> {
    pub(super) fn new(buffer: &'a mut Buffer, look: &'a Look) -> Paint<'a> {
        Paint { buffer, theme: &look.theme, glyphs: look.glyphs }
    }

    /// Writes `text` at (`x`, `y`), cut to `width` cells; gives the cells it took. Outside the buffer nothing happens.
    pub(super) fn text(&mut self, x: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let bounds = self.buffer.area;
        if y < bounds.top() || y >= bounds.bottom() || x >= bounds.right() || width == 0 {
            return 0;
        }
        let width = width.min(bounds.right() - x);
        let mut clean = fmt::clean(text);
        if self.glyphs.only_ascii && !clean.is_ascii() {
            clean = clean.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
        }
        let cut = fmt::cut(&clean, width, self.glyphs.ellipsis);
        let (end, _) = self.buffer.set_stringn(x, y, &*cut, usize::from(width), style);
        end - x
    }

    /// Writes `text` so that it ends before `right`.
    pub(super) fn text_right(&mut self, right: u16, y: u16, width: u16, text: &str, style: Style) -> u16 {
        let clean = fmt::clean(text);
        let taken = fmt::width(&clean).min(width);
        self.text(right.saturating_sub(taken), y, taken, &clean, style)
    }

    /// Writes spans one after the other; gives the cells they took.
    pub(super) fn spans(&mut self, x: u16, y: u16, width: u16, spans: &[(String, Style)]) -> u16 {
        let mut used = 0;
        for (text, style) in spans {
            used += self.text(x.saturating_add(used), y, width.saturating_sub(used), text, *style);
        }
        used
    }

    /// Gives an area a style on top of what is there.
    pub(super) fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Empties an area onto the surface.
    pub(super) fn clear(&mut self, area: Rect, ground: Token) {
        let area = area.intersection(self.buffer.area);
        let style = self.theme.style(Token::Text).patch(self.theme.ground(ground));
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                    cell.set_style(style);
                }
            }
        }
    }

    /// Where the lines shown are among `all`, in a column of `area` one cell wide; `first` is the first of them. Nothing where all are shown. Gives top
    /// and height of the mark.
    pub(super) fn scrollbar(&mut self, area: Rect, first: usize, all: usize) -> Option<(u16, u16)> {
        let height = usize::from(area.height);
        if height < 2 || all <= height {
            return None;
        }
        let thumb = (height.saturating_mul(height) / all).clamp(1, height - 1);
        let at = first.saturating_mul(height - thumb).div_ceil(all - height).min(height - thumb);
        let (track, mark) = (self.theme.style(Token::Border), self.theme.style(Token::Muted));
        for (line, y) in (area.top()..area.bottom()).enumerate() {
            let is_thumb = (at..at + thumb).contains(&line);
            let (sign, style) = if is_thumb { (self.glyphs.thumb, mark) } else { (self.glyphs.vertical, track) };
            self.text(area.x, y, 1, sign, style);
        }
        let cells = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        Some((area.top().saturating_add(cells(at)), cells(thumb)))
    }

    /// At the right of the title of `area`, how many lines are left below; what that leaves no room to is seen to be cut.
    pub(super) fn below(&mut self, area: Rect, title: &str, left: usize) {
        let text = format!(" {} more below ", fmt::thousands(left as u64));
        let cut = fmt::width(title) + 4 + fmt::width(&text) > area.width;
        let text = if cut { format!("{}{text}", self.glyphs.ellipsis) } else { text };
        let style = self.theme.style(Token::Muted);
        self.text_right(area.right().saturating_sub(1), area.y, area.width, &text, style);
    }

    /// A line across, with a title in it.
    pub(super) fn rule(&mut self, area: Rect, title: &str, style: Style) {
        let line = self.glyphs.horizontal.repeat(usize::from(area.width));
        self.text(area.x, area.y, area.width, &line, self.theme.style(Token::Border));
        if !title.is_empty() && area.width > 4 {
            self.text(area.x + 1, area.y, area.width - 2, &format!(" {title} "), style);
        }
    }
}
