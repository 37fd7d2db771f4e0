//! The ring: sealed, immutable, columnar segments plus one open one, bounded in bytes.

mod addrs;
pub mod codes;
pub mod packed;
pub mod ring;
pub mod segment;

pub use codes::{Codes, Columnar};
pub use ring::{Part, Ring};
pub use segment::Segment;
