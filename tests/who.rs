//! What EC2 says of interfaces, through the real binary: `--who`, names on the screen, pages, denials, faults, hostile answers, and what is kept.

#![cfg(feature = "aws")]

mod support;
#[cfg(unix)]
#[path = "pty/terminal.rs"]
#[allow(dead_code, reason = "its own tests use all of it")]
mod terminal;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Output;

use support::fake::Fake;
use support::moto::Moto;
use support::{ENI, command, flow, http, now};

const OTHER: &str = "eni-0a1b2c3d4e5f60718";

/// An answer of EC2 with these interfaces: id, name, instance, address.
fn page(interfaces: &[(&str, &str, &str, &str)], token: &str) -> (u16, String) {
    let mut text = "<DescribeNetworkInterfacesResponse><networkInterfaceSet>".to_owned();
    for (id, name, instance, address) in interfaces {
        write!(
            text,
            "<item><networkInterfaceId>{id}</networkInterfaceId><vpcId>vpc-1</vpcId><description>made by a test</description>\
             <privateIpAddress>{address}</privateIpAddress><attachment><instanceId>{instance}</instanceId></attachment>\
             <groupSet><item><groupId>sg-1</groupId><groupName>web</groupName></item></groupSet>\
             <tagSet><item><key>Name</key><value>{name}</value></item></tagSet><interfaceType>interface</interfaceType></item>"
        )
        .unwrap();
    }
    let token = if token.is_empty() { String::new() } else { format!("<nextToken>{token}</nextToken>") };
    (200, format!("{text}</networkInterfaceSet>{token}</DescribeNetworkInterfacesResponse>"))
}

/// Two interfaces with records of the last minutes, and what EC2 says of them.
fn server() -> Fake {
    let fake = Fake::start();
    fake.deliver(&format!("{ENI}-all"), 5, 300);
    fake.deliver(&format!("{OTHER}-all"), 7, 300);
    fake.state().interfaces = [
        page(&[(ENI, "web-1", "i-0abc", "172.16.0.178")], "to be continued+&amp;"),
        page(&[(OTHER, "web-2", "i-0def", "10.0.0.9"), ("eni-0c", "web-2", "i-0fff", "10.0.0.10")], ""),
    ]
    .into();
    fake
}

fn tail(fake: &Fake, home: &Path, more: &[&str]) -> Output {
    let args = ["tail", "/vpc/fake", "--print", "flows", "--as", "csv", "--max-rps", "50", "--for", "1s"];
    command(fake.port, home, &[&args[..], more].concat()).output().unwrap()
}

/// Rows of an interface among those that were printed.
fn rows(output: &Output, interface: &str) -> usize {
    String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.contains(interface)).count()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_name_an_instance_or_an_address_is_the_interface_that_is_tailed() {
    let home = tempfile::tempdir().unwrap();
    for who in ["WEB-1", "i-0abc", "172.16.0.178", ENI] {
        let fake = server();
        let output = tail(&fake, home.path(), &["--who", who]);
        assert_eq!((rows(&output, ENI), rows(&output, OTHER)), (5, 0), "{who}: {}", said(&output));
        let asked = fake.state().interfaces_asked.clone();
        if who == ENI {
            assert!(asked.is_empty(), "an id needs no question: {asked:?}");
        } else {
            // Pages are followed with their token, each asked for once.
            let [first, second] = &asked[..] else { panic!("{asked:?}") };
            assert!(first.contains("MaxResults=1000") && !first.contains("NextToken"), "{first}");
            assert!(second.contains("NextToken=to%20be%20continued%2B%26"), "{second}");
        }
    }
}

#[test]
fn a_name_of_several_is_all_of_them_and_they_are_listed() {
    let (fake, home) = (server(), tempfile::tempdir().unwrap());
    let output = tail(&fake, home.path(), &["--who", "web-2", "--who", ENI]);
    assert_eq!((rows(&output, ENI), rows(&output, OTHER)), (5, 7), "{}", said(&output));
    let listed = format!(
        "web-2 is 2 interfaces, all are tailed: {OTHER} (web-2, i-0def, 10.0.0.9); eni-0c (web-2, i-0fff, 10.0.0.10)"
    );
    assert!(said(&output).contains(&listed), "{}", said(&output));
}

#[test]
fn a_machine_whose_clock_is_wrong_is_told_who_it_is_all_the_same() {
    for ahead in [2 * 3_600_000, -3_600_000] {
        let (fake, home) = (server(), tempfile::tempdir().unwrap());
        fake.state().ahead = Some(ahead);
        let output = tail(&fake, home.path(), &["--who", "web-1"]);
        let said = said(&output);
        // Its records are of another hour, so that none is printed.
        assert!(output.status.code() != Some(2) && !said.contains("expired"), "{:?}: {said}", output.status);
        assert_eq!(fake.state().interfaces_asked.len(), 2, "both pages were given: {said}");
    }
}

