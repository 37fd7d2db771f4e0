//! Draws a page and the app state. Decides nothing.
