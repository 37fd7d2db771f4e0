//! What a word means that stands alone: a port, an address, an identifier, a code word, a service, a protocol, a set, a time;
//! or, failing all of these, text to look for in the line.

use super::expr::{Expr, Op, Operand, Test, Window};
use super::members::Members;
use super::sets::NamedSet;
use super::{Sets, Stage, foreign, suggest, value};
use crate::record::{Field, services};

/// Why a word means nothing: what is wrong and what to write.
#[derive(Debug, PartialEq)]
pub(super) struct Problem {
    pub message: String,
    pub hint: Option<String>,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Problem {
        Problem { message: message.into(), hint: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Problem {
        self.hint = Some(hint.into());
        self
    }
}

/// What a word means.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// A field has one of these values.
    Value(Field, Vec<Operand>),
    /// Something else.
    Expr(Expr),
    /// Nothing of its own: text to look for, and what it may have been meant for.
    Text(String, Option<&'static str>),
}

/// Fields that hold one of a few words, with the words as they are logged or computed. The first words of bare filters, too.
/// Sources: the field table of the AWS guide; for sessions, what flowtail computes.
pub(super) fn code_words(field: Field, stage: Stage) -> &'static [&'static str] {
    match (field, stage) {
        (Field::Action, Stage::Flows) => &["ACCEPT", "REJECT"],
        (Field::Action, Stage::Sessions) => &["ACCEPT", "REJECT", "MIXED"],
        (Field::LogStatus, _) => &["OK", "NODATA", "SKIPDATA"],
        (Field::FlowDirection, _) => &["ingress", "egress"],
        (Field::Type, _) => &["IPv4", "IPv6", "EFA"],
        (Field::State, _) => &["open", "half", "unanswered", "closed", "late", "evicted"],
        (Field::Nat, _) => &["inside", "outside", "shared", "masked"],
        (Field::OrientedBy, _) => {
            &["syn", "synack", "service", "learned", "time", "portclass", "lowport", "perimeter", "undecided"]
        }
        _ => &[],
    }
}

/// The fields whose code words stand for themselves. `ok` and `ipv4` do not: they mean other things to people.
const BARE_CODES: &[(Field, &[&str])] = &[
    (Field::Action, &["accept", "reject", "mixed"]),
    (Field::LogStatus, &["nodata", "skipdata"]),
    (Field::FlowDirection, &["ingress", "egress"]),
];

/// Every code word that stands for itself on rows of `stage`.
pub(super) fn bare_codes(stage: Stage) -> impl Iterator<Item = &'static str> {
    let states = if stage == Stage::Sessions { code_words(Field::State, stage) } else { &[] };
    let codes = BARE_CODES
        .iter()
        .flat_map(move |(field, words)| words.iter().filter(move |word| known_code(*field, word, stage).is_some()));
    codes.chain(states).copied()
}

/// Names that AWS gives to its own address ranges in `pkt-src-aws-service` and `pkt-dst-aws-service`. Others may come; they are compared as text.
/// Source: the field table of the AWS guide.
pub(super) const AWS_SERVICES: &[&str] = &[
    "AMAZON",
    "AMAZON_APPFLOW",
    "AMAZON_CONNECT",
    "API_GATEWAY",
    "CHIME_MEETINGS",
    "CHIME_VOICECONNECTOR",
    "CLOUD9",
    "CLOUDFRONT",
    "CODEBUILD",
    "DYNAMODB",
    "EBS",
    "EC2",
    "EC2_INSTANCE_CONNECT",
    "GLOBALACCELERATOR",
    "KINESIS_VIDEO_STREAMS",
    "ROUTE53",
    "ROUTE53_HEALTHCHECKS",
    "ROUTE53_HEALTHCHECKS_PUBLISHING",
    "ROUTE53_RESOLVER",
    "S3",
    "WORKSPACES_GATEWAYS",
];

