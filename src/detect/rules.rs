//! The rules that are built in, and what `flowtail rules list|show|check|test` needs of them and of the user's.

use std::sync::Arc;

use super::rule::{Rule, RuleError, over, read, schema};

/// The built-in files. Their names are what an error in them is reported under; a test reads them all.
const BUILTIN: &[(&str, &str)] = &[
    ("access.toml", include_str!("rules/access.toml")),
    ("amplification.toml", include_str!("rules/amplification.toml")),
    ("baseline.toml", include_str!("rules/baseline.toml")),
    ("beacon.toml", include_str!("rules/beacon.toml")),
    ("disparity.toml", include_str!("rules/disparity.toml")),
    ("egress.toml", include_str!("rules/egress.toml")),
    ("flood.toml", include_str!("rules/flood.toml")),
    ("listed.toml", include_str!("rules/listed.toml")),
    ("log.toml", include_str!("rules/log.toml")),
    ("novelty.toml", include_str!("rules/novelty.toml")),
    ("recon.toml", include_str!("rules/recon.toml")),
    ("volume.toml", include_str!("rules/volume.toml")),
];

/// A set of rules with unique ids.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    rules: Vec<Arc<Rule>>,
}

impl Rules {
    /// The rules that are built in.
    ///
    /// # Errors
    /// Never in a program that was tested: the text is part of it. The type says so because "validated at start" includes these.
    pub fn builtin() -> Result<Rules, RuleError> {
        let mut rules = Rules::default();
        for (name, text) in BUILTIN {
            rules.merge(Rules::parse(text, name)?);
        }
        for rule in &mut rules.rules {
            Arc::make_mut(rule).origin = "built in".into();
        }
        Ok(rules)
    }

    /// Reads and checks the rules of a TOML text. `name` is the file's name, for errors.
    ///
    /// # Errors
    /// The first thing that is wrong, with rule, line and column.
    pub fn parse(text: &str, name: &str) -> Result<Rules, RuleError> {
        Ok(Rules { rules: read(text, name)?.into_iter().map(Arc::new).collect() })
    }

    /// Adds `other`. A rule of the same id takes the place of the one before, which is how a user changes or disables a built-in rule.
    pub fn merge(&mut self, other: Rules) {
        for rule in other.rules {
            match self.rules.iter_mut().find(|known| known.id == rule.id) {
                Some(known) => *known = rule,
                None => self.rules.push(rule),
            }
        }
    }

    /// Takes in a file of the user's: whole rules are added or take the place of those of the same id, and a rule that names only some keys changes
    /// those of the rule that is there. Gives the ids of the rules that it is about, without those that it only switches on or off.
    ///
    /// # Errors
    /// The first thing that is wrong, with rule, line and column; nothing is changed then.
    pub fn overlay(&mut self, text: &str, name: &str) -> Result<Vec<Arc<str>>, RuleError> {
        let said = over(&self.rules, text, name)?;
        let about = said.iter().filter(|said| !said.only_switch).map(|said| said.rule.id.clone()).collect();
        self.merge(Rules { rules: said.into_iter().map(|said| Arc::new(said.rule)).collect() });
        Ok(about)
    }

    /// Switches each rule on or off as `wanted` says (`None` leaves it as it is). One that waits for a set stays off.
    pub fn switch(&mut self, wanted: impl Fn(&Rule) -> Option<bool>) {
        for rule in &mut self.rules {
            if let Some(on) = wanted(rule).map(|on| on && rule.waits_for.is_none()).filter(|on| *on != rule.enabled) {
                Arc::make_mut(rule).enabled = on;
            }
        }
    }

    /// Leaves out every rule that is not called one of `ids`.
    pub fn keep(&mut self, ids: &[Arc<str>]) {
        self.rules.retain(|rule| ids.contains(&rule.id));
    }

    /// JSON schema of a file of rules, for editors; made from the table of keys that the reader is held to.
    pub fn schema() -> serde_json::Value {
        schema()
    }

    /// Switches the rule called `id` on, where there is one. One that waits for a set stays off.
    pub fn enable(&mut self, id: &str) {
        if let Some(rule) = self.rules.iter_mut().find(|rule| rule.id.eq_ignore_ascii_case(id)) {
            let rule = Arc::make_mut(rule);
            rule.enabled = rule.waits_for.is_none();
        }
    }

    /// Makes the rule called `id` one that its own tests can try: on, with the examples of the sets that it needs.
    pub fn try_out(&mut self, id: &str) {
        if let Some(rule) = self.rules.iter_mut().find(|rule| rule.id.eq_ignore_ascii_case(id)) {
            let rule = Arc::make_mut(rule);
            rule.enabled = true;
            if let Some(filter) = &rule.tested_filter {
                rule.filter = Some(filter.clone());
            }
        }
    }

    /// Every rule, disabled ones included, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.rules.iter()
    }

    /// The rule called `id`, in any case. Its TOML text is [`Rule::text`], its tests are [`Rule::tests`].
    pub fn get(&self, id: &str) -> Option<&Arc<Rule>> {
        self.rules.iter().find(|rule| rule.id.eq_ignore_ascii_case(id))
    }

    /// Ids in `absorbs` that no rule has: not an error, since the other rule may be in a file that is not loaded.
    pub fn unknown_absorbed(&self) -> Vec<(&Rule, &str)> {
        self.rules
            .iter()
            .flat_map(|rule| rule.absorbs.iter().map(move |id| (rule, id)))
            .filter(|(_, id)| self.rules.iter().all(|known| *known.id != ***id))
            .map(|(rule, id)| (&**rule, id.as_str()))
            .collect()
    }
}
