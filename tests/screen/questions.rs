//! Twelve questions of an incident, each answered on the recording at 80 by 24 by at most eight keys beside what is typed. `docs/questions.md` lists
//! them with their keys.

use std::fmt::Write as _;

use flowtail::app::{App, Effect, Key};

use crate::stage::Stage;

/// What is pressed.
#[derive(Clone, Copy)]
enum Do {
    Keys(&'static str),
    Text(&'static str),
}

use Do::{Keys, Text};

struct Question {
    asked: &'static str,
    keys: &'static [Do],
    /// What stands on the screen at the end, each.
    answer: &'static [&'static str],
}

const QUESTIONS: &[Question] = &[
    Question {
        asked: "Who is the reflector?",
        keys: &[Keys("3")],
        answer: &["AMP-PROBE", "172.16.0.178:11211 (memcached) sent 13.125.33"],
    },
    Question {
        asked: "How was it primed?",
        keys: &[Keys("3<enter>")],
        answer: &["15:26 13.125.33.130*  ", "11211*memcached   4.8M   501K    0.10", "50  50.1K 1,026.5"],
    },
    Question {
        asked: "Who else did that address touch?",
        keys: &[Keys("3<enter>e")],
        answer: &["Endpoint 13.125.33.130", "sessions  2, of which it began 2", "15:00:06     551K     4.8M        2"],
    },
    Question {
        asked: "Since when?",
        keys: &[Keys("3<enter>e")],
        answer: &["seen      2018-08-20 15:25:43 to 2018-08-20 15:27:46"],
    },
    Question {
        asked: "What does this interface serve to the internet?",
        keys: &[
            Keys("2/"),
            Text("client $public and interface eni-0536faba73134a9b7 and accept"),
            Keys("<enter>b"),
            Text("server, server.port"),
            Keys("<enter>"),
        ],
        // The address, the port, and what went over it.
        answer: &["172.16.0.178          11211   5.3M"],
    },
    Question {
        asked: "What is the top egress?",
        keys: &[
            Keys("2/"),
            Text("client $private and server $public"),
            Keys("<enter>b"),
            Text("client, server"),
            Keys("<enter>"),
        ],
        answer: &["by client, server", "213.31.179.61    52.8M"],
    },
    Question {
        asked: "Which host behind the NAT reached it, or why is that hidden?",
        keys: &[Keys("2/"), Text("client $private and server $public"), Keys("<enter><enter>JJJJ")],
        answer: &["is a private address and cannot"],
    },
    Question {
        asked: "What is blocked inside?",
        keys: &[Keys("/"), Text("reject and src $private and dst $private"), Keys("<enter>")],
        // Nothing is, in this recording.
        answer: &["None of the 10,184 rows held matches the filter."],
    },
    Question {
        asked: "Was it a security group or a network ACL?",
        keys: &[Keys("2/"), Text("action = REJECT and client $public"), Keys("<enter><enter>")],
        answer: &["security group"],
    },
    Question {
        asked: "Did isolating it at 15:30 work?",
        keys: &[
            Keys("T<ctrl-u>"),
            Text("15:30 isolated"),
            Keys("<enter>2/"),
            Text("ip 13.125.33.130"),
            Keys("<enter>"),
        ],
        answer: &["15:30:00Z", "surviving 0", "isolated"],
    },
    Question {
        asked: "Is anything missing?",
        keys: &[Keys("iG")],
        answer: &["SKIPDATA           1 window whose records AWS lost"],
    },
    Question {
        asked: "What was it last week? And hand it over.",
        keys: &[Keys("/"), Text("13.125.33.130"), Keys("<enter>Y<enter><esc>x<enter><enter>")],
        answer: &["Writing case-demo-"],
    },
];

fn play(stage: &mut Stage, question: &Question) -> Vec<String> {
    let mut copied = Vec::new();
    let mut press = |stage: &mut Stage, key: Key| {
        stage.press(&flowtail::app::Input::Key(key));
        copied.extend(stage.effects.iter().filter_map(|effect| match effect {
            Effect::Copy(text) => Some(text.clone()),
            _ => None,
        }));
    };
    for step in question.keys {
        match step {
            Keys(keys) => Key::sequence(keys).into_iter().for_each(|key| press(stage, key)),
            Text(text) => text.chars().for_each(|c| press(stage, Key::sequence(&c.to_string())[0])),
        }
    }
    copied
}

fn spelled(question: &Question) -> String {
    let part = |step: &Do| match step {
        Keys(keys) => Key::sequence(keys).iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" "),
        Text(text) => format!("_{text}_"),
    };
    question.keys.iter().map(part).collect::<Vec<_>>().join(" ")
}

#[test]
fn every_question_is_answered_in_eight_keys() {
    let mut wrong = String::new();
    // The recording takes a while to read: all begin anew on one.
    let mut stage = Stage::demo(i64::MAX, crate::look(), (80, 24));
    for question in QUESTIONS {
        let keys = question.keys.iter().map(|step| match step {
            Keys(keys) => Key::sequence(keys).len(),
            Text(_) => 0,
        });
        assert!(keys.sum::<usize>() <= 8, "{}", question.asked);
        stage.app = App::new();
        stage.resize(80, 24);
        let copied = play(&mut stage, question);
        for answer in question.answer.iter().filter(|answer| !stage.shows(answer)) {
            // Writing to a string cannot fail.
            let _ = writeln!(
                wrong,
                "{}: {answer:?} is missing after {}\n{}",
                question.asked,
                spelled(question),
                stage.text()
            );
        }
        if question.asked.contains("last week") {
            assert!(copied.iter().any(|text| text.contains("filter") && text.contains("13.125.33.130")), "{copied:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn the_page_lists_them_with_their_keys() {
    let page = include_str!("../../docs/questions.md");
    for question in QUESTIONS {
        let row = format!("| {} | {} |", question.asked, spelled(question));
        assert!(page.contains(&row), "docs/questions.md lacks\n{row}");
    }
}
