//! What must hold for any input. The targets hand their bytes to these functions; `cargo test` in here does the same with the seeds.

mod envelope;
mod line;
mod sessions;

use std::sync::LazyLock;

use flowtail::filter::{Filter, Stage};
use flowtail::record::{Batch, Decoder, Format, RowRef};

pub use envelope::envelope;
pub use line::line;
pub use sessions::sessions;

/// `--format`: a text is a format or an error that can be told, and what it names, written out, is the same format. The same text as a
/// header line makes no record and loses no line.
///
/// # Panics
/// Where that does not hold.
pub fn format(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Format::parse(&text) {
        Ok(format) => {
            assert!(!format.slots().is_empty());
            for (open, close, between) in [("", "", " "), ("${", "}", ", "), ("", "", ",")] {
                let names: Vec<String> =
                    format.fields().map(|field| format!("{open}{}{close}", field.name())).collect();
                let printed = names.join(between);
                assert_eq!(Format::parse(&printed).as_ref(), Ok(&format), "{text:?} is printed as {printed:?}");
            }
            let underscored: Vec<String> = format.fields().map(|field| field.name().replace('-', "_")).collect();
            assert_eq!(Format::parse(&underscored.join(" ")).as_ref(), Ok(&format));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let tokens: Vec<&str> = text.split_whitespace().collect();
    if let Some(header) = Format::from_header(&tokens) {
        assert_eq!(header.slots().len(), tokens.len(), "a header has a place for each of its words");
        assert_eq!(header.fields().count() + header.unknown().count(), tokens.len());
        assert!(!header.label().is_empty());
    }
    line::accounted(&mut Decoder::new(None), &Batch { bytes: data.to_vec(), first_line: 1, ..Batch::default() });
}

/// A filter parses or says where it does not; what parsed means the same when it is printed and parsed again, and answers for a record.
///
/// # Panics
/// Where that does not hold.
pub fn filter(data: &[u8]) {
    static RECORD: LazyLock<flowtail::record::Columns> = LazyLock::new(|| {
        let line = "2 622676721278 eni-0536faba73134a9b7 13.125.33.130 172.16.0.178 40396 11211 17 1 50 1534778806 1534778866 ACCEPT OK";
        Decoder::new(None).decode(&Batch { bytes: line.into(), ..Batch::default() }).columns
    });
    let text = String::from_utf8_lossy(data);
    for stage in [Stage::Flows, Stage::Sessions] {
        match Filter::parse(&text, stage) {
            Err(error) => {
                assert!(text.get(error.span.clone()).is_some(), "{text:?}: {error:?} lies outside of the text")
            }
            Ok(filter) => {
                for warning in filter.warnings() {
                    assert!(text.get(warning.span.clone()).is_some(), "{text:?}: {warning:?}");
                }
                let printed = filter.to_string();
                let again = Filter::parse(&printed, stage);
                assert_eq!(
                    again.as_ref().map_err(ToString::to_string),
                    Ok(&filter),
                    "{text:?} is printed as {printed:?}"
                );
                assert_eq!(again.map(|again| again.to_string()), Ok(printed));
                filter.matches(&RowRef { table: &*RECORD, row: 0 }, 1_534_778_900);
                filter.clauses();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_seed_passes() {
        let targets: [(&str, fn(&[u8])); 5] = [
            ("line", super::line),
            ("format", super::format),
            ("envelope", super::envelope),
            ("filter", super::filter),
            ("sessions", super::sessions),
        ];
        for (name, target) in targets {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
            let mut seeds = 0;
            for seed in std::fs::read_dir(&folder).expect("seeds") {
                target(&std::fs::read(seed.expect("a seed").path()).expect("a readable seed"));
                seeds += 1;
            }
            assert!(seeds >= 5, "{name} has {seeds} seeds");
        }
    }
}
