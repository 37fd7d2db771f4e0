//! A folder of objects as S3 keeps flow logs: which are read is told by their names.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use crate::run;

/// 2018-08-20 00:00:00 UTC.
const DAY: i64 = 1_534_723_200;

/// An object of an hour of that day, with a record every ten minutes; gives where it is.
fn object(folder: &Path, hour: i64, damaged: bool) {
    let place = folder.join(format!("AWSLogs/aws-account-id=622676721278/year=2018/month=08/day=20/hour={hour:02}"));
    fs::create_dir_all(&place).unwrap();
    let name = format!("622676721278_vpcflowlogs_us-west-1_fl-0a1b_20180820T{hour:02}00Z_{hour:08x}.log.gz");
    let mut text = Vec::new();
    for step in 0..6 {
        let start = DAY + hour * 3_600 + step * 600;
        let ends = format!("10.0.0.{hour} 10.0.1.{step} 40000 443");
        writeln!(text, "2 622676721278 eni-0a {ends} 6 5 500 {start} {} ACCEPT OK", start + 59).unwrap();
    }
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(&text).unwrap();
    let packed = packed.finish().unwrap();
    fs::write(place.join(name), if damaged { &packed[..packed.len() / 2] } else { &packed[..] }).unwrap();
    fs::write(place.join("_SUCCESS"), b"").unwrap();
}

#[test]
fn only_the_hours_of_the_range_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    for hour in 0..24 {
        // What is outside of the range cannot be read at all: nobody notices, since nobody opens it.
        object(folder.path(), hour, !(14..=16).contains(&hour));
    }
    let path = folder.path().to_str().unwrap();
    let range = ["--from", "2018-08-20T15:05Z", "--to", "2018-08-20T15:30Z"];
    let found = run(&[&["open", path, "--print", "flows", "--as", "ndjson"], &range[..]].concat());
    let starts: Vec<i64> =
        found.objects().iter().map(|row| row["start"].as_i64().unwrap() - DAY - 15 * 3_600).collect();
    assert_eq!(starts, [600, 1_200, 1_800], "{found:?}");
    // The same without a range meets what is damaged, and reads the rest.
    let all = run(&["open", path, "--print", "flows", "--as", "ndjson"]);
    assert_eq!(all.code, Some(2));
    assert!(all.err.contains("ends too early") && all.out.lines().count() >= 18, "{all:?}");
    let nothing = run(&["open", path, "--from", "2020-01-01T00:00Z", "--print", "flows"]);
    assert!(
        nothing.code == Some(2)
            && nothing.err.contains("its files are from 2018-08-20T00:00:00Z to 2018-08-20T23:00:00Z"),
        "{nothing:?}"
    );
}

#[test]
fn a_whole_folder_is_read_in_the_order_of_time() {
    let folder = tempfile::tempdir().unwrap();
    for hour in 0..24 {
        object(folder.path(), hour, false);
    }
    let found = run(&["open", folder.path().to_str().unwrap(), "--print", "flows", "--as", "ndjson"]);
    let starts: Vec<i64> = found.objects().iter().map(|row| row["start"].as_i64().unwrap()).collect();
    // More files than are read at a time.
    assert_eq!(starts.len(), 144);
    assert!(starts.is_sorted(), "{starts:?}");
    for (wrong, said) in [
        (&["--follow"][..], "--follow reads on in files"),
        (&["--from", "soon"], "--from: 'soon' is no time"),
        (&["--from", "1h", "--to", "2h"], "the range is empty"),
    ] {
        let refused = run(&[&["open", folder.path().to_str().unwrap(), "--print", "flows"], wrong].concat());
        assert!(refused.code == Some(2) && refused.err.contains(said), "{refused:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    let nothing = run(&["open", empty.path().to_str().unwrap(), "--print", "flows"]);
    assert!(nothing.code == Some(2) && nothing.err.contains("there are no log files"), "{nothing:?}");
    // Beside what is read it is said, and is no fault.
    let path = folder.path().to_str().unwrap();
    let foreign = tempfile::tempdir().unwrap();
    fs::write(foreign.path().join("README.md"), "no log").unwrap();
    let bare = [empty.path().to_str().unwrap(), foreign.path().to_str().unwrap()];
    let beside = run(&["open", path, bare[0], bare[1], "--print", "flows"]);
    assert!(beside.code == Some(0) && beside.out.lines().count() == 144, "{beside:?}");
    for (bare, why) in bare.iter().zip(["it is empty", "none of its 1 files is one"]) {
        assert!(beside.err.contains(&format!("{bare}: there are no log files in it ({why})")), "{beside:?}");
    }
}
