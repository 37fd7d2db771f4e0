//! The engine: one owner of the ring, the sessions and the rules. It answers a [`view::ViewSpec`] with a [`view::Page`].

pub mod view;
