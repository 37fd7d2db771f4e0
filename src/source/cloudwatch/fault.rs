//! What can go wrong with a request, told apart by what helps.

use super::error::TailError;

/// Kinds of failure, by what helps against them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The account's quota is used up. Waiting helps.
    Throttled,
    /// No or no whole answer: DNS, connection, timeout, reset, truncated body. Waiting helps.
    Network,
    /// AWS failed. Waiting helps.
    Server,
    /// No provider has credentials.
    NoCredentials,
    /// Credentials have expired. Refreshing helps, or the user must log in.
    Expired,
    /// AWS does not know the credentials or the signature.
    Rejected,
    /// The signature is of another time than AWS has.
    Clock,
    /// Not allowed; `remedy` is what helps.
    Denied { action: String, resource: String, remedy: String },
    /// No such log group.
    NoSuchGroup,
    /// The pagination token is not accepted. Starting the range again helps.
    Token,
    /// The request is not accepted.
    Refused,
}

/// What helps against [`Kind::Clock`].
pub(super) const SET_CLOCK: &str = "Set the clock of this machine (for instance `timedatectl set-ntp true`)";

/// A failed request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// What was heard, cleaned for the screen.
    pub(super) detail: String,
}

/// Where requests go and as whom, for messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    pub(super) region: String,
    pub(super) profile: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) login: Login,
}

/// Where the credentials come from, as far as it decides what the user can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Login {
    #[default]
    Unknown,
    Environment,
    Sso,
    Process,
    Other,
}

impl Place {
    fn service(&self) -> String {
        match &self.endpoint {
            Some(url) => format!("{} ({})", clean(url), self.region),
            None => format!("CloudWatch Logs in {}", self.region),
        }
    }

    fn profile_option(&self) -> String {
        self.profile.as_ref().map(|name| format!(" --profile {}", clean(name))).unwrap_or_default()
    }

    /// What to do about credentials that AWS does not know: those of another partition, or of a session token of the old version, look the same where a
    /// region is not enabled (AWS knowledge center, "iam-validate-access-credentials").
    fn rejected_remedy(&self) -> String {
        format!("{}. If they are right: is {} enabled for their account?", self.login_remedy(), self.region)
    }

    /// What to do about credentials that are missing, expired or refused.
    pub(super) fn login_remedy(&self) -> String {
        let profile = self.profile_option();
        match self.login {
            Login::Environment => "Set fresh AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN and start again: they come from the environment, where a running program cannot see new ones".to_owned(),
            Login::Sso => format!("Run `aws sso login{profile}`"),
            Login::Process => {
                let of = self.profile.as_ref().map_or_else(|| "the profile".to_owned(), |name| format!("profile {}", clean(name)));
                format!("They come from the credential_process of {of} in ~/.aws/config: run that command and see what it says")
            }
            Login::Unknown | Login::Other => format!(
                "Run `aws sso login{profile}` or `aws configure{profile}`, choose another profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            ),
        }
    }
}

impl Fault {
    pub(super) fn new(kind: Kind, detail: impl AsRef<str>) -> Fault {
        Fault { kind, detail: clean(detail.as_ref()) }
    }

    /// Whether new credentials may help.
    pub(super) fn is_login(&self) -> bool {
        matches!(self.kind, Kind::NoCredentials | Kind::Expired | Kind::Rejected)
    }

    /// Whether it takes a person to mend it.
    pub(super) fn needs_person(&self) -> bool {
        self.is_login() || matches!(self.kind, Kind::Clock | Kind::Denied { .. } | Kind::NoSuchGroup | Kind::Refused)
    }