#[test]
fn names_of_the_own_list_come_first() {
    let (fake, home) = (server(), tempfile::tempdir().unwrap());
    let names = home.path().join("names.csv");
    std::fs::write(&names, format!("{OTHER},web-1\n172.16.0.178,cache\n")).unwrap();
    let names = names.to_str().unwrap();
    let output = tail(&fake, home.path(), &["--who", "web-1", "--names", names]);
    assert_eq!((rows(&output, ENI), rows(&output, OTHER)), (0, 7), "{}", said(&output));
    assert!(fake.state().interfaces_asked.is_empty());
    let output = tail(&fake, home.path(), &["--who", "Cache", "--names", names]);
    assert_eq!((rows(&output, ENI), rows(&output, OTHER)), (5, 0), "{}", said(&output));
}

#[test]
fn who_nobody_is_and_who_cannot_be_found_out_is_told_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let fake = server();
    let output = tail(&fake, home.path(), &["--who", "web-3"]);
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("no interface of this account in us-west-1 is web-3: 3 are known."), "{text}");
    assert!(text.contains(&format!("Alike: {ENI} (web-1, i-0abc, 172.16.0.178)")), "{text}");
    // Denied, which is what the server does by itself.
    let output = tail(&Fake::start(), home.path(), &["--who", "172.16.0.178"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for part in [
        "ec2:DescribeNetworkInterfaces is not allowed",
        "Resource \"*\"",
        "--eni eni-…",
        "--filter 'ip = 172.16.0.178'",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let output = tail(&fake, home.path(), &["--who", " "]);
    assert!(output.status.code() == Some(2) && said(&output).contains("is no name"), "{}", said(&output));
}

#[test]
fn hostile_answers_neither_stop_nor_fill_it() {
    let home = tempfile::tempdir().unwrap();
    let long = "x".repeat(30 << 20);
    let endless = page(&[("eni-0d", "web-1", "", "10.0.0.1")], "again");
    for (answer, says) in [
        ((200, "<html>".to_owned()), "not XML"),
        ((200, "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_owned()), "not XML"),
        ((200, format!("<a>{long}</a>")), "more than 24 MiB"),
        ((503, "<html>busy</html>".to_owned()), "does not say"),
        // A token that leads to itself is no reason to ask on.
        (endless, "no interface of this account"),
    ] {
        let fake = Fake::start();
        fake.state().interfaces = [answer].into();
        let output = tail(&fake, home.path(), &["--who", "web-9"]);
        assert!(output.status.code() == Some(2) && said(&output).contains(says), "{says}: {}", said(&output));
        assert!(fake.state().interfaces_asked.len() <= 4, "{}", fake.state().interfaces_asked.len());
    }
}

#[test]
fn what_ec2_said_is_kept_for_an_hour_without_any_secret() {
    let (fake, home) = (server(), tempfile::tempdir().unwrap());
    let state = home.path().join("state");
    let state = state.to_str().unwrap();
    for _ in 0..2 {
        let output = tail(&fake, home.path(), &["--who", "web-1", "--state", state]);
        assert_eq!(rows(&output, ENI), 5, "{}", said(&output));
    }
    assert_eq!(fake.state().interfaces_asked.len(), 2, "two pages, and no more in the second run");
    let kept = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let kept = kept.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("interfaces-"));
    let [file] = &kept.collect::<Vec<_>>()[..] else { panic!("one file") };
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains("web-1") && !text.contains("AKIDTEST") && !text.contains("secret"), "{text}");
    // Whoever is new is asked for, though what is kept is fresh.
    fake.state().interfaces = [page(&[(ENI, "new", "", "10.0.0.5")], "")].into();
    let output = tail(&fake, home.path(), &["--who", "10.0.0.5", "--state", state]);
    assert_eq!((rows(&output, ENI), fake.state().interfaces_asked.len()), (5, 3), "{}", said(&output));
    // Older than an hour it is asked for anew, and where that fails it is what there is, with its time.
    let text = std::fs::read_to_string(file).unwrap();
    let (before, after) = text.split_once("\"as_of\":").unwrap();
    let (_, after) = after.split_once(',').unwrap();
    std::fs::write(file, format!("{before}\"as_of\":{},{after}", now() / 1000 - 7_200)).unwrap();
    fake.state().interfaces = [(400, "<a><Error><Code>RequestLimitExceeded</Code></Error></a>".to_owned())].into();
    let output = tail(&fake, home.path(), &["--who", "new", "--state", state]);
    assert_eq!(rows(&output, ENI), 5, "{}", said(&output));
    assert!(
        said(&output).contains("--who is what EC2 said at ") && said(&output).contains("throttles"),
        "{}",
        said(&output)
    );
    // What somebody else wrote there is not believed.
    std::fs::write(file, "{\"version\":1").unwrap();
    let output = tail(&fake, home.path(), &["--who", "new", "--state", state]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}

#[cfg(unix)]
#[test]
fn the_screen_shows_names_asks_anew_by_a_key_and_goes_on_without_ec2() {
    use terminal::{Setup, Terminal};
    let fake = server();
    let home = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}", fake.port);
    let env = [
        ("HOME", home.path().to_str().unwrap()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_ACCESS_KEY_ID", "AKIDTEST"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
    ];
    let start = |more: &[&str]| {
        let args = ["tail", "/vpc/fake", "--region", "us-west-1", "--max-rps", "50", "--endpoint-url", &url];
        Terminal::start(&Setup { env: &env, ..Setup::new(&[&args[..], more].concat()) })
    };
    let mut terminal = start(&["--who", "i-0abc"]);
    terminal.wait_for("the interface by its name", |screen| {
        screen.contains(&format!("Interface {ENI} web-1"))
            && screen.contains("is        web-1, i-0abc, interface")
            && screen.contains("groups    sg-1 web")
    });
    terminal.press("i");
    terminal.wait_for("how old it is", |screen| {
        screen.contains("3 interfaces of us-west-1, as of ") && screen.contains("ago; kept for an hour, W asks anew")
    });
    terminal.press("i");
    fake.state().interfaces = [page(&[(ENI, "renamed", "i-0abc", "172.16.0.178")], "")].into();
    terminal.press("W");
    terminal.wait_for("the new name", |screen| {
        screen.contains("EC2 knows 1 interface in us-west-1") && screen.contains(&format!("Interface {ENI} renamed"))
    });
    // The resolver of the system is asked for one address, after it was said what that tells.
    terminal.press("D");
    terminal.wait_for_text("Reverse DNS of 172.16.0.178");
    terminal.press("n");
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    // Denied: told once, and the tail goes on; the names that were kept are of another key, so there are none.
    fake.state().interfaces.clear();
    let mut terminal = start(&["--no-state"]);
    terminal
        .wait_for("that it is not allowed", |screen| screen.contains("ec2:DescribeNetworkInterfaces is not allowed"));
    terminal.wait_for("rows", |screen| screen.contains("172.16.0.178"));
    terminal.press("j");
    terminal.wait_for("the notice to go", |screen| !screen.contains("ec2:DescribeNetworkInterfaces is not allowed"));
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    let before = fake.state().interfaces_asked.len();
    let mut terminal = start(&["--no-state", "--no-interfaces"]);
    terminal.wait_for("rows", |screen| screen.contains("172.16.0.178"));
    terminal.press("W");
    terminal.wait_for_text("--no-interfaces says so");
    terminal.press("q");
    assert_eq!(terminal.wait_exit(), 0);
    assert_eq!(fake.state().interfaces_asked.len(), before);
}

/// One call of EC2's query protocol; gives the answer.
fn ec2(port: u16, form: &str) -> String {
    let headers = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n\
                   Authorization: AWS4-HMAC-SHA256 Credential=AKIDTEST/20260101/us-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n";
    let (status, answer) =
        http(port, "POST", "/", headers, &format!("{form}&Version=2016-11-15")).expect("moto answers");
    assert_eq!(status, 200, "{form}: {answer}");
    answer
}

fn element<'a>(text: &'a str, name: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{name} in {text}"));
    rest.split_once("</").unwrap().0
}

#[test]
fn moto_answers_as_it_is_read() {
    let Some(moto) = Moto::start() else { return };
    let subnets = ec2(moto.port, "Action=DescribeSubnets");
    let (subnet, network) = (element(&subnets, "subnetId"), element(&subnets, "cidrBlock"));
    let address = network.replace(".0/20", ".77");
    let made = ec2(
        moto.port,
        &format!("Action=CreateNetworkInterface&SubnetId={subnet}&PrivateIpAddress={address}&Description=of+a+test"),
    );
    let interface = element(&made, "networkInterfaceId").to_owned();
    ec2(moto.port, &format!("Action=CreateTags&ResourceId.1={interface}&Tag.1.Key=Name&Tag.1.Value=web-1"));
    let instance =
        ec2(moto.port, &format!("Action=RunInstances&ImageId=ami-12c6146b&MinCount=1&MaxCount=1&SubnetId={subnet}"));
    let instance = element(&instance, "instanceId").to_owned();
    let group = "/vpc/flow-logs";
    moto.group(group);
    let stream = format!("{interface}-all");
    moto.stream(group, &stream);
    let start = now() / 1000 - 300;
    moto.put(group, &stream, vec![(start * 1000, flow(&interface, start, 1))]);
    let home = tempfile::tempdir().unwrap();
    let args = ["tail", group, "--print", "flows", "--as", "csv", "--max-rps", "50", "--for", "1s"];
    for who in ["web-1", &address, "of a test"] {
        let output = command(moto.port, home.path(), &[&args[..], &["--who", who]].concat()).output().unwrap();
        assert_eq!(rows(&output, &interface), 1, "{who}: {}", said(&output));
    }
    // An instance has one interface, which has no records here.
    let output = command(moto.port, home.path(), &[&args[..], &["--who", &instance]].concat()).output().unwrap();
    assert_eq!((rows(&output, &interface), output.status.code()), (0, Some(1)), "{}", said(&output));
}
