//! Values as people write them: numbers with units, lengths of time, moments, addresses and their ranges, TCP flags.
//! Each function reads one spelling and says `None`, or why not, so that the checker can put the place and the field to it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use jiff::civil::{Date, DateTime, Time};
use jiff::{Timestamp, tz::Offset};

/// Numbers above this are milliseconds, not seconds: it is the year 5138.
const LEAST_MILLIS: u64 = 100_000_000_000;

/// TCP flags by bit. Source: RFC 9293 and, for ECE and CWR, RFC 3168.
const FLAGS: &[(u64, &str)] =
    &[(1, "fin"), (2, "syn"), (4, "rst"), (8, "psh"), (16, "ack"), (32, "urg"), (64, "ece"), (128, "cwr")];

/// Multiples of a count, longest first where one ends like another. Case does not matter; a `B` may follow.
pub(super) const COUNT_UNITS: &[(&str, u64)] = &[
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
];

/// Other spellings of [`TIME_UNITS`], each before those that it begins with.
const TIME_WORDS: &[(&str, u64)] = &[
    ("weeks", 604_800),
    ("week", 604_800),
    ("days", 86_400),
    ("day", 86_400),
    ("hours", 3_600),
    ("hour", 3_600),
    ("hrs", 3_600),
    ("hr", 3_600),
    ("minutes", 60),
    ("minute", 60),
    ("mins", 60),
    ("min", 60),
    ("seconds", 1),
    ("second", 1),
    ("secs", 1),
    ("sec", 1),
];

/// Whether `unit` is one of a length of time.
pub(super) fn is_time_unit(unit: &str) -> bool {
    TIME_WORDS.iter().chain(TIME_UNITS).any(|(name, _)| name.eq_ignore_ascii_case(unit))
}

/// Whether `unit` is a multiple of a count.
pub(super) fn is_count_unit(unit: &str) -> bool {
    count_unit(unit).is_some()
}

/// Units of a length of time, in seconds.
pub(super) const TIME_UNITS: &[(&str, u64)] = &[("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// The digits that `text` begins with, a decimal point and more digits allowed, and what follows.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let plain = number.starts_with(|c: char| c.is_ascii_digit())
        && number.ends_with(|c: char| c.is_ascii_digit())
        && number.bytes().filter(|byte| *byte == b'.').count() <= 1;
    plain.then_some((number, unit))
}

/// `number` times `unit`, where that is whole and fits.
fn times(number: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        return Some(whole);
    }
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(u128::from(unit))?;
    if part % scale != 0 {
        return None;
    }
    whole.checked_add(u64::try_from(part / scale).ok()?)
}

/// The multiple that `unit` stands for, such as `k`, `MB` or `gib`.
fn count_unit(unit: &str) -> Option<u64> {
    let is_byte = |byte: &u8| byte.eq_ignore_ascii_case(&b'b');
    let unit = if unit.as_bytes().last().is_some_and(is_byte) { &unit[..unit.len() - 1] } else { unit };
    if unit.is_empty() {
        return Some(1);
    }
    COUNT_UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).map(|(_, multiple)| *multiple)
}

/// A whole amount: `1000`, `1_000`, `1e6`, `1k`, `1.5MB`, `1GiB`.
pub(super) fn count(text: &str) -> Option<u64> {
    if let Some((digits, exponent)) = text.split_once(['e', 'E']) {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let power = 10_u64.checked_pow(exponent.parse().ok().filter(|_| plain(digits) && plain(exponent))?)?;
        return digits.parse::<u64>().ok()?.checked_mul(power);
    }
    if let Some((whole, rest)) = text.split_once('_') {
        // Only between digits, three by three.
        let groups = || rest.split('_');
        let plain = (1..=3).contains(&whole.len())
            && groups().all(|group| group.len() == 3)
            && whole.bytes().chain(groups().flat_map(str::bytes)).all(|byte| byte.is_ascii_digit());
        return text.replace('_', "").parse().ok().filter(|_| plain);
    }
    let (number, unit) = split_number(text)?;
    times(number, count_unit(unit)?)
}

