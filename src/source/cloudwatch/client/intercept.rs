//! What is done to every request of the SDK on its way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use aws_sdk_cloudwatchlogs::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
    BeforeTransmitInterceptorContextRef,
};
use aws_sdk_cloudwatchlogs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatchlogs::error::BoxError;
use aws_smithy_runtime_api::http::Headers;

use super::super::clock::{Clock as _, SystemClock};

/// Counts what really goes out, the SDK's own second tries included.
#[derive(Debug)]
pub(super) struct Counter(pub(super) Arc<AtomicU64>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "flowtail request counter"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// How far the clock of AWS is ahead of the machine's, milliseconds, told from the `Date` of its answers.
///
/// The SDK signs with the corrected time by itself (`aws-runtime`, `service_clock_skew.rs`), so requests succeed under a clock that is wrong by hours;
/// only that event time would then be looked for at the wrong time, before it is delivered, and nothing would say so.
#[derive(Debug)]
pub(super) struct Skew(pub(super) Arc<AtomicI64>);

/// Differences below this are none: `Date` has whole seconds, answers take some, and slices are a minute wide. Milliseconds.
const TOLERATED: i64 = 60_000;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Skew {
    fn name(&self) -> &'static str {
        "flowtail clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(skew) = skew_of(context.response().headers(), SystemClock.now()) {
            // From what is believed so far, so that it does not change with every answer.
            let believed = self.0.load(Ordering::Relaxed);
            if skew.abs_diff(believed) >= TOLERATED.unsigned_abs() {
                let skew = if skew.abs() < TOLERATED { 0 } else { skew };
                self.0.store(skew, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// How far the clock behind an answer's headers is ahead of `now`, milliseconds. What stands in between has a clock of its own: only answers of AWS
/// count, and none out of a cache.
pub(in super::super) fn skew_of(headers: &Headers, now: i64) -> Option<i64> {
    let of_aws = headers.get("x-amzn-requestid").is_some() && headers.get("age").is_none();
    let server = headers.get("date").filter(|_| of_aws).and_then(http_date)?;
    Some(server - now)
}

/// A date of HTTP, such as `Tue, 24 Nov 2026 20:43:00 GMT`, in Unix milliseconds.
fn http_date(text: &str) -> Option<i64> {
    let time = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(time.as_millisecond())
}

/// Takes the prefix `stream-` off hosts that are not of AWS. The SDK puts it before the host of `StartLiveTail` even where an endpoint was given, and
/// `stream-127.0.0.1` does not exist.
#[derive(Debug)]
pub(super) struct PlainHost;

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for PlainHost {
    fn name(&self) -> &'static str {
        "flowtail host of test servers"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let plain = request.uri().split_once("://stream-").filter(|(_, rest)| !is_of_aws(rest));
        if let Some(plain) = plain.map(|(scheme, rest)| format!("{scheme}://{rest}")) {
            request.set_uri(plain)?;
        }
        Ok(())
    }
}

/// Whether a host, without `stream-`, is the service's own: `logs.us-west-1.amazonaws.com`, `logs-fips.…`, `logs.us-west-1.api.aws`.
fn is_of_aws(rest: &str) -> bool {
    let host = rest.split(['/', ':']).next().unwrap_or_default();
    host.starts_with("logs") && (host.contains(".amazonaws.") || host.rsplit('.').next() == Some("aws"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_answers_are_read() {
        assert_eq!(http_date("Thu, 01 Jan 1970 00:01:00 GMT"), Some(60_000));
        assert_eq!(http_date("Tue, 24 Nov 2026 20:43:07 GMT"), Some(1_795_552_987_000));
        assert_eq!(http_date("yesterday"), None);
    }

    #[test]
    fn only_hosts_of_aws_keep_the_prefix() {
        for host in [
            "logs.us-west-1.amazonaws.com/",
            "logs-fips.us-gov-west-1.amazonaws.com",
            "logs.cn-north-1.amazonaws.com.cn:443/",
            "logs.us-west-1.api.aws",
        ] {
            assert!(is_of_aws(host), "{host}");
        }
        for host in ["127.0.0.1:4577/", "localhost", "logs.internal", "proxy.amazonaws.com"] {
            assert!(!is_of_aws(host), "{host}");
        }
    }
}
