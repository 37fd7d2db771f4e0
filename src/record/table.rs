//! One way to read a row, whether it stands in a fresh batch, in the open segment or in a sealed one.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;

use super::field::{Field, Kind};
use super::format::{Format, Slot};
use super::places;
use super::services;
use super::tags::EventTag;
use super::value::{Row, Value};

/// Columns of codes with their dictionaries. See [`super::columns`] for what a code is.
pub trait Table {
    /// Rows.
    fn len(&self) -> usize;

    /// Whether there are no rows.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The code of `field` in `row`; 0 where absent.
    fn code(&self, field: Field, row: usize) -> u64;

    /// The address with this code, which must not be 0.
    fn addr(&self, code: u64) -> IpAddr;

    /// The text with this code, which must not be 0.
    fn text(&self, code: u64) -> &str;

    /// The format of the line that `row` was read from.
    fn format(&self, row: usize) -> &Arc<Format>;

    /// The line as logged, where its values do not spell it exactly.
    fn verbatim(&self, row: usize) -> Option<&str>;

    /// What CloudWatch said of the event that `row` came in, where it is kept.
    fn tag(&self, _row: usize) -> Option<EventTag<'_>> {
        None
    }

    /// The number in `field`, for fields that hold numbers.
    fn number(&self, field: Field, row: usize) -> Option<u64> {
        self.code(field, row).checked_sub(1)
    }

    /// The address in `field`.
    fn address(&self, field: Field, row: usize) -> Option<IpAddr> {
        let code = self.code(field, row);
        (code != 0).then(|| self.addr(code))
    }

    /// The text in `field`.
    fn word(&self, field: Field, row: usize) -> Option<&str> {
        let code = self.code(field, row);
        (code != 0).then(|| self.text(code))
    }

    /// The time that orders rows, Unix seconds: the end of the window, else its start, else its ingestion, else 0.
    fn time(&self, row: usize) -> u64 {
        [Field::End, Field::Start, Field::IngestionTime]
            .into_iter()
            .find_map(|field| self.number(field, row))
            .unwrap_or(0)
    }

    /// Writes the line that `row` was read from.
    fn render_line(&self, row: usize, out: &mut String) {
        if let Some(line) = self.verbatim(row) {
            out.push_str(line);
            return;
        }
        for (place, slot) in self.format(row).slots().iter().enumerate() {
            if place > 0 {
                out.push(' ');
            }
            let Slot::Field(field) = slot else {
                out.push('-');
                continue;
            };
            let code = self.code(*field, row);
            // Writing to a String cannot fail.
            let _ = match (code, field.kind()) {
                (0, _) => out.write_char('-'),
                (_, Kind::Addr) => write!(out, "{}", self.addr(code)),
                (_, Kind::Text) => out.write_str(self.text(code)),
                _ => write!(out, "{}", code - 1),
            };
        }
    }
}

/// One row of a table.
#[derive(Debug)]
pub struct RowRef<'a, T> {
    /// The table.
    pub table: &'a T,
    /// The row.
    pub row: usize,
}

impl<T> Clone for RowRef<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for RowRef<'_, T> {}

/// The fields that [`Field::Ip`] and [`Field::Port`] stand for.
const ADDRESSES: [Field; 4] = [Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];
const PORTS: [Field; 2] = [Field::SrcPort, Field::DstPort];

impl<T: Table> RowRef<'_, T> {
    fn number(&self, field: Field) -> Option<u64> {
        self.table.number(field, self.row)
    }

    fn service(&self, field: Field) -> Option<&'static str> {
        let port = u16::try_from(self.number(field)?).ok()?;
        let protocol = u8::try_from(self.number(Field::Protocol)?).ok()?;
        services::service(port, protocol)
    }
}

impl<T: Table> Row for RowRef<'_, T> {
    fn get(&self, field: Field) -> Option<Value<'_>> {
        match field {
            Field::Ip | Field::Port | Field::Service => None,
            Field::Duration => {
                let (start, end) = (self.number(Field::Start)?, self.number(Field::End)?);
                Some(Value::Int(end.saturating_sub(start)))
            }
            Field::PacketSize => {
                let packets = self.number(Field::Packets).filter(|packets| *packets > 0)?;
                let (bytes, packets) =
                    (Value::Int(self.number(Field::Bytes)?).number()?, Value::Int(packets).number()?);
                Some(Value::Float(bytes / packets))
            }
            Field::Lag => {
                let (end, ingestion) = (self.number(Field::End)?, self.number(Field::IngestionTime)?);
                Some(Value::Int(ingestion.saturating_sub(end)))
            }
            _ if field.is_place() => {
                let (part, of) = places::asks(field)?;
                of.iter().find_map(|of| places::value(part, self.table.address(*of, self.row)?))
            }
            _ => {
                let code = self.table.code(field, self.row);
                if code == 0 {
                    return None;
                }
                Some(match field.kind() {
                    Kind::Addr => Value::Addr(self.table.addr(code)),
                    Kind::Text => Value::Text(self.table.text(code)),
                    _ => Value::Int(code - 1),
                })
            }
        }
    }

    fn any(&self, field: Field, test: &mut dyn FnMut(Value<'_>) -> bool) -> bool {
        match field {
            Field::Ip => ADDRESSES
                .into_iter()
                .any(|f| self.table.address(f, self.row).is_some_and(|addr| test(Value::Addr(addr)))),
            Field::Port => PORTS.into_iter().any(|f| self.number(f).is_some_and(|port| test(Value::Int(port)))),
            Field::Service => PORTS.into_iter().any(|f| self.service(f).is_some_and(|name| test(Value::Text(name)))),
            _ if field.is_place() => places::asks(field).is_some_and(|(part, of)| {
                let value = |of: &Field| places::value(part, self.table.address(*of, self.row)?);
                of.iter().any(|of| value(of).is_some_and(&mut *test))
            }),
            _ => self.get(field).is_some_and(test),
        }
    }

    fn render(&self, out: &mut String) {
        self.table.render_line(self.row, out);
    }
}
