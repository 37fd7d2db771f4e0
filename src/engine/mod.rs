//! The engine: one owner of the ring, the sessions and the rules. It answers a [`view::ViewSpec`] with a [`view::Page`].

mod answer;
mod aside;
mod clock;
mod conversations;
pub mod core;
mod detail;
mod groups;
mod look;
pub mod report;
mod scan;
pub mod thread;
mod timeline;
mod top;
pub mod view;

pub use core::{Config, Core, Counts};
