//! Parquet: a table with a column a field, as S3 delivery writes it (`_` in names, integers as integers) and others export it.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field as Value;

use super::outbox::Outbox;
use super::{ENOUGH, Emit};
use crate::record::Field;
use crate::source::file::reader::Stop;

/// Reads all rows of `file`. Where a row cannot be read, those before it were.
pub(in crate::source::file) fn read(name: Arc<str>, file: File, emit: Emit<'_>) -> Result<(), Stop> {
    let damaged = |why: String| Stop::Failed(format!("the Parquet file is damaged ({why}). Fetch the file again"));
    // The library checks much, but not all, of what a damaged file can say.
    let all = catch_unwind(AssertUnwindSafe(|| rows(name, file, emit)));
    match all {
        Ok(Ok(())) => Ok(()),
        Ok(Err(End::Stop(stop))) => Err(stop),
        Ok(Err(End::Parquet(error))) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("the reader failed".to_owned())),
    }
}

enum End {
    Stop(Stop),
    Parquet(parquet::errors::ParquetError),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> End {
        End::Stop(stop)
    }
}

impl From<parquet::errors::ParquetError> for End {
    fn from(error: parquet::errors::ParquetError) -> End {
        End::Parquet(error)
    }
}

fn rows(name: Arc<str>, file: File, emit: Emit<'_>) -> Result<(), End> {
    let reader = SerializedFileReader::new(file)?;
    let mut out = Outbox::new(name);
    let columns = reader.metadata().file_metadata().schema().get_fields();
    let fields: Vec<Option<Field>> = columns.iter().map(|column| out.flat.field(column.name())).collect();
    if fields.iter().flatten().count() < 3 {
        let names: Vec<&str> = columns.iter().take(8).map(|column| column.name()).collect();
        return Err(End::Stop(Stop::Failed(format!(
            "the columns of the Parquet file are no flow log fields: {}. `flowtail fields` lists those",
            names.join(", ")
        ))));
    }
    let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
    for (number, row) in (1..).zip(reader.get_row_iter(None)?) {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                out.take().map_or(Ok(()), &mut *emit)?;
                return Err(error.into());
            }
        };
        out.line = number;
        out.flat.begin();
        for ((field, name), (_, value)) in fields.iter().zip(&names).zip(row.get_column_iter()) {
            match field {
                Some(field) => put(&mut out, *field, value),
                None => out.flat.foreign(name),
            }
        }
        if let Err(error) = out.record() {
            out.reject(number, error, row.to_string().as_bytes());
        }
        if out.len() >= ENOUGH {
            out.take().map_or(Ok(()), &mut *emit)?;
        }
    }
    Ok(out.take().map_or(Ok(()), emit)?)
}

/// Puts a value. Null is absent, and so is the text `None`, which Python writes for it.
fn put(out: &mut Outbox, field: Field, value: &Value) {
    match value {
        Value::Null => out.flat.put(field, "-"),
        Value::Str(text) if text == "None" => out.flat.put(field, "-"),
        Value::Str(text) => out.flat.text(field, text),
        Value::Bytes(bytes) => out.flat.text(field, &String::from_utf8_lossy(bytes.data())),
        Value::Double(number) => out.flat.float(field, *number),
        Value::Float(number) => out.flat.float(field, f64::from(*number)),
        Value::TimestampMillis(time) => out.flat.put(field, time.div_euclid(1_000)),
        Value::TimestampMicros(time) => out.flat.put(field, time.div_euclid(1_000_000)),
        number => out.flat.put(field, number),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use parquet::basic::{Compression, ZstdLevel};
    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::source::file::chunk::Chunk;

    /// A file of two rows: integers, texts, a floating number, an optional column without a value, and one that is no field.
    fn sample(compression: Compression) -> File {
        let schema = "message flows { required int32 version; required binary account_id (UTF8); required binary srcaddr (UTF8);
            required binary dstaddr (UTF8); required double srcport; optional int64 bytes; required int64 start; required int32 colour; }";
        let schema = Arc::new(parse_message_type(schema).unwrap());
        let properties = Arc::new(WriterProperties::builder().set_compression(compression).build());
        let file = tempfile::tempfile().unwrap();
        let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        let texts = |values: [&str; 2]| values.map(|value| ByteArray::from(value.as_bytes().to_vec()));
        let mut place = 0;
        while let Some(mut column) = group.next_column().unwrap() {
            match place {
                0 | 7 => column.typed::<Int32Type>().write_batch(&[2, 2], None, None),
                1 => column.typed::<ByteArrayType>().write_batch(&texts(["000000000010", "unknown"]), None, None),
                2 => column.typed::<ByteArrayType>().write_batch(&texts(["10.0.0.1", "None"]), None, None),
                3 => column.typed::<ByteArrayType>().write_batch(&texts(["10.0.0.2", "-"]), None, None),
                4 => column.typed::<DoubleType>().write_batch(&[443.0, 0.0], None, None),
                5 => column.typed::<Int64Type>().write_batch(&[77], Some(&[1, 0]), None),
                _ => column.typed::<Int64Type>().write_batch(&[1_534_778_806, 1_534_778_807], None, None),
            }
            .unwrap();
            column.close().unwrap();
            place += 1;
        }
        group.close().unwrap();
        writer.close().unwrap();
        file
    }

    fn read_all(file: File) -> (String, Vec<Chunk>, Result<(), Stop>) {
        let mut chunks = Vec::new();
        let result = read("flows.parquet".into(), file, &mut |chunk| {
            chunks.push(chunk);
            Ok(())
        });
        let mut lines = String::new();
        for chunk in &chunks {
            let mut start = 0;
            for event in &chunk.events {
                lines += std::str::from_utf8(&chunk.bytes[start..event.end as usize]).unwrap();
                lines.push('\n');
                start = event.end as usize;
            }
        }
        (lines, chunks, result)
    }

    #[test]
    fn every_type_and_codec_becomes_the_line_of_aws() {
        for compression in [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::GZIP(parquet::basic::GzipLevel::default()),
            Compression::ZSTD(ZstdLevel::default()),
        ] {
            let (lines, chunks, result) = read_all(sample(compression));
            assert!(result.is_ok(), "{compression}");
            assert_eq!(
                lines, "2 000000000010 10.0.0.1 10.0.0.2 443 77 1534778806\n2 unknown - - 0 - 1534778807\n",
                "{compression}"
            );
            let format: Vec<&str> = chunks[0].wrapped[1].format.as_ref().unwrap().fields().map(Field::name).collect();
            assert_eq!(format, ["version", "account-id", "srcaddr", "dstaddr", "srcport", "bytes", "start"]);
            assert_eq!(chunks[0].wrapped[1].line, 2);
            assert!(chunks[0].remarks[0].contains("'colour'"), "{:?}", chunks[0].remarks);
        }
    }

    #[test]
    fn damage_is_an_error_and_no_panic() {
        let mut whole = Vec::new();
        std::io::Read::read_to_end(&mut sample_from_start(), &mut whole).unwrap();
        for place in (0..whole.len()).step_by(3) {
            let mut bytes = whole.clone();
            bytes[place] ^= 0x55;
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            // Some damage does no harm; none may end the thread.
            let _ = read_all(file);
        }
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&whole[..whole.len() / 2]).unwrap();
        assert!(matches!(read_all(file).2, Err(Stop::Failed(why)) if why.contains("Fetch the file again")));
    }

    fn sample_from_start() -> File {
        let mut file = sample(Compression::SNAPPY);
        std::io::Seek::rewind(&mut file).unwrap();
        file
    }
}
