//! What is known beside the log, where it is shown: names by EC2, countries and networks, reverse DNS for one address; and that nothing of it is asked for
//! by itself.

use std::sync::Arc;

use flowtail::app::{App, Effect};
use flowtail::enrich::{Geo, Interface, Interfaces, Known, Names};

use crate::stage::Stage;

#[path = "../support/mmdb.rs"]
mod mmdb;

const ENI: &str = "eni-0536faba73134a9b7";

/// What EC2 says of the interface of the founding example, and of another with a name that wants to be more.
fn interfaces(name: &str) -> Arc<Interfaces> {
    let own = Interface {
        id: ENI.into(),
        name: name.into(),
        description: "Primary network interface".into(),
        kind: "interface".into(),
        status: "in-use".into(),
        instance: "i-0abc1234567890def".into(),
        vpc: "vpc-1".into(),
        addresses: vec!["172.16.0.178".parse().unwrap()],
        public: vec!["203.0.113.77".parse().unwrap()],
        groups: vec![("sg-1".into(), "cache".into())],
        ..Interface::default()
    };
    let other =
        Interface { id: "eni-0a1b2c3d4e5f60718".into(), name: "\u{1b}[2Jevil\u{202e}".into(), ..Interface::default() };
    Arc::new(Interfaces::new([own, other], "us-west-1", 1_534_778_940))
}

fn stage() -> Stage {
    let mut geo = Geo::default();
    let korea = [("13.124.0.0/15", mmdb::country("KR", "South Korea"))];
    geo.add("country.mmdb", mmdb::database("Test-Country", 1_534_000_000, &korea)).unwrap();
    let amazon =
        [("13.125.0.0/16", mmdb::system(16_509, "AMAZON-02")), ("172.16.0.0/12", mmdb::system(64_512, "PRIVATE"))];
    geo.add("asn.mmdb", mmdb::database("Test-ASN", 1_534_000_000, &amazon)).unwrap();
    let mut stage = crate::stage();
    stage.app = App::new().with_known(Arc::new(Known::default().with_geo(geo)));
    stage.resize(120, 32);
    stage
}

#[test]
fn what_ec2_says_is_shown_with_its_time_and_the_own_list_comes_first() {
    let mut stage = stage();
    stage.app.learn(Some(interfaces("cache-1")), None);
    assert_eq!(stage.app.notice(), None, "what was not asked for by hand does not speak up");
    stage.resize(200, 60).run("/port 40396<enter>");
    assert!(stage.shows("172.16.0.178 cache-1 11211"), "{}", stage.text());
    stage.run("d");
    let said = "cache-1, i-0abc1234567890def, interface, \"Primary network interface\"; public 203.0.113.77, vpc-1; sg-1 cache";
    assert!(stage.shows(&format!("{ENI}: {said}")), "{}", stage.text());
    stage.resize(80, 24).run("<esc>I");
    for seen in [
        "Interface eni-0536faba73134a9b7 cache-1",
        "is        cache-1, i-0abc1234567890def",
        "groups    sg-1 cache",
        "as of     2018-08-20 15:29:00Z, by EC2; W asks anew",
    ] {
        assert!(stage.shows(seen), "{seen}\n{}", stage.text());
    }
    stage.run("i");
    assert!(stage.shows("2 interfaces of us-west-1, as of 2018-08-20 15:29:00Z (1m"), "{}", stage.text());
    stage.run("<esc><esc>");
    let known = Known::from(Names::read("172.16.0.178,mine\n").unwrap());
    stage.app = App::new().with_known(Arc::new(known));
    stage.app.learn(Some(interfaces("cache-1")), None);
    stage.resize(120, 32).run("2<enter>");
    assert!(stage.shows("172.16.0.178 mine") && !stage.shows("172.16.0.178 cache-1"), "{}", stage.text());
}

#[test]
fn a_failure_is_told_once_and_what_was_known_stays() {
    let mut stage = stage();
    stage.app.learn(Some(interfaces("cache-1")), Some("EC2 in us-west-1 does not say: no answer in time".to_owned()));
    stage.resize(120, 32);
    assert!(stage.shows("What the interfaces are is not known: EC2 in us-west-1 does not say"), "{}", stage.text());
    stage.run("j");
    assert!(!stage.shows("What the interfaces are is not known"), "{}", stage.text());
    stage.run("i");
    assert!(
        stage.shows("EC2 in us-west-1 does not say: no answer in time") && stage.shows("2 interfaces of"),
        "{}",
        stage.text()
    );
    // Asked for by hand, the answer is told.
    stage.run("<esc>W");
    assert_eq!(stage.effects, [Effect::AskInterfaces]);
    stage.app.learn(Some(interfaces("cache-1")), None);
    stage.resize(120, 32);
    assert!(stage.shows("EC2 knows 2 interfaces in us-west-1"), "{}", stage.text());
    stage.run("i");
    assert!(!stage.shows("no answer in time"), "{}", stage.text());
}

