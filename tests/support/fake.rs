//! An in-process fake
