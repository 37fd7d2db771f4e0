//! What a key means: the state of the screen, the one table of actions, the keymap, and the update that turns an action into a new state and effects. No I/O, no ratatui.
