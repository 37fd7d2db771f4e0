//! The screen as a user meets it: keys as strings, through the app, the engine and the renderer, to what stands on the screen.

mod harness;
mod look;
