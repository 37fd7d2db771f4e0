//! `--on-alert CMD`: runs a command for every alert that is raised, with the alert as JSON on its standard input.
//!
//! There is no shell, and nothing that a log said is an argument or a variable of the environment: it stands in the JSON and nowhere else. One command
//! runs at a time, for `PATIENCE` at most, and `MOST` begin in a minute; what is left out is said.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::detect::Alert;
use crate::export::{alert, clean};

/// How long a command may run.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many may begin in a minute.
const MOST: usize = 30;
/// Alerts that wait.
const QUEUE: usize = 256;
/// How often a running command is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How long what waits may take when everything else is over.
pub const FAREWELL: Duration = Duration::from_secs(30);
/// How much of what a failing command says of itself is told, bytes.
const TOLD: usize = 200;

/// A command and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAlert {
    program: String,
    args: Vec<String>,
}

impl OnAlert {
    /// Reads `text`: a path of a program as it is, else words as a shell cuts them, with quotes and backslashes. Nothing is expanded.
    ///
    /// # Errors
    /// What keeps it from being a command.
    pub fn parse(text: &str) -> Result<OnAlert, String> {
        if !text.trim().is_empty() && Path::new(text).is_file() {
            return Ok(OnAlert { program: text.to_owned(), args: Vec::new() });
        }
        let mut words = words(text)?.into_iter();
        let Some(program) = words.next().filter(|word| !word.is_empty()) else {
            return Err("name a program and its arguments, such as \"/usr/local/bin/page --urgent\"".to_owned());
        };
        Ok(OnAlert { program, args: words.collect() })
    }
}

/// Words of a line: spaces part them, quotes and backslashes keep what is in them.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => {
                let next = letters.next().ok_or("a backslash at the end keeps nothing")?;
                word.get_or_insert_default().push(next);
            }
            ('\'' | '"', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, Some(open)) if c == open => quote = None,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    if let Some(open) = quote {
        return Err(format!("the quote {open} is not closed"));
    }
    words.extend(word);
    Ok(words)
}

/// Takes alerts and has the command run for each, on a thread of its own.
#[derive(Debug)]
pub struct Notifier {
    to: Option<SyncSender<Alert>>,
    thread: Option<JoinHandle<()>>,
    lost: u64,
    ends: Arc<Ends>,
}

/// How it ends when nobody waits any longer.
#[derive(Debug, Default)]
struct Ends {
    /// What runs is killed, and nothing else is begun.
    now: AtomicBool,
    /// Alerts for which nothing was run then.
    left_out: AtomicU64,
}

impl Notifier {
    /// Starts it. `says` gets what goes wrong, in words for the user.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(command: OnAlert, says: impl Fn(String) + Send + 'static) -> std::io::Result<Notifier> {
        Notifier::patient(command, PATIENCE, says)
    }

    fn patient(
        command: OnAlert,
        patience: Duration,
        says: impl Fn(String) + Send + 'static,
    ) -> std::io::Result<Notifier> {
        let (to, alerts) = sync_channel(QUEUE);
        let ends = Arc::new(Ends::default());
        let known = Arc::clone(&ends);
        let run = move || work(&command, patience, &alerts, &known, &says);
        let thread = std::thread::Builder::new().name("flowtail-on-alert".into()).spawn(run)?;
        Ok(Notifier { to: Some(to), thread: Some(thread), lost: 0, ends })
    }

    /// An alert was raised. Never waits; where too many wait already, it is left out and counted, and this gives false.
    pub fn tell(&mut self, alert: &Alert) -> bool {
        let Some(to) = &self.to else { return false };
        let is_full = matches!(to.try_send(alert.clone()), Err(TrySendError::Full(_)));
        self.lost += u64::from(is_full);
        !is_full
    }

    /// Waits until the command has run for what was told, but no longer than `farewell`; what runs then is killed. Gives for how many alerts it was not
    /// run, since too many waited or time was up.
    pub fn finish(mut self, farewell: Duration) -> u64 {
        self.to = None;
        let until = Instant::now() + farewell;
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(LOOK);
            }
            self.ends.now.store(true, Ordering::Relaxed);
            // It notices within a look; it panics only by a fault of this program, which was told then.
            let _ = thread.join();
        }
        self.lost + self.ends.left_out.load(Ordering::Relaxed)
    }
}

