//! The requests of the tail, and the AWS SDK behind them. Nothing above this file knows an SDK type.

mod intercept;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::ProvideCredentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Credentials;
use aws_sdk_cloudwatchlogs::config::retry::RetryConfig;
use aws_sdk_cloudwatchlogs::config::timeout::TimeoutConfig;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use sha2::{Digest as _, Sha256};

use super::config::GroupName;
use super::error::TailError;
use super::fault::{Fault, Kind, Login, Place, classify, clean};
use super::preflight::{self, FlowLog};
pub(super) use intercept::skew_of;
use intercept::{Counter, PlainHost, Skew};

/// Which events of a group are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Select {
    /// All streams.
    All,
    /// Streams whose name begins with this.
    Prefix(Arc<str>),
    /// Events that contain this text.
    Content(Arc<str>),
}

/// One page asked for.
#[derive(Clone, Debug)]
pub(super) struct Ask<'a> {
    pub(super) group: &'a GroupName,
    pub(super) select: Select,
    /// Filter pattern, beside the selection.
    pub(super) pattern: Option<Arc<str>>,
    /// First and last millisecond, both included.
    pub(super) range: (i64, i64),
    pub(super) token: Option<&'a str>,
    /// Events wanted at most; `None` for as many as a page carries.
    pub(super) limit: Option<i32>,
}

/// One event of a page.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) stream: String,
    pub(super) timestamp: i64,
    pub(super) ingestion: i64,
    pub(super) message: String,
    pub(super) id: String,
}

/// One page.
#[derive(Clone, Debug, Default)]
pub(super) struct FoundPage {
    pub(super) events: Vec<Found>,
    /// Absent on the last page, and only there: a page may be empty and not the last.
    pub(super) token: Option<String>,
}

/// What the tail asks of `CloudWatch` Logs.
pub(super) trait Logs: Send {
    /// One page of events.
    fn page(&mut self, ask: &Ask<'_>) -> impl Future<Output = Result<FoundPage, Fault>> + Send;
    /// Whether a stream of this interface exists.
    fn has_stream(&mut self, group: &GroupName, interface: &str) -> impl Future<Output = Result<bool, Fault>> + Send;
    /// Loads configuration and credentials anew.
    fn refresh(&mut self) -> impl Future<Output = ()> + Send;
    /// Requests sent so far, every try counted.
    fn requests(&self) -> u64;
    /// Milliseconds that the service's clock is ahead of the machine's, as far as that matters; 0 where it is not known.
    fn skew(&self) -> i64;
    /// Where they go.
    fn place(&self) -> &Place;
}

/// Whether a stream's name says that it belongs to an interface: the id itself, or the id and `-` and anything (`eni-…-all`). No suffix is assumed, since
/// AWS documents none.
pub(super) fn belongs(stream: &str, interface: &str) -> bool {
    stream.strip_prefix(interface).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// How the SDK is set up.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) region: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) endpoint: Option<String>,
    /// Fixed credentials instead of the provider chain.
    pub(super) keys: Option<(String, String)>,
    /// Longest silence in an answer.
    pub(super) read_timeout: Duration,
    /// Tries of one request inside the SDK.
    pub(super) tries: u32,
}

/// `CloudWatch` Logs through the AWS SDK. Clones count their requests together.
#[derive(Clone)]
pub(super) struct Aws {
    setup: Setup,
    client: Client,
    config: SdkConfig,
    place: Place,
    heard: Heard,
}

/// What was found out about all requests, whichever client sent them.
#[derive(Clone, Debug, Default)]
struct Heard {
    /// Requests sent.
    sent: Arc<AtomicU64>,
    /// See [`Logs::skew`].
    skew: Arc<AtomicI64>,
}

impl Aws {
    /// Loads configuration and credentials. Fails where they are missing; a credential provider that cannot be reached is left to be tried again.
    pub(super) async fn open(setup: Setup) -> Result<Aws, TailError> {
        let heard = Heard::default();
        let config = load(&setup).await;
        let region = config.region().map(ToString::to_string).filter(|region| !region.is_empty());
        let Some(region) = region else { return Err(TailError::NoRegion) };
        let profile =
            setup.profile.clone().or_else(|| std::env::var("AWS_PROFILE").ok()).filter(|name| !name.is_empty());
        let endpoint = setup.endpoint.clone();
        let place = Place { region, profile, endpoint, login: Login::Unknown };
        let client = client(&config, &heard);
        let mut aws = Aws { setup, client, config, place, heard };
        if let Err(fault) = aws.credentials().await
            && let Some(error) = fault.fatal("", &aws.place)
        {
            return Err(error);
        }
        Ok(aws)
    }

