//! Digits to numbers without a loop: eight bytes are one word.

use super::marks::dots;

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The number in the `length` bytes before `end`, up to sixteen digits, spelled without leading zeros.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call costs a third of what it does")]
pub(super) fn number(bytes: &[u8], end: usize, length: usize) -> Option<u64> {
    if length > 1 && bytes[end - length] == b'0' {
        return None;
    }
    let Some(window) = bytes.get(end.wrapping_sub(16)..end).and_then(<[u8]>::as_array::<16>) else {
        return near_the_beginning(&bytes[end - length..end]);
    };
    let window = u128::from_le_bytes(*window);
    #[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
    let (high, low) = (window as u64, (window >> 64) as u64);
    if length <= 8 {
        return eight(low, length);
    }
    if length > 16 {
        return None;
    }
    Some(eight(high, length - 8)? * 100_000_000 + eight(low, 8)?)
}

/// As [`number`], where there are too few bytes before to look back.
#[cold]
fn near_the_beginning(token: &[u8]) -> Option<u64> {
    token.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number * 10 + u64::from(digit))
    })
}

/// The number in the last `length` (1 to 8) bytes of `word`, the most significant digit lowest.
#[inline]
fn eight(word: u64, length: usize) -> Option<u64> {
    let kept = !0 << (64 - 8 * length);
    let values = (word ^ (EACH * u64::from(b'0'))) & kept;
    if (values.wrapping_add(0x76 * EACH) | values) & HIGH != 0 {
        return None;
    }
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    Some(low.wrapping_add(high) >> 32)
}

/// The address in `length` bytes from `at`: a dotted quad without leading zeros. `None` also where there is no room around it to look at.
#[inline]
pub(super) fn ipv4(bytes: &[u8], at: usize, length: usize) -> Option<u32> {
    if !(7..=15).contains(&length) {
        return None;
    }
    let mut dots = dots(bytes.get(at..at + 16)?.as_array::<16>()?) & ((1 << length) - 1);
    let mut next = || {
        let place = dots.trailing_zeros() as usize;
        dots &= dots.wrapping_sub(1);
        place
    };
    let (first, second, third) = (next(), next(), next());
    if dots != 0 || third > length {
        return None;
    }
    let (mut lengths, mut not_digits, mut most, mut zeros) = (0, 0, 0, 0);
    let mut addr = 0;
    let mut begin = at;
    for end in [first, second, third, length] {
        let end = at + end;
        let digits = end - begin;
        let word = u32::from_le_bytes(*bytes.get(end.wrapping_sub(4)..end)?.as_array::<4>()?);
        lengths |= digits.wrapping_sub(1) & !3;
        let values = (word ^ 0x3030_3030) & [0, 0xFF00_0000, 0xFFFF_0000, 0xFFFF_FF00][digits & 3];
        not_digits |= values.wrapping_add(0x7676_7676) | values;
        // Hundreds, tens and ones, a byte each: they compare as the number does.
        let spelled = values.swap_bytes();
        most = most.max(spelled);
        zeros |= u32::from(spelled < [u32::MAX, 0, 0x100, 0x1_0000][digits & 3]);
        let octet = (values >> 8).wrapping_mul(0x0064_0A01) >> 16 & 0xFF;
        addr = addr << 8 | octet;
        begin = end + 1;
    }
    // Leading zeros are not how an address is rendered.
    (lengths == 0 && not_digits & 0x8080_8080 | zeros == 0 && most <= 0x0002_0505).then_some(addr)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_read_as_the_library_reads_them(before in "[ -~]{0,20}", token in prop_oneof![any::<u64>().prop_map(|n| n.to_string()), "[0-9]{1,17}", "[0-9]{0,6}[!-~][0-9]{0,9}"]) {
            let line = format!("{before}{token}");
            let plain = token.len() <= 16 && token.bytes().all(|byte| byte.is_ascii_digit()) && (token.len() == 1 || !token.starts_with('0'));
            prop_assert_eq!(number(line.as_bytes(), line.len(), token.len()), plain.then(|| token.parse().unwrap()));
        }

        #[test]
        fn addresses_are_read_as_the_library_reads_them(token in prop_oneof![
            any::<u32>().prop_map(|addr| std::net::Ipv4Addr::from(addr).to_string()),
            "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
            "[0-9.]{7,15}",
            "[0-9.:/]{7,15}",
        ]) {
            let line = format!("2 a {token} 1.2.3.4 443 1024");
            let known = token.parse::<std::net::Ipv4Addr>().ok().filter(|addr| addr.to_string() == token).map(u32::from);
            prop_assert_eq!(ipv4(line.as_bytes(), 4, token.len()), known);
        }
    }
}