    /// One sentence or two for the header while the tail waits: what happened to `group`, and what helps.
    pub(super) fn explain(&self, group: &str, place: &Place) -> String {
        let service = place.service();
        match &self.kind {
            Kind::Throttled => {
                format!(
                    "{service} throttles this account; all its tools share one quota, and a lower --max-rps takes less of it"
                )
            }
            Kind::Network => format!("no answer from {service}: {}", self.detail),
            Kind::Server => format!("{service} fails: {}", self.detail),
            Kind::NoCredentials => format!("no AWS credentials: {}. {}", self.detail, place.login_remedy()),
            Kind::Expired => format!("AWS credentials have expired. {}", place.login_remedy()),
            Kind::Rejected => {
                format!("AWS does not accept the credentials: {}. {}", self.detail, place.rejected_remedy())
            }
            Kind::Clock => format!("{service} does not accept the time of this machine: {}. {SET_CLOCK}", self.detail),
            Kind::Denied { action, resource, remedy } => format!("not allowed: {action} on {resource}. {remedy}"),
            Kind::NoSuchGroup => format!(
                "there is no log group {group} in {} any more: was it deleted, or does its flow log write to another one now?",
                place.region
            ),
            Kind::Token => format!("{service} refuses its own pagination token: {}", self.detail),
            Kind::Refused => format!("{service} refuses to read {group}: {}", self.detail),
        }
    }

