//! `[screen]`: how the screen is arranged where nobody has done so by hand. What is done by hand is remembered and comes after it.

use std::fmt::Write as _;

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Source};
use crate::app::App;
use crate::app::choose::When;
use crate::record::Field;

const HINT: &str = "`flowtail fields` lists every field.";

/// The table as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Written {
    time: Option<Spanned<String>>,
    flow_columns: Vec<Spanned<String>>,
    session_columns: Vec<Spanned<String>>,
    hide: Vec<Spanned<String>>,
}

/// Lines as [`App::with_arrangement`] reads them.
pub(super) fn read(source: &Source<'_>, written: &Written) -> Result<Vec<String>, ConfigError> {
    let mut lines = Vec::new();
    for (table, columns) in [("flows", &written.flow_columns), ("sessions", &written.session_columns)] {
        let mut line = format!("columns {table}");
        for column in columns {
            let name = column.get_ref().trim();
            // The app itself says whether its rows have the field.
            let alone = format!("columns {table} {name}");
            let known =
                Field::named(name).is_some() && !App::new().with_arrangement([&*alone]).arrangement().is_empty();
            if !known {
                let message = format!("{table} have no column `{}`", name.escape_debug());
                return Err(source.error(column.span(), message, HINT));
            }
            // Writing to a string cannot fail.
            let _ = write!(line, " {name}");
        }
        if !columns.is_empty() {
            lines.push(line);
        }
    }
    if let Some(time) = &written.time {
        let name = time.get_ref();
        if When::named(name).is_none() {
            let message = format!("times are utc, local or ago, not `{}`", name.escape_debug());
            return Err(source.error(time.span(), message, HINT));
        }
        lines.push(format!("time {name}"));
    }
    for pane in &written.hide {
        let name = pane.get_ref();
        if !["timeline", "alerts"].contains(&name.as_str()) {
            let message = format!("timeline and alerts can be hidden, not `{}`", name.escape_debug());
            return Err(source.error(pane.span(), message, HINT));
        }
        lines.push(format!("hide {name}"));
    }
    Ok(lines)
}
