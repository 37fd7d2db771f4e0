//! Digits to numbers without a loop: eight bytes are one word.

use super::marks::quad;

const EACH: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The number in the `length` bytes before `end`, up to sixteen digits, spelled without leading zeros.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call costs a third of what it does")]
pub(super) fn number(bytes: &[u8], end: usize, length: usize) -> Option<u64> {
    let Some(window) = bytes.get(end.wrapping_sub(16)..end).and_then(<[u8]>::as_array::<16>) else {
        return near_the_beginning(bytes.get(end.checked_sub(length)?..end)?);
    };
    let ([high, low], _) = window.as_chunks::<8>() else { return None };
    let low = u64::from_le_bytes(*low);
    let (number, odd) = match length {
        1..=8 => eight(low, length),
        9..=16 => {
            let ((high, odd), (low, odder)) = (eight(u64::from_le_bytes(*high), length - 8), eight(low, 8));
            (high * 100_000_000 + low, odd | odder)
        }
        _ => return None,
    };
    // Less than that has a zero in front.
    (odd == 0 && number >= LEAST[length & 0x0F]).then_some(number)
}

/// As [`number`], for one of up to eight digits that has a space before it, if `inner` says that it must.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for number")]
pub(super) fn short(bytes: &[u8], end: usize, length: usize, inner: bool) -> Option<u64> {
    let window = bytes.get(end.wrapping_sub(16)..end)?.as_array::<16>()?;
    let (number, odd) = eight(u64::from_le_bytes(*window.last_chunk::<8>()?), length);
    let separated = window[15_usize.wrapping_sub(length) & 0x0F] == b' ' || !inner;
    #[expect(clippy::needless_bitwise_bool, reason = "what is mostly true is asked once")]
    let plain = (odd == 0) & (number >= LEAST[length & 0x0F]) & separated & (length.wrapping_sub(1) < 8);
    plain.then_some(number)
}

/// The least number of so many digits, at 0 of sixteen.
const LEAST: [u64; 16] = {
    let (mut least, mut digits, mut power) = ([0; 16], 2, 10);
    while digits <= 16 {
        least[digits & 0x0F] = power;
        (digits, power) = (digits + 1, power * 10);
    }
    least
};

/// Numbers of ten digits, which are mostly times: those in one place of neighbouring lines mostly have the first eight in common with one of
/// the last two that differed in them.
#[derive(Clone, Debug, Default)]
pub(super) struct Times {
    /// By whether the eighth digit is odd: the first eight digits, as they are spelled, and the number of which the last two are 0.
    known: [(u64, u64); 2],
}

impl Times {
    /// As [`number`] of ten digits.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for number")]
    pub(super) fn number(&mut self, bytes: &[u8], end: usize) -> Option<u64> {
        let digits = bytes.get(end.wrapping_sub(10)..end)?.as_array::<10>()?;
        let spelled = u64::from_le_bytes(*digits.first_chunk::<8>()?);
        let (tens, ones) = (digits[8].wrapping_sub(b'0'), digits[9].wrapping_sub(b'0'));
        let known = &mut self.known[usize::from(digits[7] & 1)];
        if spelled == known.0 && tens.max(ones) <= 9 {
            return Some(known.1 + u64::from(tens) * 10 + u64::from(ones));
        }
        Times::other(known, bytes, end, spelled)
    }

    #[cold]
    fn other(known: &mut (u64, u64), bytes: &[u8], end: usize, spelled: u64) -> Option<u64> {
        let number = number(bytes, end, 10)?;
        *known = (spelled, number - number % 100);
        Some(number)
    }
}

/// As [`number`], where there are too few bytes before to look back.
#[cold]
fn near_the_beginning(token: &[u8]) -> Option<u64> {
    let spelled = token.len() == 1 || token.first().is_some_and(|byte| *byte != b'0');
    let token = Some(token).filter(|_| spelled)?;
    token.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then(|| number * 10 + u64::from(digit))
    })
}

/// The number in the last `length` bytes of `word`, from 1 to 8, the most significant digit lowest, and something else than 0 where they are no digits.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as for number")]
fn eight(word: u64, length: usize) -> (u64, u64) {
    let kept = !0 << (64_usize.wrapping_sub(8 * length) & 63);
    let values = (word ^ (EACH * u64::from(b'0'))) & kept;
    let odd = (values.wrapping_add(0x76 * EACH) | values) & HIGH;
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00FF_0000_00FF).wrapping_mul(0x000F_4240_0000_0064);
    let high = ((pairs >> 16) & 0x0000_00FF_0000_00FF).wrapping_mul(0x0000_2710_0000_0001);
    (low.wrapping_add(high) >> 32, odd)
}

/// Where the digits of an octet stand in the four bytes before its end, by how many there are.
static DIGITS: [u32; 4] = [0, 0x0F00_0000, 0x0F0F_0000, 0x0F0F_0F00];

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
        let values = word & DIGITS[(end - begin) & 3];
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