    /// The error that keeps a tail from starting, or `None` where waiting may help.
    pub(super) fn fatal(&self, group: &str, place: &Place) -> Option<TailError> {
        let (detail, remedy) = (self.detail.clone(), place.login_remedy());
        let (group, region) = (group.to_owned(), place.region.clone());
        match &self.kind {
            Kind::Throttled | Kind::Network | Kind::Server | Kind::Token => None,
            Kind::NoCredentials => Some(TailError::NoCredentials { detail, remedy }),
            Kind::Expired => Some(TailError::ExpiredCredentials { detail, remedy }),
            Kind::Rejected => Some(TailError::RejectedCredentials { detail, remedy: place.rejected_remedy() }),
            Kind::Clock => Some(TailError::Clock { detail }),
            Kind::Denied { action, resource, remedy } => {
                Some(TailError::Denied { action: action.clone(), resource: resource.clone(), remedy: remedy.clone() })
            }
            Kind::NoSuchGroup => Some(TailError::NoSuchGroup { group, region, similar: Vec::new(), s3: Vec::new() }),
            Kind::Refused => Some(TailError::Refused { group, region, detail }),
        }
    }
}

/// Sorts an error answer of AWS by its code and HTTP status. `asked` is the action and resource that were asked for; `paged`, whether a pagination
/// token was sent.
pub(super) fn classify(code: &str, status: u16, message: &str, asked: (&str, &str), paged: bool) -> Fault {
    let detail = match (code, message) {
        ("", "") => format!("HTTP status {status}"),
        ("", text) | (text, "") => text.to_owned(),
        (code, message) => format!("{message} ({code})"),
    };
    // Codes without a model in the API: they come from the front end of AWS. The lists are those of the SDK's own classifiers
    // (aws-runtime, retries/classifiers.rs) and of "Common errors" in the API reference.
    let kind = match code {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottledException"
        | "RequestThrottled"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "BandwidthLimitExceeded"
        | "SlowDown" => Kind::Throttled,
        "RequestTimeTooSkewed" | "RequestExpired" => Kind::Clock,
        // "Signature expired: 20261124T203000Z is now earlier than …", "Signature not yet current: … is still later than …".
        "InvalidSignatureException" | "SignatureDoesNotMatch" if message.starts_with("Signature ") => Kind::Clock,
        "ExpiredTokenException" | "ExpiredToken" | "TokenRefreshRequired" => Kind::Expired,
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "AuthFailure"
        | "NotAuthorized" => Kind::Rejected,
        "AccessDeniedException" | "AccessDenied" | "UnauthorizedOperation" => denied(message, asked),
        "ResourceNotFoundException" => Kind::NoSuchGroup,
        "InvalidParameterException" if paged => Kind::Token,
        "ServiceUnavailableException" | "ServiceUnavailable" | "InternalFailure" | "InternalServerError" => {
            Kind::Server
        }
        _ => match status {
            429 => Kind::Throttled,
            // 408: a proxy in between gave up.
            408 => Kind::Network,
            500.. => Kind::Server,
            _ if code.is_empty() => Kind::Network,
            _ => Kind::Refused,
        },
    };
    Fault::new(kind, detail)
}

/// Reads who may not do what on what, and by which policy, out of AWS's sentence: "User: ARN is not authorized to perform: ACTION on resource: ARN", then
/// "because no TYPE policy allows …" or "with an explicit deny in a TYPE policy: ARN" (IAM user guide, "Troubleshoot access denied error messages").
fn denied(message: &str, (action, resource): (&str, &str)) -> Kind {
    let word_after = |mark: &str| {
        let (_, rest) = message.split_once(mark)?;
        rest.split_whitespace().next().map(|word| clean(word.trim_end_matches(['.', ',', ':'])))
    };
    let remedy = if let Some((_, policy)) = message.split_once("with an explicit deny in ") {
        let policy = clean(policy.trim_end_matches('.'));
        format!("It is denied by {policy}: no permission beside it helps, that policy must be changed")
    } else {
        let who = word_after("User: ").unwrap_or_else(|| "the user or role in use".to_owned());
        let silent = message.split_once("because no ").and_then(|(_, rest)| rest.split_once(" allows"));
        match silent.map(|(policy, _)| clean(policy)).filter(|policy| !policy.starts_with("identity-based")) {
            Some(policy) => format!("No {policy} allows it to {who}: add it there"),
            None => format!("Add it to the IAM policy of {who}"),
        }
    };
    Kind::Denied {
        action: word_after("to perform: ").unwrap_or_else(|| action.to_owned()),
        resource: word_after("on resource: ").map_or_else(
            || clean(resource),
            // AWS names all streams of a group by an end that says nothing to whoever writes the policy.
            |named| named.strip_suffix(":log-stream").unwrap_or(&named).to_owned(),
        ),
        remedy,
    }
}

/// Text from the network, fit for a message: one line, no control characters, at most 400 characters.
pub(super) fn clean(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.trim().chars().enumerate() {
        if count == 400 {
            out.push('…');
            break;
        }
        // Bidi overrides and isolates could make a message read differently from what it says.
        let hidden =
            c.is_control() || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        out.push(if hidden { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: (&str, &str) = ("logs:FilterLogEvents", "/vpc/a");

    #[test]
    fn codes_are_told_apart_by_what_helps() {
        let kind = |code, status, paged| classify(code, status, "m", ASKED, paged).kind;
        assert_eq!(kind("ThrottlingException", 400, false), Kind::Throttled);
        assert_eq!(kind("", 429, false), Kind::Throttled);
        assert_eq!(kind("ExpiredTokenException", 400, true), Kind::Expired);
        assert_eq!(kind("UnrecognizedClientException", 400, false), Kind::Rejected);
        assert_eq!(kind("ResourceNotFoundException", 400, false), Kind::NoSuchGroup);
        assert_eq!(kind("InvalidParameterException", 400, true), Kind::Token);
        assert_eq!(kind("InvalidParameterException", 400, false), Kind::Refused);
        assert_eq!(kind("LimitExceededException", 400, false), Kind::Throttled);
        let sessions = classify("LimitExceededException", 400, "m", ("logs:StartLiveTail", "/vpc/a"), false);
        assert_eq!(sessions.kind, Kind::Throttled, "others' sessions end, and then there is room for this one");
        assert_eq!(kind("", 502, false), Kind::Server);
        assert_eq!(kind("SomethingNew", 500, false), Kind::Server);
        assert_eq!(kind("SomethingNew", 400, false), Kind::Refused);
        assert_eq!(kind("", 403, false), Kind::Network, "a proxy's page says nothing about AWS");
    }

    #[test]
    fn a_denial_names_who_what_and_on_what() {
        let message = "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: logs:FilterLogEvents on resource: \
            arn:aws:logs:us-west-1:123456789012:log-group:/vpc/a:log-stream: because no identity-based policy allows it";
        let fault = classify("AccessDeniedException", 400, message, ASKED, false);
        let error = fault.fatal("/vpc/a", &Place::default()).unwrap().to_string();
        assert!(
            error.contains("logs:FilterLogEvents on arn:aws:logs:us-west-1:123456789012:log-group:/vpc/a"),
            "{error}"
        );
        assert!(error.contains("assumed-role/r/s"), "{error}");
        assert!(error.contains("Add it to the IAM policy of"), "{error}");
        let bare = classify("AccessDeniedException", 400, "no", ASKED, false).explain("/vpc/a", &Place::default());
        assert!(bare.contains("logs:FilterLogEvents on /vpc/a"), "{bare}");
    }

    #[test]
    fn a_denial_by_a_policy_above_does_not_send_to_the_iam_policy() {
        let said = |why: &str| {
            let message = format!(
                "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: logs:FilterLogEvents on resource: arn:aws:logs:x:y {why}"
            );
            classify("AccessDeniedException", 400, &message, ASKED, false).explain("/vpc/a", &Place::default())
        };
        let scp = said("with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-a/p-b");
        assert!(scp.contains("denied by a service control policy: arn:aws:organizations::1:policy/o-a/p-b"), "{scp}");
        let endpoint = said("because no VPC endpoint policy allows the logs:FilterLogEvents action");
        assert!(endpoint.contains("No VPC endpoint policy allows it to arn:aws:sts::123456789012"), "{endpoint}");
        for text in [scp, endpoint] {
            assert!(!text.contains("IAM policy"), "{text}");
        }
    }

    #[test]
    fn a_clock_that_is_wrong_is_not_taken_for_credentials() {
        for (code, message) in [
            (
                "InvalidSignatureException",
                "Signature expired: 20261124T203000Z is now earlier than 20261124T204000Z (20261124T204500Z - 5 min.)",
            ),
            (
                "InvalidSignatureException",
                "Signature not yet current: 20261124T213000Z is still later than 20261124T204500Z",
            ),
            ("RequestTimeTooSkewed", "The difference between the request time and the current time is too large."),
        ] {
            let text = classify(code, 400, message, ASKED, false).fatal("g", &Place::default()).unwrap().to_string();
            assert!(text.contains("timedatectl") && !text.contains("login"), "{text}");
        }
        let scope = "Credential should be scoped to a valid region.";
        assert_eq!(classify("InvalidSignatureException", 400, scope, ASKED, false).kind, Kind::Rejected);
    }

    #[test]
    fn expired_sso_names_the_command_with_the_profile() {
        let place =
            Place { region: "us-west-1".into(), profile: Some("prod".into()), login: Login::Sso, ..Place::default() };
        let fault = Fault::new(Kind::Expired, "x");
        assert!(fault.explain("g", &place).contains("`aws sso login --profile prod`"));
        assert!(fault.fatal("g", &place).unwrap().to_string().contains("`aws sso login --profile prod`"));
    }

    #[test]
    fn what_waiting_helps_does_not_keep_a_tail_from_starting() {
        for kind in [Kind::Throttled, Kind::Network, Kind::Server] {
            assert_eq!(Fault::new(kind, "").fatal("g", &Place::default()), None);
        }
    }

    #[test]
    fn messages_carry_no_control_characters() {
        let fault = classify("X\u{1b}[2J", 400, "a\u{202e}b\nc\u{7}", ASKED, false);
        assert_eq!(fault.detail, "a b c  (X [2J)");
        assert_eq!(clean(&"x".repeat(1000)).chars().count(), 401);
    }
}
