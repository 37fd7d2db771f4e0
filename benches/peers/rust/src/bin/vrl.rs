//! VRL's `parse_aws_vpc_flow_log` over the lines of a file, one thread: `vrl FILE` prints one JSON object.

use std::time::Instant;

use vrl::compiler::{Context, TargetValue, TimeZone, compile, state::RuntimeState};
use vrl::value::{KeyString, ObjectMap, Secrets, Value};

fn main() {
    let path = std::env::args().nth(1).expect("vrl FILE");
    let text = std::fs::read_to_string(path).expect("a readable file");
    let program = compile(". = parse_aws_vpc_flow_log!(.message)", &vrl::stdlib::all()).expect("a program").program;
    let zone = TimeZone::default();
    let key = KeyString::from("message");
    let mut lines = 0_u64;
    let begun = Instant::now();
    for line in text.lines() {
        let mut target = TargetValue {
            value: Value::Object(ObjectMap::from([(key.clone(), Value::from(line))])),
            metadata: Value::Object(ObjectMap::new()),
            secrets: Secrets::default(),
        };
        let mut state = RuntimeState::default();
        let mut context = Context::new(&mut target, &mut state, &zone);
        program.resolve(&mut context).expect("every line parses");
        lines += 1;
    }
    println!("{{\"lines\": {lines}, \"seconds\": {}, \"held\": 0}}", begun.elapsed().as_secs_f64());
}
