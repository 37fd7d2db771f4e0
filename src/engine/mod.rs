//! The engine: one owner of the ring, the sessions and the rules. It answers a [`view::ViewSpec`] with a [`view::Page`].

mod answer;
mod aside;
mod clock;
mod conversations;
pub mod core;
mod detail;
mod firsts;
pub mod fold;
mod groups;
mod lives;
mod look;
mod news;
mod passes;
pub mod phase;
pub mod pinned;
mod preview;
pub mod profile;
mod replay;
pub mod report;
mod scan;
mod shown;
mod sides;
pub mod since;
mod status;
pub mod thread;
mod timeline;
mod top;
mod verdict;
pub mod view;

pub use core::{Config, Core};
pub use status::Counts;
