//! Names for what a log only numbers, out of files of the user's. Looking them up asks nobody: a question over the network would tell the other side.

mod names;

pub use names::{BadNames, Names};
