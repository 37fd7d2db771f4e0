//! What `--print summary` says: what was read and found, and what could not be.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::engine::Core;

/// The summary of a run that took `elapsed`. Its keys are a contract (DESIGN §9): more may come, none may go.
pub(super) fn object(core: &Core, elapsed: Duration) -> Value {
    let counts = core.counts();
    let state = core.state();
    let rules = core.rule_stats();
    let seconds = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
    let lines = counts.records
        + counts.nodata
        + counts.skipdata
        + counts.unparsed()
        + counts.headers
        + counts.outside
        + state.duplicates;
    let gaps: Vec<_> = core.gaps().iter().map(|gap| json!({"from": gap.from, "to": gap.to, "why": gap.why})).collect();
    let mut reasons: Vec<_> = counts.unparsed.iter().collect();
    reasons.sort_unstable();
    let mut object = json!({
        "lines": lines,
        "records": counts.records,
        "nodata": counts.nodata,
        "skipdata": counts.skipdata,
        "unparsed": counts.unparsed(),
        "headers": counts.headers,
        "duplicates": state.duplicates,
        "late": counts.late,
        "dropped": 0,
        "evicted": core.ring().evicted(),
        "gaps": gaps,
        "requests": state.requests,
        "events_read": state.events_read,
        "capacity": state.tail.map(|tail| tail.capacity),
        "behind_seconds": state.tail.map(|tail| tail.behind),
        "delivery_seconds": state.tail.and_then(|tail| tail.lateness),
        "last_poll": state.tail.and_then(|tail| tail.poll).map(|poll| json!({
            "requests": poll.requests, "events": poll.events, "duplicates": poll.duplicates, "minutes": poll.minutes,
        })),
        "source": state.facts.iter().map(|(name, text)| json!({"about": name, "text": text})).collect::<Vec<_>>(),
        "flows_held": core.ring().len(),
        "bytes_held": core.ring().bytes() + core.sessions().bytes(),
        "sessions": core.sessions().opened() - core.sessions().merged(),
        "alerts": counts.alerts,
        "rules": json!({
            "groups": rules.groups, "evicted_groups": rules.evicted_groups, "forgotten_sessions": rules.forgotten_sessions,
            "unremembered": rules.unremembered, "late": rules.late,
        }),
        "first": counts.span.map(|(first, _)| seconds(first)),
        "last": counts.span.map(|(_, last)| seconds(last)),
        "elapsed_seconds": (elapsed.as_secs_f64() * 1000.0).round() / 1000.0,
        "unparsed_reasons": reasons.into_iter().map(|(reason, count)| (*reason, *count)).collect::<BTreeMap<_, _>>(),
    });
    if let Some(fetch) = core.fetch() {
        object["fetch"] = json!({
            "filter": fetch.text, "pattern": fetch.pattern, "pushed": fetch.pushed, "checked": fetch.checked, "outside": counts.outside,
        });
    }
    if let Some(live) = &state.live {
        object["live"] = json!({
            "events": live.events, "paired": live.paired, "sampled": live.sampled, "repaired": live.repaired,
            "ended": live.ended, "too_old": live.too_old,
        });
    }
    object
}
