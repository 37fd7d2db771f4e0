//! The ring: sealed, immutable, columnar segments plus one open one, bounded in bytes.

pub mod packed;
pub mod ring;
pub mod segment;

pub use ring::{Part, Ring};
pub use segment::Segment;
