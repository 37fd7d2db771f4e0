//! `[keys.PLACE]`: keys of the user in the place of the usual ones.
//!
//! ```toml
//! [keys.tables]
//! freeze = ["space", "f12"]
//! quit = "ctrl-q"
//! ```

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::{ConfigError, Source};
use crate::app::keymap::{self, CONTEXTS, Keys};
use crate::app::{Action, Context, Key};

const NAMES: &str =
    "A key is a character, or a name such as enter, esc, tab, pgdn, f5, ctrl-d; docs/keys.md has every action.";

/// One key or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// The tables as they are written: by place and action.
pub(super) type Written = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<OneOrMore>>>;

pub(super) fn read(source: &Source<'_>, written: &Written) -> Result<Keys, ConfigError> {
    let mut changes = Vec::new();
    let mut places = Vec::new();
    for (place, actions) in written {
        let Some((_, context)) = CONTEXTS.iter().find(|(name, _)| name == place.get_ref()) else {
            let known = CONTEXTS.map(|(name, _)| name).join(", ");
            let message = format!("keys work in {known}, not in `{}`", place.get_ref().escape_debug());
            return Err(source.error(place.span(), message, NAMES));
        };
        for (action, keys) in actions {
            let Some(def) = keymap::named(*context, action.get_ref()) else {
                let message =
                    format!("there is no action `{}` in {}", action.get_ref().escape_debug(), place.get_ref());
                return Err(source.error(action.span(), message, NAMES));
            };
            if matches!(def.action, Action::Saved(_)) {
                return Err(source.error(action.span(), "the function keys of saved filters are fixed", NAMES));
            }
            let names = match keys.get_ref() {
                OneOrMore::One(name) => std::slice::from_ref(name),
                OneOrMore::More(names) => names,
            };
            let read = |name: &String| {
                let wrong = || source.error(keys.span(), format!("`{}` is no key", name.escape_debug()), NAMES);
                Key::named(name).ok_or_else(wrong)
            };
            changes.push((def, names.iter().map(read).collect::<Result<Vec<Key>, ConfigError>>()?));
            places.push((*context, def.action, keys.span()));
        }
    }
    let keys = Keys::changed(&changes).map_err(|conflict| {
        let mine =
            |action: Action| places.iter().find(|(context, known, _)| (*context, *known) == (conflict.context, action));
        let [first, second] = conflict.actions;
        let span = mine(second).or(mine(first)).map_or(0..0, |(.., span)| span.clone());
        let (first, second) = (keymap::name(first), keymap::name(second));
        let message = format!("the key {} would mean both {first} and {second}", conflict.key);
        source.error(span, message, "Give one of them other keys; [] is none.")
    })?;
    // Nobody is to be locked in.
    let ways = [(Context::Main, Action::Quit, "quit"), (Context::Prompt, Action::Cancel, "cancel")];
    for (context, action, name) in ways {
        if keys.hint(context, action).is_empty() {
            let span = places
                .iter()
                .find(|place| (place.0, place.1) == (context, action))
                .map_or(0..0, |place| place.2.clone());
            return Err(source.error(span, format!("`{name}` needs a key"), NAMES));
        }
    }
    Ok(keys)
}
