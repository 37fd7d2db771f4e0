//! A session through the AWS SDK, opened again and again.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::error::SdkError;
use aws_sdk_cloudwatchlogs::types::StartLiveTailResponseStream as Said;
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError as Ended;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::client::{Aws, Found, Logs as _};
use super::super::clock::{Clock, duration};
use super::super::fault::{Fault, Kind};
use super::super::pace::Backoff;
use super::{News, SILENCE, Want, group_of};

/// Updates on their way. The service keeps ten more for a slow client before it drops the oldest.
const QUEUE: usize = 16;

/// A session that lasted this long is no failure when it ends, milliseconds.
const LASTED: i64 = 60_000;

/// The receiver is gone.
struct Gone;

/// News of a session that runs until this is dropped.
pub(in super::super) type Session = Receiver<News>;

/// Opens a session for `want` in a task of its own. `seed` decides the jitter.
pub(in super::super) fn start(aws: Aws, want: Want, clock: Arc<dyn Clock>, seed: u64) -> Session {
    let (out, receiver) = channel(QUEUE);
    tokio::spawn(async move {
        let mut keeper = Keeper { aws, want, clock, out, backoff: Backoff::new(seed) };
        // The tail has ended: nobody is left to be told.
        let _: Result<(), Gone> = keeper.run().await;
    });
    receiver
}

struct Keeper {
    aws: Aws,
    want: Want,
    clock: Arc<dyn Clock>,
    out: Sender<News>,
    backoff: Backoff,
}

impl Keeper {
    async fn run(&mut self) -> Result<(), Gone> {
        loop {
            let began = self.clock.now();
            let (why, wait) = match self.session().await? {
                Ok(why) => {
                    if self.clock.now() - began >= LASTED {
                        self.backoff.succeeded();
                    }
                    (why, self.backoff.failed())
                }
                Err(fault) => {
                    let person = fault.needs_person() && !fault.is_login();
                    let wait = if person { self.backoff.stuck() } else { self.backoff.failed() };
                    let named = self.want.groups.first().map_or("", |(_, name)| name.as_str());
                    (fault.explain(named, self.aws.place()), wait)
                }
            };
            self.send(News::Closed { why, until: self.clock.now() + wait }).await?;
            tokio::select! {
                () = self.clock.sleep(duration(wait)) => {}
                () = self.out.closed() => return Err(Gone),
            }
        }
    }

    /// One session from its opening to its end; why it ended.
    async fn session(&mut self) -> Result<Result<String, Fault>, Gone> {
        let out = self.out.clone();
        let opened = tokio::select! {
            opened = self.aws.live(&mut self.want) => opened,
            () = out.closed() => return Err(Gone),
        };
        let mut stream = match opened {
            Ok(stream) => stream,
            Err(fault) => {
                if fault.is_login() {
                    self.aws.refresh().await;
                }
                return Ok(Err(fault));
            }
        };
        self.send(News::Open).await?;
        loop {
            let next = tokio::select! {
                next = tokio::time::timeout(SILENCE, stream.response_stream.recv()) => next,
                () = out.closed() => return Err(Gone),
            };
            let why = match next {
                Ok(Ok(Some(Said::SessionUpdate(update)))) => {
                    let sampled = update.session_metadata().is_some_and(|metadata| metadata.sampled);
                    let events = update.session_results.unwrap_or_default().into_iter().filter_map(|event| {
                        let group = group_of(&self.want, event.log_group_identifier.as_deref().unwrap_or_default())?;
                        let found = Found {
                            stream: event.log_stream_name.unwrap_or_default(),
                            timestamp: event.timestamp.unwrap_or_default(),
                            ingestion: event.ingestion_time.unwrap_or_default(),
                            message: event.message.unwrap_or_default(),
                            id: String::new(),
                        };
                        Some((group, found))
                    });
                    let events: Vec<_> = events.collect();
                    if sampled || !events.is_empty() {
                        self.send(News::Update { events, sampled }).await?;
                    }
                    continue;
                }
                Ok(Ok(Some(_))) => continue,
                // A connection that breaks ends the stream like a session that ends.
                Ok(Ok(None)) => "it ended".to_owned(),
                Ok(Err(SdkError::ServiceError(answer))) => match answer.err() {
                    Ended::SessionTimeoutException(_) => "sessions end after three hours".to_owned(),
                    Ended::SessionStreamingException(_) => "CloudWatch Logs ended it with an error".to_owned(),
                    _ => "CloudWatch Logs ended it".to_owned(),
                },
                Ok(Err(_)) => "the connection broke".to_owned(),
                Err(_) => format!("nothing came for {} seconds", SILENCE.as_secs()),
            };
            return Ok(Ok(why));
        }
    }

    async fn send(&self, news: News) -> Result<(), Gone> {
        self.out.send(news).await.map_err(|_| Gone)
    }
}

impl Aws {
    /// Opens a session. Names in `want` become ARNs, which is all that the service takes.
    async fn live(
        &mut self,
        want: &mut Want,
    ) -> Result<aws_sdk_cloudwatchlogs::operation::start_live_tail::StartLiveTailOutput, Fault> {
        for (_, name) in want.groups.iter_mut().filter(|(_, name)| !name.starts_with("arn:")) {
            *name = self.group_arn(name).await?;
        }
        let arns: Vec<String> = want.groups.iter().map(|(_, arn)| arn.clone()).collect();
        let named = arns.join(", ");
        let prefixes = (!want.prefixes.is_empty()).then(|| want.prefixes.clone());
        let request = self
            .client()
            .start_live_tail()
            .set_log_group_identifiers(Some(arns))
            .set_log_stream_name_prefixes(prefixes)
            .set_log_event_filter_pattern(want.pattern.clone());
        request.send().await.map_err(|error| super::super::client::fault(&error, ("logs:StartLiveTail", &named), false))
    }

    /// The ARN of a group of this account, without the trailing `:*`.
    async fn group_arn(&self, name: &str) -> Result<String, Fault> {
        let request = self.client().describe_log_groups().log_group_name_prefix(name).limit(50);
        let asked = ("logs:DescribeLogGroups", "*");
        let answer = request.send().await.map_err(|error| super::super::client::fault(&error, asked, false))?;
        let group = answer.log_groups().iter().find(|group| group.log_group_name() == Some(name));
        let arn = group.and_then(|group| group.log_group_arn().or_else(|| group.arn()));
        arn.map(|arn| arn.strip_suffix(":*").unwrap_or(arn).to_owned())
            .ok_or_else(|| Fault::new(Kind::NoSuchGroup, "DescribeLogGroups does not list it"))
    }
}
