//! The engine: one owner of the ring, the sessions and the rules. It answers a [`view::ViewSpec`] with a [`view::Page`].

mod answer;
mod aside;
mod clock;
mod conversations;
pub mod core;
mod detail;
mod groups;
mod look;
mod news;
pub mod report;
mod scan;
mod status;
pub mod thread;
mod timeline;
mod top;
pub mod view;

pub use core::{Config, Core};
pub use status::Counts;
