//! Pairs one-way records into sessions: one conversation, its two directions, each counted once.

pub mod conversation;
pub mod facts;
mod fanin;
mod index;
mod kept;
pub mod key;
pub mod nat;
mod numbers;
mod observer;
pub mod orient;
pub mod pair;
pub mod row;
mod split;
mod state;
mod wheel;

pub use conversation::{Session, State, Totals};
pub use facts::Facts;
pub use key::{Key, Way};
pub use nat::Leg;
pub use orient::Method;
pub use pair::{Change, LOOK_AHEAD, SessionTable};
pub use row::SessionRow;
pub use state::Phase;
