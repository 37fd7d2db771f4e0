//! Pairs one-way records into sessions.