fn work(command: &OnAlert, patience: Duration, alerts: &Receiver<Alert>, ends: &Ends, says: &impl Fn(String)) {
    let mut begun: VecDeque<Instant> = VecDeque::new();
    let mut left_out = 0_u64;
    while let Ok(alert) = alerts.recv() {
        if ends.now.load(Ordering::Relaxed) {
            ends.left_out.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        while begun.front().is_some_and(|at| at.elapsed() >= Duration::from_mins(1)) {
            begun.pop_front();
        }
        if begun.len() >= MOST {
            left_out += 1;
            if left_out == 1 {
                says(format!("--on-alert: more than {MOST} alerts in a minute; it is not run for the others"));
            }
            continue;
        }
        left_out = 0;
        begun.push_back(Instant::now());
        if let Err(why) = run(command, patience, ends, &alert) {
            says(format!("--on-alert {}: {why}", clean::for_terminal(&command.program)));
        }
    }
}

/// Runs the command for one alert. The error says what went wrong.
fn run(command: &OnAlert, patience: Duration, ends: &Ends, alert: &Alert) -> Result<(), String> {
    let mut object = alert::object(alert);
    object.insert("title".to_owned(), (*alert.title).into());
    object.insert("meaning".to_owned(), (*alert.meaning).into());
    object.insert("falsepositives".to_owned(), alert.false_positives.to_vec().into());
    let text = clean::json(serde_json::Value::Object(object).to_string()) + "\n";
    let mut child = spawn(command).map_err(|error| format!("cannot start it: {error}. Check the path"))?;
    // A command that does not read must not hold anybody up.
    if let Some(mut stdin) = child.stdin.take() {
        std::thread::spawn(move || {
            // It may have read enough.
            let _ = stdin.write_all(text.as_bytes());
        });
    }
    let complaint = heard(&mut child);
    let began = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return judged(status, &complaint),
            Ok(None) if ends.now.load(Ordering::Relaxed) => {
                kill(&mut child);
                return Err("it still ran when flowtail ended, and was killed".to_owned());
            }
            Ok(None) if began.elapsed() >= patience => {
                kill(&mut child);
                return Err(format!("it ran for more than {patience:?} and was killed"));
            }
            Ok(None) => std::thread::sleep(LOOK),
            Err(error) => {
                kill(&mut child);
                return Err(error.to_string());
            }
        }
    }
}

fn spawn(command: &OnAlert) -> std::io::Result<Child> {
    let mut process = Command::new(&command.program);
    process.args(&command.args).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A group of its own: what it started is killed with it, and Ctrl-C is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut process, 0);
    process.spawn()
}

/// The beginning of what a command says on its standard error. All of it is read, so that it never waits; what it starts may hold that open for ever.
fn heard(child: &mut Child) -> Arc<Mutex<Vec<u8>>> {
    let kept: Arc<Mutex<Vec<u8>>> = Arc::default();
    if let Some(mut stderr) = child.stderr.take() {
        let keeps = Arc::clone(&kept);
        std::thread::spawn(move || {
            let mut buffer = [0; 1_024];
            while let Ok(count @ 1..) = stderr.read(&mut buffer) {
                let mut kept = keeps.lock().unwrap_or_else(PoisonError::into_inner);
                let room = TOLD.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
            }
        });
    }
    kept
}

fn judged(status: ExitStatus, complaint: &Mutex<Vec<u8>>) -> Result<(), String> {
    if status.success() {
        return Ok(());
    }
    // What it said last may be on its way.
    std::thread::sleep(LOOK);
    let said = complaint.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let why = if first.is_empty() { String::new() } else { format!(": {}", clean::for_terminal(first)) };
    Err(format!("it failed: {status}{why}"))
}