#[test]
fn texts_of_tags_are_harmless() {
    let mut stage = stage();
    stage.app.learn(Some(interfaces("\u{1b}]0;x\u{7}")), None);
    for keys in ["", "d", "jjJJ", "<esc>I", "<esc>2", "i", "<esc>3", "<enter>"] {
        stage.run(keys);
        for (width, height) in [(80, 24), (200, 60), (20, 5)] {
            stage.resize(width, height);
            let text = stage.text();
            assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text}");
        }
    }
}

#[test]
fn country_and_network_stand_beside_public_addresses_alone() {
    let mut stage = stage();
    stage.run("/port 40396<enter>d");
    assert!(stage.shows("geo       13.125.33.130 KR South Korea, AS16509 AMAZON-02"), "{}", stage.text());
    assert!(!stage.shows("PRIVATE"), "{}", stage.text());
    stage.run("<esc>");
    stage.resize(80, 24).run("3<enter>");
    stage.run("<esc><esc>2/client = 13.125.33.130<enter>e");
    assert!(stage.shows("geo       KR South Korea, AS16509 AMAZON-02"), "{}", stage.text());
    stage.run("i");
    assert!(stage.shows("Test-Country of 2018-08-11, country.mmdb"), "{}", stage.text());
    // Peers have their country beside them.
    stage.resize(120, 32).run("<esc><esc>I");
    assert!(stage.shows("13.125.33.130 KR"), "{}", stage.text());
}

#[test]
fn reverse_dns_is_asked_for_one_address_after_it_was_said_what_that_tells() {
    let mut stage = stage();
    let address = "13.125.33.130".parse().unwrap();
    // Of an alert whom it is about is meant, whatever row the table is at.
    for keys in ["jjjjjjaD", "<esc>a3D"] {
        stage.run(keys);
        assert!(stage.shows("Reverse DNS of 13.125.33.130"), "{keys}\n{}", stage.text());
        stage.run("n");
    }
    stage.run("2/client = 13.125.33.130<enter>D");
    assert!(stage.effects.is_empty(), "{:?}", stage.effects);
    assert!(stage.shows("Reverse DNS of 13.125.33.130") && stage.shows("the attacker's"), "{}", stage.text());
    stage.run("n");
    assert!(stage.effects.is_empty() && !stage.shows("Reverse DNS of"));
    for keys in ["Dy", "D<enter>"] {
        stage.run(keys);
        assert_eq!(stage.effects, [Effect::Lookup(address)], "{keys}");
    }
    stage.app.take_lookup(address, Err("no answer within 5 seconds".to_owned()));
    stage.resize(120, 32);
    assert!(stage.shows("The name of 13.125.33.130 is not known: no answer within 5 seconds."), "{}", stage.text());
    stage.app.take_lookup(address, Ok(Some("evil\u{1b}[2J.example".to_owned())));
    stage.resize(120, 32);
    assert!(stage.shows("is called evil\u{fffd}[2J.example, by reverse DNS"), "{}", stage.text());
    stage.run("d");
    assert!(
        stage.shows("dns       13.125.33.130 evil\u{fffd}[2J.example (asked 2018-08-20 15:30:00Z)"),
        "{}",
        stage.text()
    );
    stage.run("<esc>e");
    assert!(stage.shows("dns       evil\u{fffd}[2J.example (asked"), "{}", stage.text());
    // In the view of an address its peer is meant where one is chosen.
    stage.run("D");
    assert!(stage.shows("Reverse DNS of 13.125.33.130") && stage.shows("So far: evil"), "{}", stage.text());
    stage.run("n<down><down><down><down><down>D");
    assert!(stage.shows("Reverse DNS of 172.16.0.178") && stage.shows("no public one"), "{}", stage.text());
    stage.run("n");
    stage.app.take_lookup("172.16.0.178".parse().unwrap(), Ok(None));
    stage.resize(120, 32);
    assert!(stage.shows("172.16.0.178 has no name"), "{}", stage.text());
}

#[test]
fn nobody_is_asked_where_that_is_forbidden() {
    let mut stage = stage();
    stage.app = App::new().with_known(Arc::new(Known::default().with_quiet(true)));
    stage.resize(120, 32).run("2D");
    assert!(stage.shows("--no-dns says so") && stage.effects.is_empty(), "{}", stage.text());
    stage.app = App::new().with_inventory(Err("Only a tail knows an account."));
    stage.resize(120, 32).run("W");
    assert!(stage.shows("Only a tail knows an account.") && stage.effects.is_empty(), "{}", stage.text());
}

#[test]
fn alerts_and_marks_name_whom_they_are_about() {
    let mut stage = stage();
    stage.app.learn(Some(interfaces("cache-1")), None);
    stage.resize(120, 32);
    let card = "172.16.0.178 cache-1";
    assert!(stage.shows(card), "{}", stage.text());
    stage.run("a<enter>");
    stage.run("<esc><esc>2/client = 13.125.33.130<enter>m");
    stage.run("nreflector<enter>M");
    stage.resize(200, 60);
    assert!(stage.shows("reflector 172.16.0.178 cache-1"), "{}", stage.text());
}
