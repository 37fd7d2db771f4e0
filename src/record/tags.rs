//! What CloudWatch says of the events that rows were, for output. The ring does not keep it.

use super::batch::Event;

/// CloudWatch's words about one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventTag<'a> {
    /// Event id; empty where the source names none.
    pub id: &'a str,
    /// Ingestion time, Unix milliseconds; negative where it is not known.
    pub ingestion: i64,
}

/// The tags of rows; the last rows may have none. Ids are laid end to end, since room for each of its own costs more than the rest of a row.
#[derive(Clone, Debug, Default)]
pub(super) struct Tags {
    ids: String,
    /// By row: where the id ends, and the ingestion time.
    ends: Vec<(usize, i64)>,
}

impl Tags {
    /// The next row, or the rows up to it and it, was no event; `row` is the first that has not been told of.
    pub(super) fn skip_to(&mut self, row: usize) {
        self.ends.resize(row, (self.ids.len(), Event::UNKNOWN));
    }

    /// The next row was this event.
    pub(super) fn push(&mut self, event: &Event) {
        self.ids.push_str(&event.id);
        self.ends.push((self.ids.len(), event.ingestion));
    }

    /// Keeps the first `rows`.
    pub(super) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.ids.truncate(self.ends.last().map_or(0, |(end, _)| *end));
    }

    /// That of `row`, if there is anything in it.
    pub(super) fn get(&self, row: usize) -> Option<EventTag<'_>> {
        let (end, ingestion) = *self.ends.get(row)?;
        let begin = row.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(end, _)| *end);
        let tag = EventTag { id: &self.ids[begin..end], ingestion };
        Some(tag).filter(|tag| !tag.id.is_empty() || tag.ingestion >= 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_own() {
        let event = |id: &str, ingestion| Event { end: 0, stream: 0, timestamp: 0, ingestion, id: id.into() };
        let mut tags = Tags::default();
        tags.push(&event("one", 5));
        tags.skip_to(3);
        tags.push(&event("", 0));
        tags.push(&event("four", Event::UNKNOWN));
        tags.push(&event("", Event::UNKNOWN));
        let told: Vec<_> = (0..7).map(|row| tags.get(row).map(|tag| (tag.id, tag.ingestion))).collect();
        assert_eq!(told, [Some(("one", 5)), None, None, Some(("", 0)), Some(("four", Event::UNKNOWN)), None, None]);
        tags.truncate(4);
        tags.push(&event("new", 1));
        assert_eq!((tags.get(4).map(|tag| tag.id), tags.get(5)), (Some("new"), None));
    }
}