fn kill(child: &mut Child) {
    #[cfg(unix)]
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may be gone by now.
        let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::detect::Level;
    use crate::filter::Stage;

    fn alert(message: &str) -> Alert {
        Alert {
            id: 7,
            rule: "A-B".into(),
            title: "a title".into(),
            level: Level::High,
            technique: "".into(),
            closed: false,
            withdrawn: false,
            time: 1,
            first: 1,
            last: 2,
            among: Vec::new(),
            group: Vec::new(),
            measured: Vec::new(),
            threshold: Vec::new(),
            count: 1,
            message: message.to_owned(),
            filter: String::new(),
            stage: Stage::Sessions,
            meaning: "".into(),
            timespan: 600,
            false_positives: Arc::new([]),
            session: None,
        }
    }

    /// Runs `script` for an alert; what was said, and the file that the script may write.
    #[cfg(unix)]
    fn with(script: &str, message: &str, patience: Duration) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().unwrap();
        let (program, out) = (folder.path().join("run.sh"), folder.path().join("out"));
        std::fs::write(&program, script).unwrap();
        let line = format!("/bin/sh '{}' \"{}\"", program.display(), out.display());
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let command = OnAlert::parse(&line).unwrap();
        let mut notifier = Notifier::patient(command, patience, move |text| hears.lock().unwrap().push(text)).unwrap();
        notifier.tell(&alert(message));
        assert_eq!(notifier.finish(FAREWELL), 0);
        let said = said.lock().unwrap().clone();
        (said, std::fs::read_to_string(out).unwrap_or_default())
    }

    #[test]
    #[cfg(unix)]
    fn the_command_gets_the_alert_on_its_input_and_nowhere_else() {
        let hostile = "$(touch /tmp/x) `id` \u{1b}[31m \"; rm -rf";
        let (said, out) = with("cat > \"$1\"; echo $# >> \"$1\"", hostile, PATIENCE);
        assert!(said.is_empty(), "{said:?}");
        let (json, count) = out.trim_end().rsplit_once('\n').unwrap();
        assert_eq!(count, "1", "one argument, that of the command line");
        assert!(!json.contains('\u{1b}'));
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!((json["rule"].as_str(), json["message"].as_str()), (Some("A-B"), Some(hostile)));
    }

    #[test]
    #[cfg(unix)]
    fn failures_are_said_and_what_hangs_is_killed_with_its_children() {
        let (said, _) = with("echo 'no \u{1b}[31m route' >&2; yes no | head -c 300000 >&2; exit 3", "m", PATIENCE);
        assert!(said.len() == 1 && said[0].contains("it failed: exit status: 3: no "), "{said:?}");
        assert!(!said[0].contains('\u{1b}') && said[0].len() < 400, "{said:?}");
        let began = Instant::now();
        let (said, _) = with("sleep 60 & sleep 60", "m", Duration::from_millis(200));
        assert!(said.len() == 1 && said[0].contains("was killed"), "{said:?}");
        assert!(began.elapsed() < Duration::from_secs(20));
        let gone = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&gone);
        let command = OnAlert::parse("/nowhere/at/all").unwrap();
        let mut notifier = Notifier::start(command, move |text| hears.lock().unwrap().push(text)).unwrap();
        notifier.tell(&alert("m"));
        notifier.finish(FAREWELL);
        assert!(gone.lock().unwrap()[0].contains("cannot start it"));
    }

    #[test]
    #[cfg(unix)]
    fn what_still_waits_at_the_end_is_counted_and_what_runs_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("pid");
        let command = OnAlert::parse(&format!("/bin/sh -c 'echo $$ > \"$0\"; sleep 60' '{}'", pid.display())).unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let mut notifier = Notifier::start(command, move |text| hears.lock().unwrap().push(text)).unwrap();
        assert!((0..4).all(|_| notifier.tell(&alert("m"))));
        let began = Instant::now();
        while std::fs::read_to_string(&pid).unwrap_or_default().is_empty() {
            assert!(began.elapsed() < PATIENCE, "it starts");
            std::thread::sleep(LOOK);
        }
        assert_eq!(notifier.finish(Duration::from_millis(50)), 3);
        let said = said.lock().unwrap();
        assert!(said.len() == 1 && said[0].contains("still ran when flowtail ended"), "{said:?}");
        let pid = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        assert!(rustix::process::test_kill_process(pid).is_err(), "it is gone");
    }

    #[test]
    #[cfg(unix)]
    fn no_more_than_some_begin_in_a_minute() {
        let said = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&said);
        let command = OnAlert::parse("true").unwrap();
        let mut notifier = Notifier::start(command, move |text| hears.lock().unwrap().push(text)).unwrap();
        for _ in 0..MOST + 5 {
            notifier.tell(&alert("m"));
        }
        notifier.finish(FAREWELL);
        let said = said.lock().unwrap();
        assert!(said.len() == 1 && said[0].contains("more than 30 alerts"), "{said:?}");
    }

    #[test]
    fn words_are_cut_as_a_shell_does_without_expanding() {
        let parsed = |text| OnAlert::parse(text).map(|command| (command.program, command.args));
        assert_eq!(
            parsed("page  -u 'a b' \"c\\\"d\" $HOME ''"),
            Ok(("page".into(), vec!["-u".into(), "a b".into(), "c\"d".into(), "$HOME".into(), String::new()]))
        );
        for wrong in ["", "  ", "'open", "x \\", "''"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
