//! Which key asks for which action, by where the keys go.

use super::action::{ACTIONS, Action, ActionDef, Context};
use super::key::{Code, Key};

/// The action that `key` asks for in `context`. Where there is text to edit, a key that is not bound types itself.
pub fn resolve(context: Context, key: Key) -> Option<Action> {
    let bound = bindings(context).find(|(bound, _)| *bound == key).map(|(_, def)| match (def.action, key.code) {
        (Action::Saved(_), Code::F(number)) => Action::Saved(number),
        (action, _) => action,
    });
    match context {
        Context::Main | Context::Report | Context::Timeline => bound,
        Context::Prompt | Context::Help | Context::Menu => bound.or_else(|| key.typed().map(Action::Insert)),
    }
}

/// Every key of `context` with its action.
pub fn bindings(context: Context) -> impl Iterator<Item = (Key, &'static ActionDef)> {
    ACTIONS
        .iter()
        .filter(move |def| def.context == context)
        .flat_map(|def| def.keys.iter().filter_map(move |name| Some((Key::named(name)?, def))))
}

/// The key of `action` that hints show.
pub fn hint(context: Context, action: Action) -> String {
    bindings(context).find(|(_, def)| def.action == action).map(|(key, _)| key.to_string()).unwrap_or_default()
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
        for context in
            [Context::Main, Context::Prompt, Context::Help, Context::Report, Context::Timeline, Context::Menu]
        {
            let mut seen = HashMap::new();
            for (key, def) in bindings(context) {
                let before = seen.insert(key, def.action);
                assert_eq!(before, None, "{key} is bound twice in {context:?}");
            }
        }
    }

    #[test]
    fn unbound_keys_type_only_where_there_is_text() {
        let unbound = Key::sequence("Q")[0];
        assert_eq!(resolve(Context::Main, unbound), None);
        assert_eq!(resolve(Context::Prompt, unbound), Some(Action::Insert('Q')));
        assert_eq!(resolve(Context::Prompt, Key::named("ctrl-q").unwrap()), None);
    }
}
