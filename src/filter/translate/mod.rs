//! Filters in the languages of others.

pub mod pattern;
