//! Where lines come from: CloudWatch Logs, files, pipes, the built-in recording. Async and AWS live only here.
//!
//! A source is an `async fn run(config, tokio::sync::mpsc::Sender<Input>)`. It sends [`crate::record::Input`]s and waits while the
//! channel is full, so nothing is dropped; it ends when the receiver is gone or its future is dropped.

#[cfg(feature = "aws")]
pub mod cloudwatch;
pub mod demo;
pub mod file;
mod pace;