/// Identifiers by how they begin; a longer beginning comes before one that it begins with.
pub(super) const IDS: &[(&str, Field)] = &[
    ("eni-", Field::InterfaceId),
    ("i-", Field::InstanceId),
    ("vpc-", Field::VpcId),
    ("subnet-", Field::SubnetId),
    ("nat-", Field::ResourceId),
    ("tgw-attach-", Field::TgwAttachmentId),
    ("tgw-", Field::TgwId),
];

/// Hex digits of a complete identifier. Those made before 2016 have eight, which is also a beginning of the long form.
const ID_DIGITS: usize = 17;

/// The field of an identifier such as `eni-0536faba73134a9b7` and the value to compare it with: itself where it is complete,
/// and every identifier that begins so where it is not.
pub(super) fn id(word: &str) -> Option<(Field, Operand)> {
    let (prefix, field) = IDS
        .iter()
        .find(|(prefix, _)| word.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix)))?;
    let digits = word[prefix.len()..].strip_suffix('*').unwrap_or(&word[prefix.len()..]);
    if digits.len() > ID_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let complete = digits.len() == ID_DIGITS;
    let text = &word[..prefix.len() + digits.len()];
    Some((*field, if complete { Operand::Word(text.to_owned()) } else { Operand::Glob(format!("{text}*")) }))
}

/// What `word` means on its own.
pub(super) fn meaning(word: &str, stage: Stage, sets: &Sets) -> Result<Meaning, Problem> {
    if let Some(rest) = word.strip_prefix('@').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return window(rest).map(|window| Meaning::Expr(Expr::Test(Test::During(window))));
    }
    if let Some(ago) = word.strip_prefix("@-").filter(|ago| value::duration(ago).is_some()) {
        return Err(Problem::new("A time is a time of day or a date.").hint(format!("Write `last {ago}`.")));
    }
    if word.starts_with(['$', '@']) {
        if let Some(hint) = foreign::hint(word) {
            return Err(Problem::new(format!("`{word}` means nothing here.")).hint(hint));
        }
        let set = named_set(word, sets)?;
        let field = if matches!(set.members, Members::Addrs(_)) { Field::Ip } else { Field::Port };
        return Ok(Meaning::Value(field, vec![Operand::Set(set)]));
    }
    if let Some(test) = socket(word) {
        return Ok(test);
    }
    if word.starts_with(|c: char| c.is_ascii_digit() || c == ':')
        && let Some(meaning) = number(word)
    {
        return meaning;
    }
    if let Some(range) = value::addresses(word) {
        return address(word, range);
    }
    Ok(name(word, stage))
}

/// The set called `word`.
pub(super) fn named_set(word: &str, sets: &Sets) -> Result<NamedSet, Problem> {
    sets.get(word).ok_or_else(|| {
        let problem = Problem::new(format!("There is no set `{word}`."));
        match foreign::set(word).map(str::to_owned).or_else(|| sets.near(word)) {
            Some(near) => problem.hint(format!("Did you mean `{near}`?")),
            None => problem.hint(format!("There are {}.", sets.names().collect::<Vec<_>>().join(", "))),
        }
    })
}

fn address(word: &str, range: Result<(std::net::IpAddr, std::net::IpAddr), String>) -> Result<Meaning, Problem> {
    match range {
        Ok((from, to)) => Ok(Meaning::Value(Field::Ip, vec![Operand::Addr(from, to)])),
        // tcpdump prints the port as a fifth number.
        Err(why) => match word.rsplit_once('.') {
            Some((address, port)) if address.parse::<std::net::Ipv4Addr>().is_ok() && port.parse::<u16>().is_ok() => {
                Err(Problem::new(format!("Not an address: {why}.")).hint(format!("Did you mean `{address}:{port}`?")))
            }
            _ => {
                Err(Problem::new(format!("Not an address: {why}."))
                    .hint(format!("Quote it to search for it: \"{word}\".")))
            }
        },
    }
}

