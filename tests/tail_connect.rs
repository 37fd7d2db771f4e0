//! What a tail says, before the screen opens, where the machine has no region, no credentials or expired ones.
//!
//! The environment decides here, and a process has only one: each case runs in a child process, which is this very test binary again.

#![cfg(feature = "aws")]

use std::path::Path;
use std::process::Command;

use flowtail::source::cloudwatch::{Tail, TailConfig};

/// Set in the child: `profile,endpoint`, either may be empty.
const CASE: &str = "FLOWTAIL_TEST_CONNECT";

/// The child's part. Without the variable it checks that nothing at all is refused without a network.
#[test]
fn child() {
    let case = std::env::var(CASE).unwrap_or_default();
    let (profile, endpoint) = case.split_once(',').unwrap_or_default();
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let groups = if std::env::var_os(CASE).is_some() { vec!["/vpc/flow-logs".to_owned()] } else { vec![String::new()] };
    let config = TailConfig { groups, profile: some(profile), endpoint_url: some(endpoint), ..TailConfig::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(Tail::connect(config)).err().expect("there is nothing to connect to");
    println!("<<{error}>>");
}

/// Runs the child with these variables and files in its home, and returns what it says.
fn said(case: &str, variables: &[(&str, &str)], files: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env(CASE, case)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let said = text.split_once("<<").and_then(|(_, rest)| rest.split_once(">>")).map(|(said, _)| said.to_owned());
    said.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDTEST"), ("AWS_SECRET_ACCESS_KEY", "secret")];
const REGION: (&str, &str) = ("AWS_REGION", "us-west-1");

#[test]
fn a_missing_region_names_the_option() {
    let error = said(",", &KEYS, &[]);
    assert!(error.contains("no region") && error.contains("--region") && error.contains("AWS_REGION"), "{error}");
}

#[test]
fn missing_credentials_name_the_ways_to_get_some() {
    let error = said(",", &[REGION], &[]);
    assert!(error.starts_with("no AWS credentials") && error.contains("aws sso login"), "{error}");
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    let error = said("prod,", &[REGION], &[(".aws/config", "[profile other]\nregion = us-west-1\n")]);
    assert!(error.contains("profile `prod` was not defined"), "{error}");
}

#[test]
fn an_expired_sso_login_names_the_command_with_the_profile() {
    let config = "[profile prod]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = r\n\
        [sso-session corp]\nsso_region = us-west-1\nsso_start_url = https://corp.awsapps.com/start\n";
    // Without a login: no cached token.
    let error = said("prod,", &[REGION], &[(".aws/config", config)]);
    assert!(error.contains("logged in") && error.contains("aws sso login --profile prod"), "{error}");
    // With an old one. The file's name is the SHA-1 of the session's name, `corp`.
    let token = r#"{"accessToken":"t","expiresAt":"2020-01-01T00:00:00Z","region":"us-west-1","startUrl":"https://corp.awsapps.com/start"}"#;
    let cache = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    let error = said("prod,", &[REGION], &[(".aws/config", config), (cache, token)]);
    assert!(error.contains("expired") && error.contains("aws sso login --profile prod"), "{error}");
}

#[test]
fn a_credential_process_that_fails_is_named() {
    let config = "[profile prod]\nregion = us-west-1\ncredential_process = /bin/false\n";
    let error = said("prod,", &[], &[(".aws/config", config)]);
    assert!(error.contains("no AWS credentials") && error.contains("credential_process"), "{error}");
}
