//! Why a tail does not start: one error with its remedy, before the screen opens.

/// Why a tail cannot start. The text says what happened, where, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TailError {
    /// No log group was named.
    #[error("no log group given{}", offered(.region, .found))]
    NoGroup {
        /// The region that was asked.
        region: String,
        /// What was found there.
        found: Found,
    },
    /// Not the name or ARN of a log group.
    #[error("{group:?} is not a log group: {why}")]
    BadGroup {
        /// As given.
        group: String,
        /// What is wrong with it.
        why: String,
    },
    /// Not the id of a network interface.
    #[error("{interface:?} is not a network interface id: give the id alone, as in --eni eni-0536faba73134a9b7")]
    BadInterface {
        /// As given.
        interface: String,
    },
    /// A setting out of its range.
    #[error("{name}: {why}")]
    BadSetting {
        /// The command line's name of it.
        name: &'static str,
        /// What it may be.
        why: String,
    },
    /// A log group's ARN contradicts the region asked for.
    #[error(
        "{group} is in {own}, but {asked} was asked for: leave out --region, or run a second tail for the other region"
    )]
    TwoRegions {
        /// The group's ARN.
        group: String,
        /// Region in it.
        own: String,
        /// Region asked for.
        asked: String,
    },
    /// Nothing says which region.
    #[error(
        "no region: give --region (as in --region us-west-1), set AWS_REGION, or put `region` into the profile in ~/.aws/config"
    )]
    NoRegion,
    /// No provider has credentials.
    #[error("no AWS credentials: {detail}. {remedy}")]
    NoCredentials {
        /// What the providers say.
        detail: String,
        /// What to do.
        remedy: String,
    },
    /// There are credentials, but they have expired.
    #[error("the AWS credentials have expired: {detail}. {remedy}")]
    ExpiredCredentials {
        /// What the provider or AWS says.
        detail: String,
        /// What to do.
        remedy: String,
    },
    /// AWS does not accept the credentials.
    #[error("AWS does not accept the credentials: {detail}. {remedy}")]
    RejectedCredentials {
        /// What AWS says.
        detail: String,
        /// What to do.
        remedy: String,
    },
    /// The time of this machine is too far from that of AWS.
    #[error("AWS does not accept the time of this machine: {detail}. {}", super::fault::SET_CLOCK)]
    Clock {
        /// What AWS says.
        detail: String,
    },
    /// There is no such log group in the region.
    #[error("there is no log group {group} in {region}{}", offer(.similar, .s3))]
    NoSuchGroup {
        /// As asked for.
        group: String,
        /// The region that was asked.
        region: String,
        /// Groups of that region that look alike or look like flow logs, best first.
        similar: Vec<String>,
        /// Commands that read the region's flow logs which go to S3.
        s3: Vec<String>,
    },
    /// The file of `--record` cannot be made.
    #[error("--record: cannot make {path}: {why}. Name a file in a folder that exists and may be written to")]
    Record {
        /// The file.
        path: String,
        /// What the system says.
        why: String,
    },
    /// The credentials may not do this.
    #[error("not allowed: {action} on {resource}. {remedy} (docs/iam.md has the whole policy)")]
    Denied {
        /// The IAM action.
        action: String,
        /// ARN or name of what it was tried on.
        resource: String,
        /// What helps.
        remedy: String,
    },
    /// AWS refused the request for another reason.
    #[error("CloudWatch Logs in {region} refuses to read {group}: {detail}")]
    Refused {
        /// The group.
        group: String,
        /// The region.
        region: String,
        /// What AWS says.
        detail: String,
    },
}

/// What a region has to tail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Log groups that take flow logs or look like it, best first.
    pub groups: Vec<String>,
    /// Commands that read the flow logs which go to S3.
    pub s3: Vec<String>,
}

fn offered(region: &str, found: &Found) -> String {
    let mut text = match &found.groups[..] {
        [] => format!(", and none in {region} looks like flow logs: name one, or another region with --region"),
        [first, ..] => format!(
            ". In {region} these look like flow logs: {}. Name one, as in `flowtail tail {first}`",
            found.groups.join(", ")
        ),
    };
    text.push_str(&to_s3(&found.s3));
    text
}

fn to_s3(commands: &[String]) -> String {
    match commands {
        [] => String::new(),
        some => format!("\nFlow logs that go to S3 are read from there:\n  {}", some.join("\n  ")),
    }
}

fn offer(names: &[String], s3: &[String]) -> String {
    let names = if names.is_empty() {
        ". Check the name and the region (--region)".to_owned()
    } else {
        format!(". Did you mean {}? Or give another region with --region", names.join(", "))
    };
    names + &to_s3(s3)
}
