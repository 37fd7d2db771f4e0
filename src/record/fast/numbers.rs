//! Digits to numbers without a loop: eight bytes are one word.

use super::marks::quad;

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
    let ([high, low], _) = window.as_chunks::<8>() else { return None };
    let low = u64::from_le_bytes(*low);
    if length <= 8 {
        return eight(low, length);
    }
    if length > 16 {
        return None;
    }
    Some(eight(u64::from_le_bytes(*high), length - 8)? * 100_000_000 + eight(low, 8)?)
}

/// Numbers of ten digits, which are mostly times: those in one place of neighbouring lines have the first eight in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// The first eight digits of the last one, as they are spelled.
    spelled: u64,
    /// That number, its last two digits 0.
    number: u64,
}

impl Times {
    /// As [`number`] of ten digits.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for number")]
    pub(super) fn number(&mut self, bytes: &[u8], end: usize) -> Option<u64> {
        let digits = bytes.get(end.wrapping_sub(10)..end)?.as_array::<10>()?;
        let spelled = u64::from_le_bytes(*digits.first_chunk::<8>()?);
        let (tens, ones) = (digits[8].wrapping_sub(b'0'), digits[9].wrapping_sub(b'0'));
        if spelled == self.spelled && tens.max(ones) <= 9 {
            return Some(self.number + u64::from(tens) * 10 + u64::from(ones));
        }
        self.other(bytes, end, spelled)
    }

    #[cold]
    fn other(&mut self, bytes: &[u8], end: usize, spelled: u64) -> Option<u64> {
        let number = number(bytes, end, 10)?;
        *self = Times { spelled, number: number - number % 100 };
        Some(number)
    }
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
    let window = bytes.get(at.wrapping_sub(4)..at + 16)?.as_array::<20>()?;
    let (dots, zeros, digits) = quad(window.last_chunk::<16>()?);
    let inside = (1 << length) - 1;
    let (mut dots, digits) = (dots & inside, digits & inside);
    let (begins, ends) = (dots << 1 | 1, dots | 1 << length);
    // Something else, an octet without digits, one of four, and a zero before another digit, which is not how an address is rendered.
    let odd = inside ^ (dots | digits)
        | begins & ends
        | digits & digits >> 1 & digits >> 2 & digits >> 3
        | begins & zeros & !(ends >> 1);
    let mut next = || {
        let place = dots.trailing_zeros() as usize;
        dots &= dots.wrapping_sub(1);
        place
    };
    let (first, second, third) = (next(), next(), next());
    if odd | dots != 0 || third >= length {
        return None;
    }
    let (mut addr, mut most, mut begin) = (0, 0, 0);
    for end in [first, second, third, length] {
        // The window begins four bytes before the address, so this is the end of the octet.
        let word = u32::from_le_bytes(*window.get(end..end + 4)?.as_array::<4>()?);
        let values = word & [0, 0x0F00_0000, 0x0F0F_0000, 0x0F0F_0F00][(end - begin) & 3];
        // Hundreds, tens and ones, a byte each: they compare as the number does.
        most = most.max(values.swap_bytes());
        addr = addr << 8 | (values >> 8).wrapping_mul(0x0064_0A01) >> 16 & 0xFF;
        begin = end + 1;
    }
    (most <= 0x0002_0505).then_some(addr)
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
        fn times_are_read_as_numbers(tokens in prop::collection::vec(prop_oneof!["17000000[0-9]{2}", "[0-9]{10}", "17000000[!-~]{2}", "0[0-9]{9}"], 1..9)) {
            let mut times = Times::default();
            for token in tokens {
                let line = format!("0123456789 {token}");
                prop_assert_eq!(times.number(line.as_bytes(), line.len()), number(line.as_bytes(), line.len(), 10));
            }
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
