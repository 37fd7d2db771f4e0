//! What becomes of single expressions. That no pattern is narrower than its expression is held by `tests/pushdown.rs`.

use super::*;

fn fetch(text: &str) -> Fetch {
    Fetch::new(&Filter::parse(text, Stage::Flows).unwrap(), None)
}

fn formatted(text: &str) -> Fetch {
    Fetch::new(&Filter::parse(text, Stage::Flows).unwrap(), Some(&Format::default_v2()))
}

#[test]
fn values_are_terms_and_what_has_no_data_always_comes() {
    let fetch = fetch("port 11211");
    assert_eq!(fetch.pattern.as_deref(), Some(r#"?"11211" ?"NODATA" ?"SKIPDATA""#));
    assert_eq!((fetch.pushed.join(""), fetch.checked.len()), ("port = 11211".to_owned(), 0));
    assert!(fetch.remarks.is_empty());
}

#[test]
fn the_rarest_part_is_pushed_and_the_others_are_checked_here() {
    let fetch = fetch("udp and ip 13.125.33.130 and bytes > 1M");
    assert_eq!(fetch.pattern.as_deref(), Some(r#"?"13.125.33.130" ?"NODATA" ?"SKIPDATA""#));
    assert_eq!(fetch.pushed, ["ip = 13.125.33.130"]);
    assert_eq!(fetch.checked, ["protocol = udp", "bytes > 1M"]);
    assert!(fetch.remarks[0].starts_with("bytes > 1M may hold for one direction"), "{:?}", fetch.remarks);
}

#[test]
fn the_closed_expression_is_its_own_image() {
    let closed = |text: &str| fetch(text).closed().map(ToString::to_string);
    let none = "log-status in {NODATA, SKIPDATA}";
    assert_eq!(
        closed("src 10.0.0.1 dport 53 ingress"),
        Some(format!(
            "srcaddr = 10.0.0.1 and dstport = 53 and flow-direction = ingress \
             or dstaddr = 10.0.0.1 and srcport = 53 and flow-direction = egress or {none}"
        ))
    );
    assert_eq!(closed("port 53"), Some(format!("port = 53 or {none}")));
    // A pattern over several columns has no image: the other part decides alone.
    assert_eq!(closed("port 53 and /a.b/"), Some(format!("port = 53 or {none}")));
    assert_eq!(closed("/a.b/"), None);
    assert_eq!(closed("not (port 53 and /a.b/)"), None);
}

#[test]
fn what_no_term_can_find_reads_everything_and_says_so() {
    for text in [
        "ip 2001:db8::1",
        "ip in {10.0.0.1, 2001:db8::1}",
        "ip 10.0.0.0/8",
        "not port 443",
        "bytes > 1M",
        "interface-id = eni-0a",
    ] {
        let fetch = fetch(text);
        assert_eq!(fetch.pattern, None, "{text}");
        assert!(fetch.closed().is_some() && fetch.summary().contains("everything is read"), "{text}");
        assert_eq!(fetch.checked.len(), 1, "{text}");
    }
    assert!(fetch("/a.b/").remarks[0].contains("cannot be turned round"));
}

#[test]
fn positions_are_asked_for_where_the_format_is_known_and_they_say_more() {
    assert_eq!(
        formatted("udp and REJECT and bytes >= 400").pattern.as_deref(),
        Some(
            "[version, account_id, interface_id, srcaddr, dstaddr, srcport, dstport, protocol = 17 || protocol = \"-\", packets, \
             bytes >= 400 || bytes = \"-\", start, end, action = REJECT || action = \"-\", log_status]"
        )
    );
    assert_eq!(formatted("udp and REJECT and bytes >= 400").checked, Vec::<String>::new());
    let inside = formatted("src 10.0.0.0/8 and dst 10.0.0.0/8").pattern.unwrap();
    assert!(inside.contains("srcaddr = 10.* || srcaddr = \"-\", dstaddr = 10.* ||"), "{inside}");
    // One side or the other cannot be said by position.
    assert_eq!(formatted("port 11211 and udp").pattern, fetch("port 11211").pattern);
    assert_eq!(formatted("src 10.0.0.0/8").pattern, None);
}

#[test]
fn no_pattern_is_too_long() {
    let ports: Vec<String> = (0..400).map(|port| (port * 2).to_string()).collect();
    let many = format!("port in {{{}}}", ports.join(", "));
    assert_eq!(fetch(&many).pattern, None);
    let wide = formatted("(src $private and dst $private) and tcp").pattern.unwrap();
    assert!(wide.len() <= MAX_PATTERN && wide.contains("protocol = 6"), "{wide}");
}

#[test]
fn ids_are_asked_for_as_aws_spells_them() {
    assert_eq!(fetch("vpc-id = VPC-0A").pattern.as_deref(), Some(r#"?"vpc-0a" ?"NODATA" ?"SKIPDATA""#));
    assert_eq!(formatted("interface-id = ENI-0A").pattern.as_deref(), Some(r#"?"eni-0a" ?"NODATA" ?"SKIPDATA""#));
    assert_eq!(fetch("account-id = 123456789012").pattern.as_deref(), Some(r#"?"123456789012" ?"NODATA" ?"SKIPDATA""#));
    // Tags and names are as their owners spell them.
    assert_eq!(fetch("instance-tag = Web").pattern, None);
}
