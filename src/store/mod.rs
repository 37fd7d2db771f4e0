//! The ring: sealed, immutable, columnar segments plus one open one, bounded in bytes.
