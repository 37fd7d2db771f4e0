//! Room for columns that goes back to who made it, so that a batch does not have to ask the system for memory that the one before gave back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::column::Column;
use super::field::Field;

/// Most that wait to be used again: as many as are on their way from the decoder to the engine.
const WAITING: usize = 4;

/// What was given back.
#[derive(Clone, Debug, Default)]
pub(super) struct Rooms(Arc<Mutex<Vec<Vec<Column>>>>);

/// A column for each field. Goes back to where it was taken from.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    columns: Vec<Column>,
    home: Weak<Mutex<Vec<Vec<Column>>>>,
}

impl Rooms {
    /// Empty columns.
    pub(super) fn take(&self) -> Room {
        let used = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Room { columns: used.unwrap_or_else(Room::columns), home: Arc::downgrade(&self.0) }
    }
}

impl Room {
    fn columns() -> Vec<Column> {
        vec![Column::default(); Field::COUNT]
    }

    /// Empty columns that go nowhere.
    pub(super) fn new() -> Room {
        Room { columns: Room::columns(), home: Weak::new() }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let Some(home) = self.home.upgrade() else { return };
        let mut waiting = home.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() < WAITING && !self.columns.is_empty() {
            let mut columns = std::mem::take(&mut self.columns);
            columns.iter_mut().for_each(Column::clear);
            waiting.push(columns);
        }
    }
}

impl Deref for Room {
    type Target = [Column];

    fn deref(&self) -> &[Column] {
        &self.columns
    }
}

impl DerefMut for Room {
    fn deref_mut(&mut self) -> &mut [Column] {
        &mut self.columns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_comes_back_empty_and_with_what_it_had() {
        let rooms = Rooms::default();
        let mut first = rooms.take();
        (0..1000).for_each(|row| first[0].put(row, row as u64));
        let had = first[0].bytes();
        drop(first);
        let again = rooms.take();
        assert_eq!((again.len(), again[0].len(), again[0].bytes()), (Field::COUNT, 0, had));
        assert_eq!(rooms.take()[0].bytes(), 0);
    }

    #[test]
    fn no_more_waits_than_is_used() {
        let rooms = Rooms::default();
        let many: Vec<Room> = (0..9).map(|_| rooms.take()).collect();
        drop(many);
        assert_eq!(rooms.0.lock().unwrap().len(), WAITING);
    }
}
