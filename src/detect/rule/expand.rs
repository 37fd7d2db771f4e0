//! Test lines by the dozen: `10.0.0.{1..60}` in a line of a rule's test stands for sixty lines.

/// Lines that one test may come to.
const MOST: usize = 20_000;

/// Writes out every line that has ranges `{FROM..TO}`: one line for each number, all ranges of a line in step.
///
/// # Errors
/// A range that is none, ranges of one line that differ in length, too many lines: which, in words.
pub(super) fn expand(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut lines = 0;
    for line in text.lines() {
        let ranges = ranges(line)?;
        let length = ranges.first().map_or(1, |range| range.to - range.from + 1);
        if ranges.iter().any(|range| range.to - range.from + 1 != length) {
            return Err(format!("ranges of different lengths in one line: {}", line.trim()));
        }
        lines += usize::try_from(length).unwrap_or(MOST);
        if lines > MOST {
            return Err(format!("more than {MOST} lines"));
        }
        for step in 0..length {
            let mut done = 0;
            for range in &ranges {
                out.push_str(&line[done..range.at]);
                out.push_str(&(range.from + step).to_string());
                done = range.end;
            }
            out.push_str(&line[done..]);
            out.push('\n');
        }
    }
    Ok(out)
}

/// One range of a line: where it is written, and its numbers, both included.
struct Range {
    at: usize,
    end: usize,
    from: u64,
    to: u64,
}

fn ranges(line: &str) -> Result<Vec<Range>, String> {
    let mut found = Vec::new();
    let mut done = 0;
    while let Some(at) = line[done..].find('{').map(|at| done + at) {
        let wrong = || format!("expected {{FROM..TO}}, such as {{1..60}}, in: {}", line.trim());
        let end = line[at..].find('}').map(|end| at + end).ok_or_else(wrong)?;
        let (from, to) = line[at + 1..end].split_once("..").ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<u32>().map(u64::from).map_err(|_| wrong());
        let (from, to) = (number(from)?, number(to)?);
        if from > to {
            return Err(wrong());
        }
        done = end + 1;
        found.push(Range { at, end: done, from, to });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_line_go_in_step() {
        assert_eq!(expand("a {1..3} b {8..10}\nc\n"), Ok("a 1 b 8\na 2 b 9\na 3 b 10\nc\n".to_owned()));
        assert_eq!(expand(""), Ok(String::new()));
    }

    #[test]
    fn what_is_no_range_is_said() {
        for wrong in ["{1..", "{1-3}", "{3..1}", "{1..2} {1..3}", "{1..4000000000}", "{a..b}", "{..}"] {
            assert!(expand(wrong).is_err(), "{wrong}");
        }
    }
}