/// What a word means that begins with a digit, unless it is an address or just text such as a hash.
fn number(word: &str) -> Option<Result<Meaning, Problem>> {
    let all_digits = word.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits && word.len() == 12 {
        return Some(Ok(Meaning::Value(Field::AccountId, vec![Operand::Word(word.to_owned())])));
    }
    if let Some((from, to)) = value::ports(word) {
        return Some(Ok(Meaning::Value(Field::Port, vec![Operand::Int(from, to)])));
    }
    if all_digits {
        let problem = Problem::new(format!("{word} is above 65535, so it is no port."));
        return Some(Err(problem.hint(format!("An amount needs a field: `bytes > {word}`."))));
    }
    let port_range = word.split_once('-').is_some_and(|(from, to)| {
        !from.is_empty() && !to.is_empty() && from.bytes().chain(to.bytes()).all(|byte| byte.is_ascii_digit())
    });
    if port_range {
        let problem = Problem::new(format!("`{word}` is no range of ports: it goes up, to 65535 at most."));
        return Some(Err(problem));
    }
    if value::looks_like_date(word) {
        let problem = Problem::new("A moment needs a field or an `@`.");
        return Some(Err(problem.hint(format!("Write `end >= {word}` or `@{word}`."))));
    }
    let times = word
        .split_once("..")
        .or_else(|| word.split_once('-'))
        .is_some_and(|(from, to)| value::time_of_day(from).is_some() && value::time_of_day(to).is_some());
    if times || value::time_of_day(word).is_some() {
        return Some(Err(Problem::new("A time of day needs an `@`.").hint(format!("Write `@{word}`."))));
    }
    if let Some((address, port)) = word.split_once(':')
        && address.parse::<std::net::Ipv4Addr>().is_ok()
    {
        let problem = Problem::new(format!("`{port}` is no port: expected a number from 0 to 65535 behind the colon."));
        return Some(Err(problem.hint(format!("Write `{address}` or `{address}:443`."))));
    }
    // `12e4` is rather a part of a hash.
    if !word.contains(['e', 'E', '_']) && (value::count(word).is_some() || value::duration(word).is_some()) {
        let field = if value::count(word).is_some() { "bytes" } else { "duration" };
        let problem = Problem::new("An amount needs a field.");
        // `10.0` is the beginning of an address.
        return value::addresses(word).is_none().then(|| Err(problem.hint(format!("Write `{field} > {word}`."))));
    }
    None
}

/// `10.0.0.1:443` and `[2001:db8::1]:443`, as other tools print it.
fn socket(word: &str) -> Option<Meaning> {
    let (address, port) = value::socket(word)?;
    let port = u64::from(port);
    let test = |field, value| Expr::Test(Test::Compare { field, op: Op::Eq, values: vec![value] });
    let both = [test(Field::Ip, Operand::Addr(address, address)), test(Field::Port, Operand::Int(port, port))];
    Some(Meaning::Expr(Expr::and(both)))
}

/// What a word means that is not numeric.
fn name(word: &str, stage: Stage) -> Meaning {
    let value = |field, text: &str| Meaning::Value(field, vec![Operand::Word(text.to_owned())]);
    let word = foreign::code(word).unwrap_or(word);
    for (field, words) in BARE_CODES {
        if words.iter().any(|code| code.eq_ignore_ascii_case(word))
            && let Some(code) = known_code(*field, word, stage)
        {
            return value(*field, code);
        }
    }
    if stage == Stage::Sessions
        && let Some(code) = known_code(Field::State, word, stage)
    {
        return value(Field::State, code);
    }
    // As text it would be found in "unanswered".
    if stage == Stage::Sessions && word.eq_ignore_ascii_case("answered") {
        let values = vec![Operand::Int(0, 0)];
        return Meaning::Expr(Expr::Test(Test::Compare { field: Field::RespPackets, op: Op::Gt, values }));
    }
    let family = match word.to_ascii_lowercase().as_str() {
        "ipv4" | "ip4" => Some("0.0.0.0/0"),
        "ipv6" | "ip6" => Some("::/0"),
        _ => None,
    };
    if let Some(Ok((from, to))) = family.and_then(value::addresses) {
        return Meaning::Value(Field::Ip, vec![Operand::Addr(from, to)]);
    }
    let service = foreign::service(word).unwrap_or(word);
    if let Some(service) = services::service_names().find(|known| known.eq_ignore_ascii_case(service)) {
        return value(Field::Service, service);
    }
    if let Some(aws) = AWS_SERVICES.iter().find(|aws| aws.eq_ignore_ascii_case(word)) {
        let side =
            |field| Expr::Test(Test::Compare { field, op: Op::Eq, values: vec![Operand::Word((*aws).to_owned())] });
        return Meaning::Expr(Expr::or([side(Field::PktSrcAwsService), side(Field::PktDstAwsService)]));
    }
    if let Some(number) = services::protocol_number(word).map(u64::from) {
        return Meaning::Value(Field::Protocol, vec![Operand::Int(number, number)]);
    }
    if let Some(bits) = value::flags_by_name(word) {
        let values = vec![Operand::Int(bits, bits)];
        return Meaning::Expr(Expr::Test(Test::Compare { field: Field::TcpFlags, op: Op::Like, values }));
    }
    if let Some((field, operand)) = id(word) {
        return Meaning::Value(field, vec![operand]);
    }
    if is_region(word) {
        return value(Field::Region, word);
    }
    if is_az(word) {
        return value(Field::AzId, word);
    }
    // What surrounds a text is free anyway.
    let text = word.trim_matches('*');
    Meaning::Text(if text.is_empty() { word } else { text }.to_owned(), suggest::word(word))
}

