//! Terminal events as the app knows them.

use crossterm::event::{Event, KeyCode, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use crate::app::{Code, Input, Key, Mouse, MouseKind};

/// Whether an event changes nothing on the screen.
pub(super) fn is_noise(event: &Event) -> bool {
    match event {
        Event::Mouse(mouse) => {
            let left = MouseButton::Left;
            match mouse.kind {
                MouseEventKind::Drag(button) | MouseEventKind::Up(button) => button != left,
                kind => matches!(kind, MouseEventKind::Moved),
            }
        }
        Event::Key(key) => key.kind == KeyEventKind::Release,
        Event::FocusGained | Event::FocusLost => true,
        Event::Paste(_) | Event::Resize(..) => false,
    }
}

/// A terminal event as the app knows it; `None` for what means nothing here.
pub(super) fn translate(event: Event) -> Option<Input> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            let code = match key.code {
                KeyCode::Char(c) => Code::Char(c),
                KeyCode::Enter => Code::Enter,
                KeyCode::Esc => Code::Esc,
                KeyCode::Tab => Code::Tab,
                KeyCode::BackTab => Code::BackTab,
                KeyCode::Backspace => Code::Backspace,
                KeyCode::Delete => Code::Delete,
                KeyCode::Up => Code::Up,
                KeyCode::Down => Code::Down,
                KeyCode::Left => Code::Left,
                KeyCode::Right => Code::Right,
                KeyCode::PageUp => Code::PageUp,
                KeyCode::PageDown => Code::PageDown,
                KeyCode::Home => Code::Home,
                KeyCode::End => Code::End,
                KeyCode::F(number) => Code::F(number),
                _ => return None,
            };
            Some(Input::Key(Key { code, ctrl: key.modifiers.contains(KeyModifiers::CONTROL) }))
        }
        Event::Paste(text) => Some(Input::Paste(text)),
        Event::Mouse(mouse) => {
            let shift = mouse.modifiers.contains(KeyModifiers::SHIFT);
            let kind = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => MouseKind::Click,
                MouseEventKind::Drag(MouseButton::Left) => MouseKind::Drag,
                MouseEventKind::Up(MouseButton::Left) => MouseKind::Release,
                // Where the wheel cannot be tilted, shift does.
                MouseEventKind::ScrollUp if shift => MouseKind::WheelLeft,
                MouseEventKind::ScrollDown if shift => MouseKind::WheelRight,
                MouseEventKind::ScrollUp => MouseKind::WheelUp,
                MouseEventKind::ScrollDown => MouseKind::WheelDown,
                MouseEventKind::ScrollLeft => MouseKind::WheelLeft,
                MouseEventKind::ScrollRight => MouseKind::WheelRight,
                _ => return None,
            };
            Some(Input::Mouse(Mouse { kind, x: mouse.column, y: mouse.row }))
        }
        // A new size is nothing to the app, which is told with each frame how much fits.
        _ => None,
    }
}
