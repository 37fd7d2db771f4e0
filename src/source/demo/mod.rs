//! The built-in recording.
