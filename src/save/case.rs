//! The page of a case: what was looked at, what was found, what is missing, and how another person gets the same.

use std::fmt::Write as _;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::Written;
use crate::app::marks::Mark;
use crate::app::takeaway::Order;
use crate::detect::Level;
use crate::engine::pinned::{Original, Pinned, Progress, Selection};
use crate::engine::view::Tab;
use crate::enrich::Known;
use crate::export::clean;
use crate::filter::{Filter, Stage};
use crate::record::format::Slot;
use crate::record::services::protocol_name;
use crate::record::{Cell, Field, Format};
use crate::ui::fmt::thousands;

/// Sessions that are listed, those with the most bytes.
const SESSIONS: usize = 100;
/// Alerts that are listed.
const ALERTS: usize = 200;
/// Addresses and interfaces of which it is told who they are.
const WHO: usize = 400;

/// The page. `attached` holds the records.
pub(super) fn page(pinned: &Pinned, order: &Order, attached: &Written, progress: &Progress) -> io::Result<String> {
    let mut out = String::new();
    let status = &pinned.status;
    let mut line = |text: &str| {
        out.push_str(text);
        out.push('\n');
    };
    line(&format!("# Case: {}\n", inline(&status.source)));
    let version = env!("CARGO_PKG_VERSION");
    line(&format!("Written {} UTC by flowtail {version}. All times are UTC.\n", time(order.now.div_euclid(1000))));

    line("## In short\n");
    in_short(pinned, order, attached, &mut line);

    line("\n## What was looked at\n");
    let mut fact = |name: &str, is: &str| line(&format!("- {name}: {is}"));
    fact("Source", &inline(&status.source));
    if let Some(region) = &status.region {
        fact("Region", &inline(region));
    }
    if !status.interfaces.is_empty() {
        fact("Interfaces asked for", &inline(&status.interfaces.join(", ")));
    }
    for format in &status.formats {
        fact("Format", &code(&spelled(format)));
    }
    if let Some((first, last)) = status.span {
        fact("Records held", &format!("{}, from {} to {}", status.held, time(first), time(last)));
    }
    fact(
        "Table",
        match order.selection.tab {
            Tab::Flows => "flow records",
            Tab::Sessions => "sessions",
            Tab::Alerts => "alerts",
        },
    );
    fact("Filter", &order.filter.as_deref().map_or_else(|| "none".to_owned(), code));
    if let Some((from, to)) = order.selection.window {
        fact("Time range", &format!("{} to {}, both included", time(from), time(to)));
    }
    if let Some((at, note)) = &order.change {
        fact("Change marked", &format!("{} {}", time(*at), inline(note)));
    }
    if !order.way.is_empty() {
        let steps: Vec<String> = order.way.iter().map(|step| code(step)).collect();
        fact("Steps", &steps.join(", then "));
    }

    line("\n## What is missing\n");
    let mut missing = missing(pinned);
    if missing.is_empty() {
        missing.push("nothing that is known of".to_owned());
    }
    for what in &missing {
        line(&format!("- {what}"));
    }

    line("\n## Alerts\n");
    alerts(pinned, &order.known, &mut line);

    let (sessions, count) = match sessions_meant(order) {
        Some(wanted) => pinned.top_sessions(&wanted, SESSIONS, progress)?,
        None => (Vec::new(), 0),
    };
    if count > 0 {
        let listed = if count > sessions.len() as u64 {
            format!("{} in all; the {} with the most bytes:", thousands(count), sessions.len())
        } else {
            format!("{} in all, those with the most bytes first.", thousands(count))
        };
        line(&format!("\n## Sessions\n\n{listed}"));
        line(
            "\n| first | last | initiator | responder | protocol | bytes there | bytes back | ratio | state | action | by |",
        );
        line("|---|---|---|---|---|---|---|---|---|---|---|");
        for session in &sessions {
            line(&session_row(session));
        }
    }

    who(pinned, order, &sessions, &mut line);

    marks(order, &mut line);

    line("\n## Records\n");
    let name = attached.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    line(&format!("{}, {} lines as they were logged, {} bytes.", code(&name), attached.rows, attached.bytes));
    line("They hold no secrets of AWS, but they say who talked to whom.\n");
    line(&format!("```\nprintf '%s  %s\\n' {} {} | sha256sum -c\n```\n", attached.sha256, shell(&name)));
    line("## To look at it again\n");
    line(&format!("```\n{}\n```", again(pinned, order, &name)));
    if status.formats.len() > 1 {
        line("\nThe records are of several formats; flowtail tells them apart line by line.");
    }
    Ok(out)
}

