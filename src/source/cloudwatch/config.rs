//! What a tail is asked to do, and the checks that need no network.

use std::path::PathBuf;
use std::time::Duration;

use super::error::TailError;

/// What to tail.
#[derive(Clone, Debug)]
pub struct TailConfig {
    /// Log groups, by name or ARN (needed for another account's group). At least one.
    pub groups: Vec<String>,
    /// Network interfaces (`eni-…`) to restrict the tail to; empty for all streams of the groups. Each costs a request chain of its own.
    pub interfaces: Vec<String>,
    /// How far before now to begin.
    pub since: Duration,
    /// How long after its timestamp an event is still looked for. At least 1 minute.
    pub lookback: Duration,
    /// Filter pattern that is sent with every request: events that it does not let through are never read. `None` for all events.
    pub pattern: Option<String>,
    /// Whether to open live sessions beside the reads. They cost money by the minute.
    pub live: bool,
    /// End after this time. What was delivered by then is still read.
    pub run_for: Option<Duration>,
    /// Requests a second, sustained, over all groups and interfaces.
    pub max_rps: f64,
    /// Region, over what environment and profile say.
    pub region: Option<String>,
    /// Profile, over what the environment says.
    pub profile: Option<String>,
    /// Another endpoint than AWS: a local test server, a VPC endpoint.
    pub endpoint_url: Option<String>,
    /// File that takes every event as received; a new one beside it where it exists.
    pub record: Option<PathBuf>,
}

impl Default for TailConfig {
    /// The defaults of the command line: half an hour back, half an hour of look-back, one request a second.
    fn default() -> Self {
        let half_hour = Duration::from_mins(30);
        TailConfig {
            groups: Vec::new(),
            interfaces: Vec::new(),
            since: half_hour,
            lookback: half_hour,
            pattern: None,
            live: false,
            run_for: None,
            max_rps: 1.0,
            region: None,
            profile: None,
            endpoint_url: None,
            record: None,
        }
    }
}

/// A log group as it is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GroupName {
    /// Plain name, or ARN without the trailing `:*`.
    pub(super) given: String,
    /// Region out of the ARN; `None` for a plain name.
    pub(super) region: Option<String>,
}

impl GroupName {
    /// The name without what an ARN puts before it.
    pub(super) fn name(&self) -> &str {
        self.given.split_once(":log-group:").map_or(self.given.as_str(), |(_, name)| name)
    }

    /// Whether it is asked for by ARN.
    pub(super) fn is_arn(&self) -> bool {
        self.region.is_some()
    }

    fn parse(text: &str) -> Result<GroupName, TailError> {
        let bad = |why: &str| TailError::BadGroup { group: text.to_owned(), why: why.to_owned() };
        let (name, region) = if text.starts_with("arn:") {
            let parts: Vec<&str> = text.splitn(7, ':').collect();
            let [_, _, "logs", region, account, "log-group", rest] = parts[..] else {
                return Err(bad("the ARN of a log group reads arn:aws:logs:REGION:ACCOUNT:log-group:NAME"));
            };
            if region.is_empty() || account.is_empty() {
                return Err(bad("the ARN names no region or no account"));
            }
            (rest.strip_suffix(":*").unwrap_or(rest), Some(region.to_owned()))
        } else {
            (text, None)
        };
        // Length and characters as in the API reference, CreateLogGroup.
        if name.is_empty() || name.len() > 512 {
            return Err(bad("a name has 1 to 512 characters"));
        }
        if let Some(wrong) = name.chars().find(|&c| !(c.is_ascii_alphanumeric() || "_-/.#".contains(c))) {
            return Err(bad(&format!("{wrong:?} cannot be in a name; letters, digits and _ - / . # can")));
        }
        let given = if region.is_some() { text.strip_suffix(":*").unwrap_or(text) } else { text };
        Ok(GroupName { given: given.to_owned(), region })
    }
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) groups: Vec<GroupName>,
    pub(super) interfaces: Vec<String>,
    /// Region asked for, by setting or by ARN.
    pub(super) region: Option<String>,
}

