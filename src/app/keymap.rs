//! Which key asks for which action, by where the keys go: the keys of the one table of actions, with those of the user in their place.

use super::action::{ACTIONS, Action, ActionDef, Context};
use super::key::{Code, Key};

/// Every context with its name in the configuration.
pub const CONTEXTS: [(&str, Context); 6] = [
    ("tables", Context::Main),
    ("timeline", Context::Timeline),
    ("prompt", Context::Prompt),
    ("list", Context::Menu),
    ("help", Context::Help),
    ("source", Context::Report),
];

/// The name of `action` in the configuration and in documentation: `next-tab`.
pub fn name(action: Action) -> String {
    let spelled = format!("{action:?}");
    let mut name = String::new();
    for c in spelled.chars().take_while(char::is_ascii_alphabetic) {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}

/// The action of that name in `context`.
pub fn named(context: Context, wanted: &str) -> Option<&'static ActionDef> {
    ACTIONS.iter().find(|def| def.context == context && name(def.action) == wanted)
}

/// Two actions that want one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Where.
    pub context: Context,
    /// The key.
    pub key: Key,
    /// What it means, and what it should mean as well.
    pub actions: [Action; 2],
}

/// The keys in force.
#[derive(Clone, Debug)]
pub struct Keys {
    bound: Vec<(Context, Key, &'static ActionDef)>,
}

impl Default for Keys {
    fn default() -> Keys {
        let keys = |def: &'static ActionDef| {
            def.keys.iter().filter_map(move |name| Some((def.context, Key::named(name)?, def)))
        };
        Keys { bound: ACTIONS.iter().flat_map(keys).collect() }
    }
}

