//! What is done to every request of the SDK on its way out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_cloudwatchlogs::config::interceptors::{
    BeforeTransmitInterceptorContextMut, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_cloudwatchlogs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_cloudwatchlogs::error::BoxError;

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