/// What whoever takes over reads first: what is wrong, what somebody noted, how much is attached.
fn in_short(pinned: &Pinned, order: &Order, attached: &Written, line: &mut dyn FnMut(&str)) {
    let levels = [Level::Critical, Level::High, Level::Medium, Level::Low, Level::Informational];
    let counts = levels.map(|level| (level, pinned.alerts.iter().filter(|alert| alert.level == level).count()));
    let told: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(level, count)| format!("{count} {level}")).collect();
    if told.is_empty() {
        line("- No alert.");
    } else {
        line(&format!("- Alerts: {}.", told.join(", ")));
    }
    let worst = pinned.alerts.iter().max_by_key(|alert| (alert.level, std::cmp::Reverse(alert.time)));
    if let Some(worst) = worst {
        line(&format!("- The worst: {}, {}: {}", time(worst.first), inline(&worst.title), inline(&worst.message)));
    }
    for mark in order.marks.iter().filter(|mark| !mark.note.is_empty()) {
        line(&format!("- Noted: {} ({})", inline(&mark.note), inline(&mark.says(true))));
    }
    if let Some((at, note)) = &order.change {
        line(&format!("- Changed: {} {}", time(*at), inline(note)));
    }
    let records = counted(attached.rows, "record");
    let what = order.filter.as_deref().map_or_else(String::new, |filter| format!(" that {} selects", code(filter)));
    line(&format!("- Attached: {records}{what}."));
}

/// The sessions to list: those of the view, or those that its filter of records selects where it is one for sessions too.
fn sessions_meant(order: &Order) -> Option<Selection> {
    let wanted = &order.selection;
    match wanted.tab {
        Tab::Sessions => Some(wanted.clone()),
        Tab::Alerts => None,
        Tab::Flows => {
            let filter = Filter::parse(order.filter.as_deref()?, Stage::Sessions).ok()?;
            let means_the_same = filter.warnings().is_empty();
            let filter = Some(Arc::new(filter));
            means_the_same.then(|| Selection { tab: Tab::Sessions, filter, ..wanted.clone() })
        }
    }
}

/// A number with its noun.
fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(count), if count == 1 { "" } else { "s" })
}

/// What was measured: whole, or with two places.
fn amount(number: f64) -> String {
    let text = format!("{number:.2}");
    let (whole, rest) = text.split_once('.').unwrap_or((&text, ""));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), thousands);
    if rest.is_empty() || rest == "00" { whole } else { format!("{whole}.{rest}") }
}

/// What somebody marked, with what was noted and the row itself.
fn marks(order: &Order, line: &mut dyn FnMut(&str)) {
    line("\n## Marks and notes\n");
    if order.marks.is_empty() {
        line("none");
    }
    for (place, mark) in order.marks.iter().enumerate() {
        line(&format!("{}. {}", place + 1, inline(&mark.says(true))));
        if !mark.note.is_empty() {
            line(&format!("   - note: {}", inline(&mark.note)));
        }
        match mark.copy.as_ref().map(|copy| &copy.original) {
            Some(Original::Line(_, text)) => line(&format!("   - line: {}", code(text))),
            Some(Original::Session(object)) => {
                line(&format!("   - session: {}", code(&clean::json(Json::Object(object.clone()).to_string()))));
            }
            Some(Original::Alert(alert)) => line(&format!("   - evidence: {}", code(&alert.filter))),
            None => {}
        }
    }
}

