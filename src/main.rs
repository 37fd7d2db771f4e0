//! flowtail
fn main() {}
