//! Pairs one-way records into sessions: one conversation, its two directions, each counted once.

pub mod key;
pub mod orient;
pub mod pair;
pub mod row;
mod wheel;

pub use key::Key;
pub use orient::Method;
pub use pair::{Change, Session, SessionTable, State, Totals};
pub use row::SessionRow;