/// A quotient: `100`, `1026.5`, `1k`, `40x`.
pub(super) fn ratio(text: &str) -> Option<f64> {
    let (number, unit) = split_number(text)?;
    let multiple = if unit.eq_ignore_ascii_case("x") { 1 } else { count_unit(unit)? };
    #[expect(clippy::cast_precision_loss, reason = "multiples are far below 2^53")]
    let value = number.parse::<f64>().ok()? * multiple as f64;
    value.is_finite().then_some(value)
}

/// A length of time in seconds: `90`, `30s`, `5m`, `1h30m`, `1.5h`.
pub(super) fn duration(text: &str) -> Option<u64> {
    let (number, unit) = split_number(text)?;
    if unit.is_empty() {
        return number.parse().ok();
    }
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = split_number(rest)?;
        let (name, seconds) = TIME_WORDS
            .iter()
            .chain(TIME_UNITS)
            .find(|(name, _)| after.get(..name.len()).is_some_and(|unit| unit.eq_ignore_ascii_case(name)))?;
        total = total.checked_add(times(number, *seconds)?)?;
        rest = &after[name.len()..];
    }
    Some(total)
}

/// The flags of `syn`, `syn-ack`, `synack`, `fin+ack` and the like, or of letters as tools of packets print them: `S`, `SA`, `S.`.
pub(super) fn flags(text: &str) -> Option<u64> {
    let letter = |letter: char| match letter.to_ascii_uppercase() {
        'F' => Some(1),
        'S' => Some(2),
        'R' => Some(4),
        'P' => Some(8),
        'A' | '.' => Some(16),
        'U' => Some(32),
        _ => None,
    };
    let letters = || text.chars().try_fold(0, |mask, c| Some(mask | letter(c)?)).filter(|mask| *mask > 0);
    flags_by_name(text).or_else(letters)
}

/// The flags that `text` names in full.
pub(super) fn flags_by_name(text: &str) -> Option<u64> {
    let letters: Vec<u8> =
        text.bytes().filter(|byte| !matches!(byte, b'-' | b'+' | b'_')).map(|byte| byte.to_ascii_lowercase()).collect();
    if letters.is_empty() {
        return None;
    }
    let bit = |name: &[u8]| FLAGS.iter().find(|(_, known)| known.as_bytes() == name).map(|(bit, _)| *bit);
    letters.chunks(3).try_fold(0, |mask, name| Some(mask | bit(name)?))
}

/// Names of the flags in `mask`, in the order of the bits; `None` where it has none or others.
pub(super) fn flag_names(mask: u64) -> Option<String> {
    if mask == 0 || mask > 255 {
        return None;
    }
    let names: Vec<&str> = FLAGS.iter().filter(|(bit, _)| mask & bit != 0).map(|(_, name)| *name).collect();
    Some(names.join("+"))
}

/// Every flag's name, for completion.
pub(super) fn flag_list() -> impl Iterator<Item = &'static str> {
    FLAGS.iter().map(|(_, name)| *name)
}

/// Why a text is no moment.
#[derive(Debug, PartialEq)]
pub(super) enum NotTime {
    /// Nothing that looks like one.
    Unreadable,
    /// A number that can only be milliseconds; these are its seconds.
    Millis(u64),
}

/// A moment in Unix seconds: `1534778806`, `2018-08-20T15:26:46Z`, `2018-08-20 15:26`, `2018-08-20`. Without an offset, UTC.
pub(super) fn moment(text: &str) -> Result<u64, NotTime> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: u64 = text.parse().map_err(|_| NotTime::Unreadable)?;
        return if seconds < LEAST_MILLIS { Ok(seconds) } else { Err(NotTime::Millis(seconds / 1000)) };
    }
    let parsed = text.parse::<Timestamp>().ok().or_else(|| civil(text));
    let seconds = parsed.and_then(|timestamp| u64::try_from(timestamp.as_second()).ok());
    seconds.filter(|seconds| *seconds < LEAST_MILLIS).ok_or(NotTime::Unreadable)
}

fn civil(text: &str) -> Option<Timestamp> {
    let datetime = text.parse::<DateTime>().ok();
    let datetime = datetime.or_else(|| Some(text.parse::<Date>().ok()?.to_datetime(Time::midnight())))?;
    Offset::UTC.to_timestamp(datetime).ok()
}