/// What is not in the records, one sentence each.
fn missing(pinned: &Pinned) -> Vec<String> {
    let status = &pinned.status;
    let mut all = Vec::new();
    if let Some(complete) = status.state.complete_to {
        all.push(format!("likely complete to {}; what came later may not have been delivered yet", time(complete)));
    }
    for gap in &status.gaps {
        all.push(format!("{} to {} could not be read: {}", time(gap.from), time(gap.to), inline(&gap.why)));
    }
    if let Some(fetch) = &status.fetch {
        all.push(format!("only what was fetched is there: {}", inline(&fetch.summary())));
    }
    let losses = [
        (status.skipdata, "SKIPDATA records: AWS lost records there"),
        (status.unparsed, "lines did not parse and are not among the records"),
        (status.evicted, "records were evicted to stay within the memory, the oldest first"),
        (status.sessions_evicted, "sessions were evicted before they were final"),
        (status.late, "records came too late for the rules"),
    ];
    all.extend(
        losses.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", thousands(count))),
    );
    all
}

fn alerts(pinned: &Pinned, known: &Known, line: &mut dyn FnMut(&str)) {
    if pinned.alerts.is_empty() {
        return line("none");
    }
    let mut alerts = pinned.alerts.clone();
    alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.level), alert.time));
    if alerts.len() > ALERTS {
        line(&format!("{} in all; the {ALERTS} worst:\n", alerts.len()));
    }
    for alert in alerts.iter().take(ALERTS) {
        let state = if alert.closed { "closed" } else { "open" };
        let technique =
            if alert.technique.is_empty() { String::new() } else { format!(", {}", inline(&alert.technique)) };
        line(&format!(
            "- **{} {}** ({state}{technique}): {}",
            alert.level,
            inline(&alert.rule),
            inline(&alert.message)
        ));
        line(&format!("  - when: {} to {}, {}", time(alert.first), time(alert.last), counted(alert.count, "record")));
        if !alert.meaning.is_empty() {
            let meaning = alert.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
            line(&format!("  - means: {}", inline(&meaning)));
        }
        let named: Vec<String> = addresses_of(&alert.group)
            .filter_map(|address| known.address(address).map(|name| format!("{address} {}", inline(name))))
            .collect();
        if !named.is_empty() {
            line(&format!("  - names: {}", named.join(", ")));
        }
        let measured = alert.measured.iter().map(|(name, is)| {
            let limit = alert
                .threshold
                .iter()
                .find(|(other, _)| other == name)
                .map(|(_, limit)| format!(" (threshold {})", amount(*limit)));
            format!("{} {}{}", inline(name), amount(*is), limit.unwrap_or_default())
        });
        line(&format!("  - measured: {}", measured.collect::<Vec<_>>().join(", ")));
        line(&format!("  - evidence: {}", code(&alert.filter)));
        for other in alert.false_positives.iter() {
            line(&format!("  - could be: {}", inline(other)));
        }
    }
}

/// Who those are that the case tells of, as far as something beside the log says so, and what says so.
fn who(pinned: &Pinned, order: &Order, sessions: &[Map<String, Json>], line: &mut dyn FnMut(&str)) {
    let known = &order.known;
    if known.is_nothing() {
        return;
    }
    let mut addresses: Vec<IpAddr> = pinned.alerts.iter().flat_map(|alert| addresses_of(&alert.group)).collect();
    let ends = sessions.iter().flat_map(|session| ["client", "server"].map(|end| session.get(end)));
    addresses.extend(ends.flatten().filter_map(Json::as_str).filter_map(|text| text.parse::<IpAddr>().ok()));
    addresses.extend(order.marks.iter().flat_map(Mark::addresses));
    addresses.sort_unstable();
    addresses.dedup();
    let mut interfaces: Vec<&str> = pinned.status.interfaces.iter().map(|id| &**id).collect();
    interfaces.extend(pinned.alerts.iter().flat_map(|alert| alert.group.iter()).filter_map(
        |(field, cell)| match cell {
            Cell::Text(id) if *field == Field::InterfaceId => Some(&**id),
            _ => None,
        },
    ));
    interfaces.extend(
        sessions
            .iter()
            .filter_map(|session| session.get("interfaces").and_then(Json::as_array))
            .flatten()
            .filter_map(Json::as_str),
    );
    interfaces.sort_unstable();
    interfaces.dedup();
    let about = interfaces.into_iter().map(|id| (id.to_owned(), known.about_interface(id)));
    let about = about.chain(addresses.into_iter().map(|address| (address.to_string(), known.about(address))));
    let about: Vec<_> = about.filter(|(_, said)| !said.is_empty()).take(WHO).collect();
    if about.is_empty() {
        return;
    }
    line("\n## Who is who\n");
    line("Not out of the log, but out of:\n");
    for (source, has) in known.sources() {
        line(&format!("- {source}: {}", inline(&has)));
    }
    line("\n| who | by | is |\n|---|---|---|");
    for (id, said) in &about {
        for (source, is) in said {
            line(&format!("| {} | {source} | {} |", inline(id), inline(is)));
        }
    }
}

