//! flowtail: a terminal UI for live investigation of AWS VPC Flow Logs.
//!
//! The rooms follow the data: `source` delivers lines, `record` reads them, `store` holds them, `session` pairs them, `detect` watches them,
//! `engine` owns all of that and answers the screen, `app` knows what a key means, `ui` draws. `ARCHITECTURE.md` has the picture and the rules.

pub mod app;
#[cfg(feature = "aws")]
pub mod baseline;
pub mod cli;
pub mod config;
pub mod detect;
pub mod engine;
pub mod enrich;
pub mod evaluate;
pub mod export;
pub mod filter;
pub mod headless;
#[cfg(feature = "aws")]
pub mod history;
pub mod notify;
pub mod record;
pub mod runtime;
pub mod save;
pub mod session;
pub mod source;
pub mod start;
pub mod state;
pub mod store;
pub mod tables;
pub mod terminal;
pub mod translate;
pub mod ui;
#[cfg(feature = "aws")]
pub mod who;