/// Seconds that a moment covers as it was written: a date its day, hours and minutes their minute, anything else a second.
pub(super) fn precision(text: &str) -> u64 {
    if !looks_like_date(text) {
        return 1;
    }
    match text.len() {
        10 => 86_400,
        _ if text.as_bytes().get(16) != Some(&b':') => 60,
        _ => 1,
    }
}

/// Whether `text` begins like a date.
pub(super) fn looks_like_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && bytes[7] == b'-'
}

/// Seconds after midnight: `10:32`, `10:32:05`.
pub(super) fn time_of_day(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let mut part = |limit: u32| {
        let part = parts.next()?;
        let digits = matches!(part.len(), 1 | 2) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|value| digits && *value < limit)
    };
    let hours = part(24)?;
    let minutes = part(60)?;
    let seconds = if text.matches(':').count() == 2 { part(60)? } else { 0 };
    (text.matches(':').count() <= 2).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// A moment as people type it outside of filters, Unix seconds: `now`, what `moment` reads, and a time of day, which is the latest one that is
/// not after `now`.
pub fn typed_moment(text: &str, now: i64) -> Option<i64> {
    if text.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    if let Some(seconds) = time_of_day(text.trim_end_matches(['Z', 'z'])) {
        let today = now - now.rem_euclid(DAY) + i64::from(seconds);
        return Some(if today > now { today - DAY } else { today });
    }
    i64::try_from(moment(text).ok()?).ok()
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Why a text that looks like an address is none, in words for the user.
pub(super) type NotAddress = String;

/// The address and the port of `10.0.0.1:443` and `[2001:db8::1]:443`.
pub(super) fn socket(text: &str) -> Option<(IpAddr, u16)> {
    let socket: SocketAddr = text.parse().ok()?;
    Some((socket.ip().to_canonical(), socket.port()))
}

/// The first and last address of `10.0.0.1`, `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10/8`, `10.1.*`, `10.1.`, `10.0.0.1-10.0.0.9`, `10.0.0.1-9`,
/// `2001:db8::/32`.
/// `None` where it looks like nothing of the kind.
pub(super) fn addresses(text: &str) -> Option<Result<(IpAddr, IpAddr), NotAddress>> {
    let v6 = text.contains(':');
    let digits = text.starts_with(|c: char| c.is_ascii_digit());
    let known = |c: char| c.is_ascii_hexdigit() || ":./-*".contains(c);
    if !text.chars().all(known) || !(v6 || digits && text.contains(['.', '/'])) {
        return None;
    }
    if v6 && text.matches(':').count() < 2 {
        return None;
    }
    Some(read_addresses(text))
}

fn read_addresses(text: &str) -> Result<(IpAddr, IpAddr), NotAddress> {
    let (from, to) = if let Some((from, to)) = text.split_once("..").or_else(|| text.split_once('-')) {
        let first = single(from)?;
        (first, last_of(first, to)?)
    } else if let Some((base, prefix)) = text.split_once('/') {
        network(base, prefix)?
    } else if text.contains(':') {
        let address = single(text)?;
        (address, address)
    } else {
        partial(text)?
    };
    // An IPv4 address inside IPv6 is the IPv4 address; a range that only touches them stays as it is.
    let mapped = |address: &IpAddr| matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some());
    let (from, to) = if mapped(&from) && mapped(&to) { (from.to_canonical(), to.to_canonical()) } else { (from, to) };
    match (from, to) {
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => {
            Err("a range has ends of one address family".to_owned())
        }
        _ if from > to => Err(format!("a range begins with the lower address, and {from} is above {to}")),
        _ => Ok((from, to)),
    }
}

fn single(text: &str) -> Result<IpAddr, NotAddress> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address);
    }
    let large = text.split('.').find(|part| part.parse::<u32>().is_ok_and(|value| value > 255));
    Err(match large {
        Some(part) if !text.contains(':') => format!("{part} is above 255"),
        _ if text.contains(':') => format!("`{text}` is not an IPv6 address"),
        _ => format!("`{text}` is not an IPv4 address"),
    })
}

