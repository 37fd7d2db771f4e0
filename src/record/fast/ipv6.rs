//! IPv6 addresses as they are rendered: small letters, no leading zeros, the first of the longest runs of zeros left out.

use std::net::Ipv6Addr;

/// The address that `text` spells, where it is spelled as it is rendered. `None` also for those that are rendered with an IPv4 address in them.
pub(super) fn ipv6(text: &[u8]) -> Option<Ipv6Addr> {
    let mut groups = [0_u16; 8];
    let (mut count, mut gap, mut at) = (0, None, 0);
    if text.starts_with(b"::") {
        (gap, at) = (Some(0), 2);
    }
    while at < text.len() {
        let (group, digits) = group(&text[at..])?;
        *groups.get_mut(count)? = group;
        (count, at) = (count + 1, at + digits);
        match (text.get(at), text.get(at + 1)) {
            (None, _) => {}
            (Some(b':'), Some(b':')) if gap.is_none() => (gap, at) = (Some(count), at + 2),
            (Some(b':'), Some(_)) => at += 1,
            _ => return None,
        }
    }
    let gap = match gap {
        None => (count == 8).then_some(8..8)?,
        Some(begin) => {
            let left_out = (8_usize.checked_sub(count)).filter(|groups| *groups >= 2)?;
            groups.copy_within(begin..count, begin + left_out);
            groups[begin..begin + left_out].fill(0);
            begin..begin + left_out
        }
    };
    let mapped = groups[..5] == [0; 5] && groups[5] == 0xFFFF;
    (!mapped && gap == longest_run(&groups)).then(|| Ipv6Addr::from(groups))
}

/// The number at the beginning of `text`, up to four digits, and how many they are.
fn group(text: &[u8]) -> Option<(u16, usize)> {
    let (mut number, mut digits) = (0, 0);
    for byte in text.iter().take(5) {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => break,
        };
        (number, digits) = (number << 4 | u32::from(digit), digits + 1);
    }
    // No zero in front, and no fifth digit.
    let least = *[u32::MAX, 0, 0x10, 0x100, 0x1000].get(digits)?;
    let number = u16::try_from(number).ok()?;
    (u32::from(number) >= least).then_some((number, digits))
}

/// The first of the longest runs of zeros, if it is longer than one; else an empty one behind all.
fn longest_run(groups: &[u16; 8]) -> std::ops::Range<usize> {
    let mut longest = 8..8;
    let mut begin = 0;
    for (place, group) in groups.iter().enumerate() {
        if *group != 0 {
            begin = place + 1;
        } else if place + 1 - begin > longest.len().max(1) {
            longest = begin..place + 1;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_group() -> impl Strategy<Value = u16> {
        prop_oneof![4 => Just(0), 1 => 0..256_u16, 1 => any::<u16>(), 1 => Just(0xFFFF)]
    }

    proptest! {
        #[test]
        fn what_is_rendered_is_read(groups in prop::array::uniform8(a_group())) {
            let addr = Ipv6Addr::from(groups);
            let text = addr.to_string();
            prop_assert_eq!(ipv6(text.as_bytes()), (!text.contains('.')).then_some(addr));
        }

        #[test]
        fn what_is_read_is_rendered_so(text in prop_oneof!["[0-9a-fA-F:]{0,12}", "([0-9a-f]{0,5}:{1,2}){1,8}[0-9a-f]{0,5}", "(0:|1:|::|f0:){2,9}[0-9.]{0,5}"]) {
            let known = text.parse::<Ipv6Addr>().ok().filter(|addr| addr.to_string() == text && !text.contains('.'));
            prop_assert_eq!(ipv6(text.as_bytes()), known, "{}", text);
        }
    }
}
