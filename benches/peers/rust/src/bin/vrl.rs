//! VRL's `parse_aws_vpc_flow_log` over the lines of a file, one thread: `vrl FILE` prints one JSON object.

use std::time::Instant;

use vrl::compiler::{Context, TargetValue, TimeZone, compile, state::RuntimeState};
use vrl::value::{KeyString, ObjectMap, Secrets, Value};

/// Nanoseconds that this thread has had a processor, as Linux tells it; 0 elsewhere.
fn busy() -> u64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    told.split(' ').next().and_then(|nanos| nanos.parse().ok()).unwrap_or(0)
}

fn main() {
    let path = std::env::args().nth(1).expect("vrl FILE");
    let text = std::fs::read_to_string(path).expect("a readable file");
    let program = compile(". = parse_aws_vpc_flow_log!(.message)", &vrl::stdlib::all()).expect("a program").program;
    let zone = TimeZone::default();
    let key = KeyString::from("message");
    let mut lines = 0_u64;
    let (begun, was_busy) = (Instant::now(), busy());
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
    #[expect(clippy::cast_precision_loss, reason = "seconds for people")]
    let busy = (busy() - was_busy) as f64 / 1e9;
    let seconds = begun.elapsed().as_secs_f64();
    println!("{{\"lines\": {lines}, \"seconds\": {seconds}, \"busy\": {busy}, \"held\": 0}}");
}