impl Keys {
    /// The usual keys, with `changes` in their place: an action that is named has those keys and no others.
    ///
    /// # Errors
    /// A key would mean two things in one place.
    pub fn changed(changes: &[(&'static ActionDef, Vec<Key>)]) -> Result<Keys, Conflict> {
        let mut keys = Keys::default();
        for (def, new) in changes {
            let of = |bound: &(Context, Key, &ActionDef)| bound.0 == def.context && bound.2.action == def.action;
            let at = keys.bound.iter().position(&of).unwrap_or(keys.bound.len());
            keys.bound.retain(|bound| !of(bound));
            let at = at.min(keys.bound.len());
            keys.bound.splice(at..at, new.iter().map(|key| (def.context, *key, *def)));
        }
        for (at, (context, key, def)) in keys.bound.iter().enumerate() {
            let taken = keys.bound[..at].iter().find(|(other, known, _)| other == context && known == key);
            if let Some((.., before)) = taken {
                return Err(Conflict { context: *context, key: *key, actions: [before.action, def.action] });
            }
        }
        Ok(keys)
    }

    /// The action that `key` asks for in `context`. Where there is text to edit, a key that is not bound types itself.
    pub fn resolve(&self, context: Context, key: Key) -> Option<Action> {
        let bound =
            self.bindings(context).find(|(bound, _)| *bound == key).map(|(_, def)| match (def.action, key.code) {
                (Action::Saved(_), Code::F(number)) => Action::Saved(number),
                (action, _) => action,
            });
        match context {
            Context::Main | Context::Report | Context::Timeline => bound,
            Context::Prompt | Context::Help | Context::Menu => bound.or_else(|| key.typed().map(Action::Insert)),
        }
    }

    /// Every key of `context` with its action.
    pub fn bindings(&self, context: Context) -> impl Iterator<Item = (Key, &'static ActionDef)> {
        self.bound.iter().filter(move |(known, ..)| *known == context).map(|(_, key, def)| (*key, *def))
    }

    /// The keys of `action`, as they are shown.
    pub fn of(&self, context: Context, action: Action) -> impl Iterator<Item = String> {
        self.bindings(context).filter(move |(_, def)| def.action == action).map(|(key, _)| key.to_string())
    }

    /// The keys of `action` in a text, function keys that follow each other as `F2-F9`.
    pub fn list(&self, context: Context, action: Action) -> String {
        let keys: Vec<Key> =
            self.bindings(context).filter(|(_, def)| def.action == action).map(|(key, _)| key).collect();
        let number = |key: &Key| match key.code {
            Code::F(number) => Some(number),
            _ => None,
        };
        let follows = |pair: &[Key]| number(&pair[0]).is_some_and(|first| number(&pair[1]) == first.checked_add(1));
        match &keys[..] {
            [first, .., last] if keys.len() > 2 && keys.windows(2).all(follows) => format!("{first}-{last}"),
            all => all.iter().map(Key::to_string).collect::<Vec<_>>().join(" "),
        }
    }

    /// Puts keys into a text for the user: `{filter}` becomes the key of that action of the tables, `{list:save}` that of another context. An
    /// action that was left without a key is found in the palette.
    pub fn spell(&self, text: &str) -> String {
        let mut spelled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            spelled.push_str(before);
            let Some((wanted, further)) = after.split_once('}') else {
                spelled.push('{');
                rest = after;
                continue;
            };
            let (place, action) = wanted.split_once(':').unwrap_or((CONTEXTS[0].0, wanted));
            let context = CONTEXTS.iter().find(|(known, _)| *known == place).map(|(_, context)| *context);
            let def = context.and_then(|context| named(context, action));
            let key = def.map(|def| self.hint(def.context, def.action)).filter(|key| !key.is_empty());
            let palette = || format!("{}{action}", self.hint(Context::Main, Action::Palette));
            spelled.push_str(&key.unwrap_or_else(palette));
            rest = further;
        }
        spelled + rest
    }

    /// The key of `action` that hints show; empty where it has none.
    pub fn hint(&self, context: Context, action: Action) -> String {
        self.of(context, action).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_key_name_of_the_table_is_a_key() {
        for def in ACTIONS {
            assert!(!def.keys.is_empty(), "{:?} has no key", def.action);
            for name in def.keys {
                assert!(Key::named(name).is_some(), "{name} is no key");
            }
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_context() {
        let keys = Keys::default();
        for (_, context) in CONTEXTS {
            let mut seen = HashMap::new();
            for (key, def) in keys.bindings(context) {
                let before = seen.insert(key, def.action);
                assert_eq!(before, None, "{key} is bound twice in {context:?}");
            }
        }
        assert!(Keys::changed(&[]).is_ok());
    }

    #[test]
    fn every_action_has_a_name_of_its_own() {
        for def in ACTIONS {
            assert_eq!(named(def.context, &name(def.action)).map(|found| found.action), Some(def.action));
        }
        assert_eq!(name(Action::NextTab), "next-tab");
        assert_eq!(name(Action::Saved(0)), "saved");
    }

    #[test]
    fn a_text_names_the_keys_in_force() {
        let (filter, delete) =
            (named(Context::Main, "filter").unwrap(), named(Context::Menu, "delete-forward").unwrap());
        let text = "{filter} types, {list:delete-forward} frees, {sort} sorts";
        assert_eq!(Keys::default().spell(text), "/ types, Delete frees, s sorts");
        let keys = Keys::changed(&[(filter, vec![]), (delete, vec![Key::named("ctrl-x").unwrap()])]).unwrap();
        assert_eq!(keys.spell(text), ":filter types, Ctrl-X frees, s sorts");
        assert_eq!(keys.spell("a { b } c {"), "a : b  c {");
    }

    #[test]
    fn unbound_keys_type_only_where_there_is_text() {
        let (keys, unbound) = (Keys::default(), Key::sequence("Q")[0]);
        assert_eq!(keys.resolve(Context::Main, unbound), None);
        assert_eq!(keys.resolve(Context::Prompt, unbound), Some(Action::Insert('Q')));
        assert_eq!(keys.resolve(Context::Prompt, Key::named("ctrl-q").unwrap()), None);
    }

    #[test]
    fn keys_of_the_user_take_the_place_of_the_usual_ones() {
        let (freeze, quit) = (named(Context::Main, "freeze").unwrap(), named(Context::Main, "quit").unwrap());
        let key = |name| Key::named(name).unwrap();
        let keys = Keys::changed(&[(freeze, vec![key("q"), key("f12")]), (quit, vec![key("ctrl-q")])]).unwrap();
        assert_eq!(keys.resolve(Context::Main, key("q")), Some(Action::Freeze));
        assert_eq!(keys.resolve(Context::Main, key("space")), None);
        assert_eq!(keys.hint(Context::Main, Action::Quit), "Ctrl-Q");
        let conflict = Keys::changed(&[(freeze, vec![key("q")])]).unwrap_err();
        assert_eq!((conflict.key, conflict.actions), (key("q"), [Action::Quit, Action::Freeze]));
        assert!(Keys::changed(&[(freeze, vec![])]).unwrap().hint(Context::Main, Action::Freeze).is_empty());
    }
}
