//! Real captures, where `FLOWTAIL_CORPUS` names the corpus. They are not part of the project: their licences differ.

use super::*;

fn lines(path: &str) -> Option<String> {
    let root = std::env::var_os("FLOWTAIL_CORPUS")?;
    Some(std::fs::read_to_string(std::path::Path::new(&root).join(path)).expect("the corpus has the file"))
}

#[test]
fn captured_reflection_is_found_from_the_victims_side() {
    for name in ["snmp", "dns_rrsig"] {
        let Some(text) = lines(&format!("attacks/ddos_in_{name}_reflection.log")) else { return };
        let alerts = alerts(&text);
        let messages: Vec<String> = alerts.iter().map(|alert| format!("{} {}", alert.rule, alert.message)).collect();
        assert_eq!(ids(&alerts), ["AMP-VICTIM"], "{name}: {messages:#?}");
    }
}

#[test]
fn captured_ordinary_traffic_raises_nothing_but_the_scan_that_is_in_it() {
    let Some(text) = lines("benign/cribl_us-east-1_2021_v2.log") else { return };
    let found = alerts(&text);
    assert_eq!(ids(&found), ["SCAN-VERT-STOPPED"], "{found:#?}");
    let scan = &found[0];
    // One of the 47 is above the scanner's own port, and taken for the client's.
    assert!((46.0..=47.0).contains(&value(&scan.measured, "ports")), "{:?}", scan.measured);
    for words in ["217.12.208.8", "10.0.0.138"] {
        assert!(scan.message.contains(words), "{}", scan.message);
    }
    let rest: Vec<&str> = text.lines().filter(|line| !line.contains("217.12.208.8")).collect();
    assert!(rest.len() > 50);
    let rest = alerts(&(rest.join("\n") + "\n"));
    assert!(rest.is_empty(), "{rest:#?}");
}

#[test]
fn the_reconstructed_trigger_is_a_probe() {
    let Some(text) = lines("attacks/botsv3_memcached_reconstructed.log") else { return };
    assert_eq!(ids(&alerts(&text)), ["AMP-PROBE"]);
}

#[test]
fn a_captured_scan_is_one_alert_that_grows() {
    let Some(text) = lines("attacks/scan_syn_vertical_nmap.log") else { return };
    let alerts = alerts(&text);
    assert_eq!(ids(&alerts), ["SCAN-VERT-EXTERNAL"], "{alerts:#?}");
    assert!(value(&alerts[0].measured, "ports") > 900.0, "{:?}", alerts[0].measured);
}