/// The upper end of a range from `first`: an address, or its last octet alone, as scanners write it.
fn last_of(first: IpAddr, text: &str) -> Result<IpAddr, NotAddress> {
    match (first, text.parse::<u8>()) {
        (IpAddr::V4(first), Ok(last)) if !text.starts_with('+') => {
            let [a, b, c, _] = first.octets();
            Ok(Ipv4Addr::new(a, b, c, last).into())
        }
        _ => single(text),
    }
}

/// The prefix length of `255.255.0.0`.
fn mask_length(mask: &str) -> Option<u8> {
    let mask = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    let ones = mask.leading_ones();
    u8::try_from(ones).ok().filter(|_| mask.checked_shl(ones).unwrap_or(0) == 0)
}

/// `10.0.0.0/8`, `10.0.0.0/255.0.0.0`, `10/8`.
fn network(base: &str, prefix: &str) -> Result<(IpAddr, IpAddr), NotAddress> {
    let address = if base.contains(':') { single(base)? } else { IpAddr::V4(octets(base)?.0) };
    let most = if address.is_ipv4() { 32 } else { 128 };
    let mask = || mask_length(prefix).filter(|_| address.is_ipv4());
    let length = prefix.parse::<u8>().ok().filter(|length| *length <= most && !prefix.starts_with('+')).or_else(mask);
    let length = length.ok_or_else(|| format!("a prefix length is 0 to {most}, not `{prefix}`"))?;
    let net = IpNet::new(address, length).map_err(|error| error.to_string())?;
    Ok((net.network(), net.broadcast()))
}

/// `10.0.0.1`, or a network by its first octets: `10.1`, `10.1.`, `10.1.*`, `10.1.*.*`.
fn partial(text: &str) -> Result<(IpAddr, IpAddr), NotAddress> {
    let (first, known) = octets(text)?;
    let free = 8 * (4 - known);
    let mask = u32::MAX.checked_shr(32 - free).unwrap_or(0);
    Ok((IpAddr::V4(first), IpAddr::V4(Ipv4Addr::from(u32::from(first) | mask))))
}

/// The octets that are written, the others zero, and how many are written.
fn octets(text: &str) -> Result<(Ipv4Addr, u32), NotAddress> {
    let not = || format!("`{text}` is not an IPv4 address");
    let mut octets = [0_u8; 4];
    let mut known = 0;
    let mut stars = false;
    let mut parts = text.strip_suffix('.').unwrap_or(text).split('.');
    for octet in &mut octets {
        match parts.next() {
            None => break,
            Some("*") => stars = true,
            Some(part) if !stars && !part.is_empty() && part.len() <= 3 => {
                let value: u16 = part.parse().map_err(|_| not())?;
                *octet = u8::try_from(value).map_err(|_| format!("{part} is above 255"))?;
                known += 1;
            }
            Some(_) => return Err(not()),
        }
    }
    if known == 0 || parts.next().is_some() { Err(not()) } else { Ok((Ipv4Addr::from(octets), known)) }
}

/// The network that reaches exactly from `from` to `to`, where there is one.
pub(super) fn as_network(from: IpAddr, to: IpAddr) -> Option<IpNet> {
    let length = match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => (u32::from(from) ^ u32::from(to)).leading_zeros(),
        (IpAddr::V6(from), IpAddr::V6(to)) => (u128::from(from) ^ u128::from(to)).leading_zeros(),
        _ => return None,
    };
    let net = IpNet::new(from, u8::try_from(length).ok()?).ok()?;
    (net.network() == from && net.broadcast() == to).then_some(net)
}

/// The first and last of a port or a range of ports: `443`, `8000-8100`, `8000..8100`.
pub(super) fn ports(text: &str) -> Option<(u64, u64)> {
    let (from, to) = text.split_once("..").or_else(|| text.split_once('-')).unwrap_or((text, text));
    let (from, to) = (from.parse::<u16>().ok()?, to.parse::<u16>().ok()?);
    (from <= to && !text.contains('+')).then_some((from.into(), to.into()))
}

/// The first and last IPv6 address of a prefix, for tables of facts.
pub(super) fn v6_prefix(base: Ipv6Addr, length: u32) -> (u128, u128) {
    let mask = u128::MAX.checked_shr(length).unwrap_or(0);
    (u128::from(base) & !mask, u128::from(base) | mask)
}