    /// Asks the provider chain once, to say what is wrong before any request and to know where credentials come from.
    async fn credentials(&mut self) -> Result<(), Fault> {
        let Some(provider) = self.config.credentials_provider() else {
            return Err(Fault::new(Kind::NoCredentials, "no provider is configured"));
        };
        match provider.provide_credentials().await {
            Ok(credentials) => {
                self.place.login = login(&credentials);
                Ok(())
            }
            Err(error) => {
                let text = chain(&error);
                if text.contains("SSO") {
                    self.place.login = Login::Sso;
                } else if text.contains("external process") {
                    self.place.login = Login::Process;
                }
                Err(credentials_fault(&error))
            }
        }
    }

    /// The SDK's client, with today's credentials.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Names of log groups, at most 50: those that contain `part`, or the first ones.
    pub(super) async fn group_names(&self, part: Option<&str>) -> Result<Vec<String>, Fault> {
        let request = self.client.describe_log_groups().limit(50).set_log_group_name_pattern(part.map(str::to_owned));
        let answer = request.send().await.map_err(|error| fault(&error, ("logs:DescribeLogGroups", "*"), false))?;
        Ok(answer.log_groups().iter().filter_map(|group| group.log_group_name().map(str::to_owned)).collect())
    }
}

impl Aws {
    /// The class of a group, such as `STANDARD`; `None` where it is not listed.
    pub(super) async fn group_class(&self, group: &GroupName) -> Result<Option<String>, Fault> {
        let request = self.client.describe_log_groups().limit(50).log_group_name_prefix(group.name());
        let answer = request.send().await.map_err(|error| fault(&error, ("logs:DescribeLogGroups", "*"), false))?;
        let own = answer.log_groups().iter().find(|found| found.log_group_name() == Some(group.name()));
        Ok(own.and_then(|found| found.log_group_class()).map(|class| class.as_str().to_owned()))
    }

    /// All flow logs of the region.
    pub(super) async fn flow_logs(&self) -> Result<Vec<FlowLog>, Fault> {
        preflight::flow_logs(self.ec2()).await
    }

    /// Where EC2 is asked.
    pub(super) fn ec2(&self) -> preflight::Where<'_> {
        preflight::Where { config: &self.config, endpoint: self.setup.endpoint.as_deref(), region: &self.place.region }
    }

    /// Whose account it is, as far as that is known without asking: its number, else what tells one access key from another.
    pub(super) async fn account(&self) -> Option<String> {
        let credentials = self.config.credentials_provider()?.provide_credentials().await.ok()?;
        if let Some(account) = credentials.account_id() {
            return Some(account.as_str().to_owned());
        }
        // A digest, since nothing of the credentials is written to a file.
        let digest = Sha256::digest(credentials.access_key_id());
        let head = digest.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        Some(format!("{head:016x}"))
    }
}