/// Whether `word` has no meaning of its own on any row, so that it would be looked for in the line.
pub(super) fn means_nothing(word: &str) -> bool {
    [Stage::Flows, Stage::Sessions].into_iter().all(|stage| matches!(name(word, stage), Meaning::Text(..)))
}

fn known_code(field: Field, word: &str, stage: Stage) -> Option<&'static str> {
    code_words(field, stage).iter().find(|code| code.eq_ignore_ascii_case(word)).copied()
}

/// `us-west-1`, `us-gov-east-1`.
fn is_region(word: &str) -> bool {
    let parts: Vec<&str> = word.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    match parts.as_slice() {
        [partition, middle @ .., number] if matches!(middle.len(), 1 | 2) => {
            partition.len() == 2
                && letters(partition)
                && middle.iter().all(letters)
                && number.len() == 1
                && number.bytes().all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    }
}

/// `use1-az1`.
fn is_az(word: &str) -> bool {
    let Some((region, zone)) = word.split_once("-az") else { return false };
    let alphanumeric = region.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (4..=6).contains(&region.len())
        && alphanumeric
        && matches!(zone.len(), 1 | 2)
        && zone.bytes().all(|byte| byte.is_ascii_digit())
}

/// The span of `10:32..10:40`, `10:32`, `2018-08-20T15:26..2018-08-20T15:27`, `2018-08-20`.
fn window(text: &str) -> Result<Window, Problem> {
    let wrong = |part: &str| {
        let problem = Problem::new(format!("`{part}` is neither a time of day nor a date and time."));
        problem.hint("For example `@10:32..10:40` or `@2018-08-20T15:26..2018-08-20T15:27` (UTC).")
    };
    // A date has minus signs of its own, a time of day has none.
    let dashed = || text.split_once('-').filter(|(from, _)| value::time_of_day(from).is_some());
    let Some((from, to)) = text.split_once("..").or_else(dashed) else {
        if let Some(second) = value::time_of_day(text) {
            let width = if text.matches(':').count() == 1 { 59 } else { 0 };
            return Ok(Window::OfDay(second, second + width));
        }
        let from = value::moment(text).map_err(|_| wrong(text))?;
        return Ok(Window::Absolute(from, from + value::precision(text) - 1));
    };
    if let (Some(from), Some(to)) = (value::time_of_day(from), value::time_of_day(to)) {
        return Ok(Window::OfDay(from, to));
    }
    let (first, last) = (value::moment(from).map_err(|_| wrong(from))?, value::moment(to).map_err(|_| wrong(to))?);
    if first > last {
        return Err(Problem::new(format!("A span begins before it ends, and {from} is after {to}.")));
    }
    Ok(Window::Absolute(first, last))
}
