//! Whole columns at a time, for passes that look at one field of many rows: the codes as they are packed, the dictionaries, and what
//! is known of a column without looking at it.

use std::net::IpAddr;

use super::open::Open;
use super::packed::Packed;
use super::segment::Segment;
use crate::record::column::Held;
use crate::record::{Field, Format, Table};

/// The codes of one column; see [`crate::record::columns`] for what a code is. Rows past its end are absent.
#[derive(Clone, Copy, Debug)]
pub enum Codes<'a> {
    /// The same code in every row.
    All(u64),
    /// The same code in the first so many rows.
    First(u64, usize),
    /// Code is base plus a byte.
    U8(u64, &'a [u8]),
    /// Code is base plus two bytes.
    U16(u64, &'a [u16]),
    /// Code is base plus four bytes.
    U32(u64, &'a [u32]),
    /// Eight bytes.
    U64(&'a [u64]),
}

impl Codes<'_> {
    /// How many rows it has; those past them are absent.
    pub fn reaches(&self) -> usize {
        match self {
            Codes::All(_) => usize::MAX,
            Codes::First(_, rows) => *rows,
            Codes::U8(_, codes) => codes.len(),
            Codes::U16(_, codes) => codes.len(),
            Codes::U32(_, codes) => codes.len(),
            Codes::U64(codes) => codes.len(),
        }
    }
}

/// A table whose columns can be read whole.
pub trait Columnar: Table {
    /// The column of `field`.
    fn codes(&self, field: Field) -> Codes<'_>;

    /// No code of `field` is below the first or above the second; 0, absent, counts.
    fn bounds(&self, field: Field) -> (u64, u64);

    /// Appends to `out`, for each address of the dictionary in the order of their codes, 1 where `v4` or `v6` says yes of it, else 0.
    fn mark_addrs(&self, v4: impl Fn(u32) -> bool, v6: impl Fn(u128) -> bool, out: &mut Vec<u8>);

    /// The texts of the dictionary in the order of their codes.
    fn texts(&self) -> impl Iterator<Item = &str>;

    /// Entries of both dictionaries: what a test of an address or a text costs before the first row.
    fn entries(&self) -> usize;

    /// The format that every row is a line of, spelled as its columns are rendered; `None` where there are several formats or a line is kept as it
    /// was logged, and where nobody looked.
    fn only_format(&self) -> Option<&Format>;
}

impl Columnar for Segment {
    fn codes(&self, field: Field) -> Codes<'_> {
        match self.column(field) {
            None => Codes::All(0),
            Some(Packed::All(code)) => Codes::All(*code),
            Some(Packed::U8(base, codes)) => Codes::U8(*base, codes),
            Some(Packed::U16(base, codes)) => Codes::U16(*base, codes),
            Some(Packed::U32(base, codes)) => Codes::U32(*base, codes),
            Some(Packed::U64(codes)) => Codes::U64(codes),
        }
    }

    fn bounds(&self, field: Field) -> (u64, u64) {
        self.zone(field)
    }

    fn mark_addrs(&self, v4: impl Fn(u32) -> bool, v6: impl Fn(u128) -> bool, out: &mut Vec<u8>) {
        self.addrs().mark(v4, v6, out);
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.words().iter().map(|text| &**text)
    }

    fn entries(&self) -> usize {
        self.addrs().len() + self.words().len()
    }

    fn only_format(&self) -> Option<&Format> {
        self.one_format()
    }
}

impl Columnar for Open {
    fn codes(&self, field: Field) -> Codes<'_> {
        match self.columns()[field as usize].held() {
            Held::Same(code, rows) if code == 0 || rows == self.len() => Codes::All(code),
            Held::Same(code, rows) => Codes::First(code, rows),
            Held::Narrow(codes) => Codes::U32(0, codes),
            Held::Wide(codes) => Codes::U64(codes),
        }
    }

    fn bounds(&self, field: Field) -> (u64, u64) {
        (0, if self.columns()[field as usize].is_absent() { 0 } else { u64::MAX })
    }

    fn mark_addrs(&self, v4: impl Fn(u32) -> bool, v6: impl Fn(u128) -> bool, out: &mut Vec<u8>) {
        out.extend(self.addrs().iter().map(|address| match address {
            IpAddr::V4(address) => u8::from(v4(u32::from(*address))),
            IpAddr::V6(address) => u8::from(v6(u128::from(*address))),
        }));
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.words()
    }

    fn entries(&self) -> usize {
        self.addrs().len() + self.words().len()
    }

    fn only_format(&self) -> Option<&Format> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Batch, Decoder};
    use crate::store::Remap;

    #[test]
    fn columns_say_the_same_open_and_sealed() {
        let text = "2 1 eni-1 10.0.0.1 2001:db8::1 443 50000 6 1 40 1534778806 1534778866 ACCEPT OK\n\
                    2 1 eni-1 - - - - - - - 1534778806 1534778870 - NODATA\n";
        let columns =
            Decoder::new(None).decode(&Batch { bytes: text.into(), first_line: 1, ..Batch::default() }).columns;
        let mut open = Open::default();
        open.append(&columns, 0..columns.len(), &mut Remap::default());
        let segment = Segment::seal(&mut open.clone(), 0);
        assert_eq!(Columnar::texts(&segment).collect::<Vec<_>>(), Columnar::texts(&open).collect::<Vec<_>>());
        let marks = |table: &dyn Fn(&mut Vec<u8>)| {
            let mut out = Vec::new();
            table(&mut out);
            out
        };
        let marked = marks(&|out| open.mark_addrs(|_| true, |_| false, out));
        assert_eq!(marked, marks(&|out| segment.mark_addrs(|_| true, |_| false, out)));
        assert_eq!(marked, [1, 0]);
        assert_eq!(segment.bounds(Field::SrcPort), (0, 444));
        assert_eq!(segment.bounds(Field::End), (1_534_778_867, 1_534_778_871));
        assert_eq!(segment.bounds(Field::VpcId), (0, 0));
        assert!(matches!(segment.codes(Field::Version), Codes::All(3)));
        assert!(matches!(open.codes(Field::VpcId), Codes::All(0)));
    }
}