impl Logs for Aws {
    async fn page(&mut self, ask: &Ask<'_>) -> Result<FoundPage, Fault> {
        #[expect(
            deprecated,
            reason = "AWS takes `interleaved` for true since 2019 (API reference); moto sorts stream by stream without it"
        )]
        let mut request = self.client.filter_log_events().interleaved(true);
        request = request
            .start_time(ask.range.0)
            .end_time(ask.range.1)
            .set_limit(ask.limit)
            .set_next_token(ask.token.map(str::to_owned));
        // "Specify either the name or ARN" (API reference, logGroupIdentifier). A plain name goes as logGroupName: test servers know only that.
        request = if ask.group.is_arn() {
            request.log_group_identifier(&ask.group.given)
        } else {
            request.log_group_name(&ask.group.given)
        };
        request = match &ask.select {
            Select::All => request.set_filter_pattern(ask.pattern.as_deref().map(str::to_owned)),
            Select::Prefix(prefix) => request
                .log_stream_name_prefix(prefix.as_ref())
                .set_filter_pattern(ask.pattern.as_deref().map(str::to_owned)),
            // Two patterns cannot be joined ("?" is not documented beside other terms), and an interface is rarer than most of what is fetched.
            // Terms with characters other than letters and digits must be quoted (user guide, "Filter pattern syntax").
            Select::Content(text) => request.filter_pattern(format!("\"{text}\"")),
        };
        let asked = ("logs:FilterLogEvents", ask.group.given.as_str());
        let answer = request.send().await.map_err(|error| fault(&error, asked, ask.token.is_some()))?;
        let events = answer.events.unwrap_or_default().into_iter().map(|event| Found {
            stream: event.log_stream_name.unwrap_or_default(),
            timestamp: event.timestamp.unwrap_or_default(),
            ingestion: event.ingestion_time.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
            id: event.event_id.unwrap_or_default(),
        });
        Ok(FoundPage { events: events.collect(), token: answer.next_token.filter(|token| !token.is_empty()) })
    }

    async fn has_stream(&mut self, group: &GroupName, interface: &str) -> Result<bool, Fault> {
        // Streams come in the order of their names, and '-' sorts before every letter and digit: one page decides.
        let request = self.client.describe_log_streams().log_stream_name_prefix(interface).limit(50);
        let request = if group.is_arn() {
            request.log_group_identifier(&group.given)
        } else {
            request.log_group_name(&group.given)
        };
        let asked = ("logs:DescribeLogStreams", group.given.as_str());
        let answer = request.send().await.map_err(|error| fault(&error, asked, false))?;
        Ok(answer
            .log_streams()
            .iter()
            .filter_map(|stream| stream.log_stream_name())
            .any(|name| belongs(name, interface)))
    }

    async fn refresh(&mut self) {
        // A new configuration reads the profile files again and has an empty credential cache: that is how a fresh `aws sso login` is noticed.
        self.config = load(&self.setup).await;
        self.client = client(&self.config, &self.heard);
        // What it says is not needed: the next request says it again.
        let _ = self.credentials().await;
    }

    fn requests(&self) -> u64 {
        self.heard.sent.load(Ordering::Relaxed)
    }

    fn skew(&self) -> i64 {
        self.heard.skew.load(Ordering::Relaxed)
    }

    fn place(&self) -> &Place {
        &self.place
    }
}

async fn load(setup: &Setup) -> SdkConfig {
    // ring instead of the SDK's default AWS-LC: no C toolchain beyond a compiler, and a smaller binary.
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new().tls_provider(provider).build_https();
    // Without these a server that accepts and then says nothing would hold a request for ever. A page is at most 1 MB.
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(setup.read_timeout.min(Duration::from_secs(5)))
        .read_timeout(setup.read_timeout)
        .operation_attempt_timeout(setup.read_timeout * 2)
        .operation_timeout(setup.read_timeout * 4)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(setup.tries));
    if let Some(region) = &setup.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if let Some(profile) = &setup.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &setup.endpoint {
        loader = loader.endpoint_url(url);
    }
    if let Some((id, secret)) = &setup.keys {
        loader = loader.credentials_provider(Credentials::new(id, secret, None, None, "given"));
    }
    loader.load().await
}

fn client(config: &SdkConfig, heard: &Heard) -> Client {
    let config = aws_sdk_cloudwatchlogs::config::Builder::from(config)
        .interceptor(Counter(Arc::clone(&heard.sent)))
        .interceptor(Skew(Arc::clone(&heard.skew)))
        .interceptor(PlainHost);
    Client::from_conf(config.build())
}

