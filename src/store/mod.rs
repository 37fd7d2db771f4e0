//! The ring: sealed, immutable, columnar segments plus one open one, bounded in bytes.

mod addrs;
pub mod codes;
mod earlier;
mod intern;
pub mod open;
pub mod packed;
pub mod ring;
pub mod segment;

pub use codes::{Codes, Columnar};
pub use open::{Open, Remap};
pub use ring::{Part, Ring};
pub use segment::Segment;
