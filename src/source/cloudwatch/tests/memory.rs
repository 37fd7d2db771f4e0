//! What the tail remembers is bounded, whatever passes through it. `examples/tail_memory.rs` measures the process.

use super::super::group::{Group, Next};
use super::super::plan::{Plan, SLICE};
use super::super::seen::{Seen, Swept};
use super::*;

#[test]
fn an_id_takes_between_ten_and_twenty_one_bytes() {
    let mut seen = Seen::default();
    let mut most = 0;
    for number in 1..=2_000_000_u64 {
        seen.sweep(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), None);
        if number >= 1_000_000 && number % 1000 == 0 {
            let each = seen.bytes() * 10 / seen.len();
            assert!((100..=210).contains(&each), "{each} tenths of a byte at {number}");
            most = most.max(each);
        }
    }
    assert!(most > 190, "the table has doubled in between: {most}");
}

/// A group of `rate` events a minute from `from` on, all delivered at once, in pages of `page`; `rates` may change with the minute.
fn read_all(group: &mut Group, now: i64, page: u64, rate: impl Fn(i64) -> u64, peak: &mut (usize, usize)) -> u64 {
    let mut new = 0;
    while group.prepare(now, None).is_ok() {
        let Some(Next::Page(_, (from, to), token)) = group.next(now) else { panic!("no page is asked for") };
        let span = group.span().unwrap();
        // A token is the number of events before its page.
        let skip: u64 = token.map_or(0, |token| token.parse().unwrap());
        let mut timestamps = Vec::new();
        let (mut before, mut more) = (0, false);
        for minute in from / SLICE..=to / SLICE {
            let count = rate(minute);
            for number in 0..count {
                let at = before + number;
                if at >= skip + page {
                    more = true;
                    break;
                }
                if at >= skip {
                    let timestamp = minute * SLICE + i64::try_from(number * 60_000 / count).unwrap();
                    let id = (minute.cast_unsigned() << 20 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    let seen = group.plan.seen(&span, timestamp).expect("it is in the range");
                    new += u64::from(seen.sweep(id, None) == Swept::New);
                    timestamps.push(timestamp);
                }
            }
            before += count;
            if more {
                break;
            }
        }
        let (ids, bytes) = group.plan.remembered();
        *peak = (peak.0.max(ids), peak.1.max(bytes));
        let token = more.then(|| (skip + page).to_string());
        group.page_read(&timestamps, timestamps.len(), token).unwrap();
    }
    new
}

fn group(plan: Plan) -> Group {
    let config = TailConfig { groups: vec!["g".into()], ..TailConfig::default() };
    Group::new(check(&config).unwrap().groups.remove(0), &[], plan, 1)
}

#[test]
fn what_is_remembered_depends_on_look_back_and_not_on_how_much_came() {
    let (rate, lookback) = (5000, 8);
    let begin = BEGIN / SLICE;
    let mut group = group(Plan::new(begin * SLICE, 0, lookback * SLICE, 1, 4.0, 3_000_000));
    let mut peaks = Vec::new();
    let (mut came, mut peak) = (0, (0, 0));
    for minute in begin..begin + 200 {
        // Each minute is there when it is over.
        let now = (minute + 1) * SLICE - 1;
        assert_eq!(group.plan.observe(now), []);
        came +=
            read_all(&mut group, now, 10_000, |at| if (begin..=minute).contains(&at) { rate } else { 0 }, &mut peak);
        if (minute - begin) % 50 == 49 {
            peaks.push(std::mem::take(&mut peak));
        }
    }
    assert_eq!(came, 200 * rate);
    // Look-back, the minute that is not over and the one that is read for the last time.
    assert!(peaks.iter().all(|(ids, _)| *ids as u64 <= (lookback.unsigned_abs() + 2) * rate), "{peaks:?}");
    assert!(peaks.iter().all(|peak| *peak == peaks[0]), "{peaks:?}");
    assert!(peaks[0].1 <= peaks[0].0 * 21, "{peaks:?}");
}

#[test]
fn a_backlog_that_is_quiet_and_then_busy_is_read_in_parts() {
    let (begin, page) = (BEGIN / SLICE, 10_000);
    // Twenty quiet hours, and before them one of six pages a minute.
    let rate = |at: i64| match begin - at {
        31..1230 => 1,
        1230..1290 => 60_000,
        _ => 0,
    };
    let mut group = group(Plan::new(begin * SLICE, 24 * HOUR, 30 * MINUTE, 1, 4.0, 3_000_000));
    let mut peak = (0, 0);
    let new = read_all(&mut group, begin * SLICE, page, rate, &mut peak);
    assert_eq!(new, (begin - 1440..begin).map(rate).sum::<u64>());
    // What one read may bring, each time that ranges have grown again over quiet hours; all of it would be 3.6 million.
    assert!(peak.0 < 1_500_000, "{peak:?}");
    assert_eq!(group.plan.remembered().0, 0, "what is read once is forgotten when it is read");
}