fn addresses_of(group: &[(Field, Cell)]) -> impl Iterator<Item = IpAddr> {
    group.iter().filter_map(|(_, cell)| match cell {
        Cell::Addr(address) => Some(*address),
        _ => None,
    })
}

fn session_row(session: &Map<String, Json>) -> String {
    let text = |key: &str| match session.get(key) {
        Some(Json::String(text)) => inline(text),
        Some(Json::Null) | None => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let at = |key: &str| session.get(key).and_then(Json::as_i64).map_or_else(|| "-".to_owned(), time);
    let end = |address: &str, port: &str| format!("{} {}", text(address), text(port));
    let ratio = session.get("byte_ratio").and_then(Json::as_f64).map_or_else(|| "-".to_owned(), amount);
    let number = |key: &str| session.get(key).and_then(Json::as_u64).map_or_else(|| "-".to_owned(), thousands);
    let protocol = session.get("protocol").and_then(Json::as_u64).and_then(|number| u8::try_from(number).ok());
    let protocol = protocol.and_then(protocol_name).map_or_else(|| text("protocol"), str::to_owned);
    let cells = [
        at("first"),
        at("last"),
        end("client", "client_port"),
        end("server", "server_port"),
        protocol,
        number("req_bytes"),
        number("resp_bytes"),
        ratio,
        text("state"),
        text("action"),
        text("oriented_by"),
    ];
    format!("| {} |", cells.join(" | "))
}

/// The command that shows the records again.
fn again(pinned: &Pinned, order: &Order, name: &str) -> String {
    let mut command = format!("flowtail open {}", shell(name));
    if let [only] = &pinned.status.formats[..] {
        let _ = write!(command, " --format {}", shell(&spelled(only)));
    }
    if let Some(region) = &pinned.status.region {
        let _ = write!(command, " --region {}", shell(region));
    }
    if let Some(filter) = order.filter.as_deref().filter(|_| order.selection.tab != Tab::Alerts) {
        let _ = write!(command, " --filter {}", shell(filter));
    }
    if let Some((at, note)) = &order.change {
        let _ = write!(command, " --change {}", shell(format!("{} {note}", time(*at)).trim_end()));
    }
    if order.selection.tab == Tab::Sessions {
        let _ = write!(command, "   # then 2 for the sessions");
    }
    command
}

/// The fields of a line, as `--format` takes them.
fn spelled(format: &Format) -> String {
    let names = format.slots().iter().map(|slot| match slot {
        Slot::Field(field) => field.name(),
        Slot::Unknown(name) => name,
    });
    names.collect::<Vec<_>>().join(" ")
}

/// A time as people and `date` read it.
fn time(unix: i64) -> String {
    jiff::Timestamp::from_second(unix)
        .map_or_else(|_| unix.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// Text of a log or of the user inside a line of Markdown: nothing in it is markup.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for c in clean::for_terminal(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~' | '&' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Text as code inside a line of Markdown: fenced by more backticks than stand in it side by side.
fn code(text: &str) -> String {
    let text = clean::for_terminal(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A word of a POSIX shell.
fn shell(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !clean::is_hostile(*c)).collect();
    if !clean.is_empty()
        && clean.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:".contains(c))
        && !clean.starts_with('-')
    {
        return clean;
    }
    format!("'{}'", clean.replace('\'', "'\\''"))
}