fn login(credentials: &Credentials) -> Login {
    use AwsCredentialFeature as F;
    let features = credentials.get_property::<Vec<F>>().map(Vec::as_slice).unwrap_or_default();
    let any = |wanted: &[F]| features.iter().any(|feature| wanted.contains(feature));
    if any(&[F::CredentialsSso, F::CredentialsProfileSso]) {
        Login::Sso
    } else if any(&[F::CredentialsEnvVars]) {
        Login::Environment
    } else if any(&[F::CredentialsProcess, F::CredentialsProfileProcess]) {
        Login::Process
    } else {
        Login::Other
    }
}

/// The message of an error and of all that caused it, each once.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    clean(&text)
}

/// Sorts what a credential provider reports. Providers wrap all they know into text: the SSO cache, STS, a credential process.
fn credentials_fault(error: &CredentialsError) -> Fault {
    let text = chain(error);
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let (kind, detail) = match error {
        CredentialsError::ProviderTimedOut(_) => (Kind::Network, text.as_str()),
        CredentialsError::CredentialsNotLoaded(_) => {
            // The SDK lists every provider with its reason. What matters is the one that was asked for.
            let profile = text.split_once("Profile: the credential provider was not enabled: ");
            let why = profile.and_then(|(_, rest)| rest.split("   ").next()).and_then(|why| why.split(": ").next());
            (Kind::NoCredentials, why.unwrap_or("none in environment, profile, web identity, container or instance"))
        }
        CredentialsError::InvalidConfiguration(_) => (Kind::NoCredentials, text.as_str()),
        _ if has(&["failed to load the cached sso token"]) => (Kind::NoCredentials, "nobody is logged in with SSO"),
        _ if has(&["sso token has expired"]) => (Kind::Expired, "the SSO login is too old"),
        _ if has(&["expired"]) => (Kind::Expired, text.as_str()),
        _ if has(&["accessdenied", "invalidclienttokenid", "signaturedoesnotmatch", "unrecognizedclient"]) => {
            (Kind::Rejected, text.as_str())
        }
        _ if has(&["dispatch failure", "timed out", "timeout", "io error", "connection"]) => {
            (Kind::Network, text.as_str())
        }
        _ => (Kind::NoCredentials, text.as_str()),
    };
    Fault::new(kind, detail)
}

/// Sorts what the SDK reports.
pub(super) fn fault<E>(error: &SdkError<E, HttpResponse>, asked: (&str, &str), paged: bool) -> Fault
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let meta = answer.err().meta();
            let status = answer.raw().status().as_u16();
            classify(meta.code().unwrap_or_default(), status, meta.message().unwrap_or_default(), asked, paged)
        }
        SdkError::TimeoutError(_) => Fault::new(Kind::Network, "no whole answer in time"),
        SdkError::ResponseError(answer) => {
            let status = answer.raw().status().as_u16();
            let kind = if status >= 500 { Kind::Server } else { Kind::Network };
            Fault::new(kind, format!("unreadable answer, HTTP status {status}"))
        }
        SdkError::DispatchFailure(failure) => {
            let cause = failure.as_connector_error().map(|error| error as &(dyn Error + 'static));
            if let Some(error) = cause.and_then(credentials_error) {
                credentials_fault(error)
            } else if failure.is_timeout() {
                Fault::new(Kind::Network, "no answer in time")
            } else {
                Fault::new(Kind::Network, cause.map_or_else(|| "the request could not be sent".to_owned(), chain))
            }
        }
        other => Fault::new(Kind::Refused, chain(other)),
    }
}

fn credentials_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a CredentialsError> {
    let mut at = Some(error);
    while let Some(error) = at {
        if let Some(found) = error.downcast_ref::<CredentialsError>() {
            return Some(found);
        }
        at = error.source();
    }
    None
}