/// Checks everything that can be checked without the network.
pub(super) fn check(config: &TailConfig) -> Result<Checked, TailError> {
    let mut groups: Vec<GroupName> = Vec::new();
    for text in &config.groups {
        let group = GroupName::parse(text)?;
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut region = config.region.clone().filter(|region| !region.is_empty());
    for group in &groups {
        match (&region, &group.region) {
            (Some(asked), Some(own)) if asked != own => {
                return Err(TailError::TwoRegions {
                    group: group.given.clone(),
                    own: own.clone(),
                    asked: asked.clone(),
                });
            }
            (None, Some(own)) => region = Some(own.clone()),
            _ => {}
        }
    }
    if let Some(region) = &region
        && (region.len() > 64 || !region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'))
    {
        return Err(setting("--region", format!("{region:?} is not a region; regions look like us-west-1")));
    }
    let mut interfaces: Vec<String> = Vec::new();
    for text in &config.interfaces {
        let id = text.trim().to_ascii_lowercase();
        let digits = id.strip_prefix("eni-").unwrap_or_default();
        if digits.is_empty() || digits.len() > 64 || !digits.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(TailError::BadInterface { interface: text.clone() });
        }
        if !interfaces.contains(&id) {
            interfaces.push(id);
        }
    }
    if config.live && interfaces.len() > super::live::MOST_PREFIXES {
        return Err(setting("--live", format!("one session takes at most {} interfaces", super::live::MOST_PREFIXES)));
    }
    if config.live && interfaces.is_empty() && groups.len() > super::live::MOST_GROUPS {
        return Err(setting("--live", format!("one session takes at most {} log groups", super::live::MOST_GROUPS)));
    }
    if !config.max_rps.is_finite() || config.max_rps < 0.01 || config.max_rps > 1000.0 {
        return Err(setting("--max-rps", "give requests a second between 0.01 and 1000".to_owned()));
    }
    let minute = Duration::from_mins(1);
    let fortnight = Duration::from_hours(14 * 24);
    if config.lookback < minute || config.lookback > fortnight {
        return Err(setting("--lookback", "give a time between 1m and 14d".to_owned()));
    }
    if config.since > Duration::from_hours(10 * 366 * 24) {
        return Err(setting("--since", "give at most ten years".to_owned()));
    }
    if let Some(url) = &config.endpoint_url {
        let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")).unwrap_or_default();
        if rest.is_empty() || rest.starts_with('/') || url.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(setting(
                "--endpoint-url",
                format!("{url:?} is not a URL; write http://HOST:PORT or https://HOST"),
            ));
        }
    }
    Ok(Checked { groups, interfaces, region })
}

fn setting(name: &'static str, why: String) -> TailError {
    TailError::BadSetting { name, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(groups: &[&str], interfaces: &[&str]) -> TailConfig {
        TailConfig {
            groups: groups.iter().map(ToString::to_string).collect(),
            interfaces: interfaces.iter().map(ToString::to_string).collect(),
            ..TailConfig::default()
        }
    }

    #[test]
    fn arns_lose_their_star_and_give_the_region() {
        let checked =
            check(&with(&["arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/vpc/a:*"], &[])).unwrap();
        assert_eq!(checked.groups[0].given, "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/vpc/a");
        assert_eq!(checked.groups[0].name(), "/vpc/a");
        assert_eq!(checked.region.as_deref(), Some("us-gov-west-1"));
    }

    #[test]
    fn names_and_interfaces_are_taken_once() {
        let checked = check(&with(&["/vpc/a", "/vpc/b", "/vpc/a"], &["eni-0A", " eni-0a ", "eni-0b"])).unwrap();
        assert_eq!(checked.groups.iter().map(GroupName::name).collect::<Vec<_>>(), ["/vpc/a", "/vpc/b"]);
        assert_eq!(checked.interfaces, ["eni-0a", "eni-0b"]);
        assert!(!checked.groups[0].is_arn());
    }

    #[test]
    fn what_cannot_be_a_group_is_refused() {
        let long = "x".repeat(513);
        for bad in ["", "a b", "a*", "ü", long.as_str(), "arn:aws:s3:::bucket", "arn:aws:logs::1:log-group:x"] {
            assert!(matches!(check(&with(&[bad], &[])), Err(TailError::BadGroup { .. })), "{bad:?}");
        }
    }

    #[test]
    fn what_cannot_be_an_interface_is_refused() {
        for bad in ["", "eni", "eni-", "i-0abc", "eni-0a:b", "eni-0a*", "eni-0a-all"] {
            assert!(matches!(check(&with(&["g"], &[bad])), Err(TailError::BadInterface { .. })), "{bad:?}");
        }
    }

    #[test]
    fn regions_must_agree() {
        let mut config = with(&["arn:aws:logs:eu-west-1:123456789012:log-group:x"], &[]);
        config.region = Some("us-west-1".into());
        assert!(matches!(check(&config), Err(TailError::TwoRegions { .. })));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        type Change = fn(&mut TailConfig);
        let cases: [(&str, Change); 7] = [
            ("--max-rps", |c| c.max_rps = 0.0),
            ("--max-rps", |c| c.max_rps = f64::NAN),
            ("--lookback", |c| c.lookback = Duration::from_secs(1)),
            ("--since", |c| c.since = Duration::MAX),
            ("--endpoint-url", |c| c.endpoint_url = Some("localhost:5000".into())),
            ("--endpoint-url", |c| c.endpoint_url = Some("http://".into())),
            ("--region", |c| c.region = Some("us west".into())),
        ];
        for (name, change) in cases {
            let mut config = with(&["g"], &[]);
            change(&mut config);
            let error = check(&config).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
