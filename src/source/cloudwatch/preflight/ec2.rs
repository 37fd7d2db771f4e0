//! EC2 without its SDK, which is seven times the size of the client for logs: one signed request of EC2's query protocol a page.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::ser_de::DeserializeResponse;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;

use super::super::client::skew_of;
use super::super::clock::{Clock as _, SystemClock};
use super::super::fault::{Fault, Kind, classify};
use super::flow_log::{FlowLog, page};

/// Most bytes of an answer. A thousand interfaces with all their tags take a few megabytes.
const LARGEST: usize = 24 << 20;

/// A question to EC2 whose answer comes in pages of a thousand.
pub(in crate::source::cloudwatch) struct Question {
    /// The action, such as `DescribeFlowLogs`.
    pub(in crate::source::cloudwatch) action: &'static str,
    /// The same as IAM writes it.
    pub(in crate::source::cloudwatch) permission: &'static str,
    /// Pages read at most.
    pub(in crate::source::cloudwatch) pages: usize,
    /// Longest time for one.
    pub(in crate::source::cloudwatch) patience: Duration,
}

/// What it says is never needed, so nobody waits long for it.
const FLOW_LOGS: Question = Question {
    action: "DescribeFlowLogs",
    permission: "ec2:DescribeFlowLogs",
    pages: 10,
    patience: Duration::from_secs(4),
};

/// Who is asked, and where.
#[derive(Clone, Copy)]
pub(in crate::source::cloudwatch) struct Where<'a> {
    pub(in crate::source::cloudwatch) config: &'a SdkConfig,
    /// Another endpoint than AWS.
    pub(in crate::source::cloudwatch) endpoint: Option<&'a str>,
    pub(in crate::source::cloudwatch) region: &'a str,
}

/// All flow logs of the region.
pub(in crate::source::cloudwatch) async fn flow_logs(to: Where<'_>) -> Result<Vec<FlowLog>, Fault> {
    let (found, _) = pages(to, &FLOW_LOGS, |text| page(text).map(|page| (page.flow_logs, page.token))).await?;
    Ok(found)
}

/// Asks page by page, and tells whether that was all. `read` makes of an answer what is on the page, and the token of the next.
pub(in crate::source::cloudwatch) async fn pages<T>(
    to: Where<'_>,
    question: &Question,
    read: impl Fn(&str) -> Result<(Vec<T>, Option<String>), String>,
) -> Result<(Vec<T>, bool), Fault> {
    let url = url(to.endpoint.or(to.config.endpoint_url()), to.region);
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    for _ in 0..question.pages {
        let mut body = format!("Action={}&Version=2016-11-15&MaxResults=1000", question.action);
        if let Some(token) = &token {
            body.push_str("&NextToken=");
            body.push_str(&encoded(token));
        }
        let text = tokio::time::timeout(question.patience, call(to, &url, question, body))
            .await
            .map_err(|_| Fault::new(Kind::Network, "no answer in time"))??;
        let (page, next) = read(&text).map_err(|why| Fault::new(Kind::Server, why))?;
        found.extend(page);
        match next {
            Some(next) if token.as_ref() != Some(&next) => token = Some(next),
            _ => return Ok((found, true)),
        }
    }
    Ok((found, false))
}

/// Gives status and body as they come, so that no more is read than is wanted.
#[derive(Debug)]
struct Streaming;

/// See [`Streaming`]: status, what the answer says of the server's clock, body.
#[derive(Debug)]
struct Answer(u16, Option<i64>, Mutex<SdkBody>);

impl DeserializeResponse for Streaming {
    fn deserialize_streaming_with_config(
        &self,
        answer: &mut HttpResponse,
        _: &ConfigBag,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
        let skew = skew_of(answer.headers(), SystemClock.now());
        Some(Ok(Output::erase(Answer(answer.status().as_u16(), skew, Mutex::new(body)))))
    }
}

/// Where EC2 is asked: at the endpoint given, unless that is one for logs alone; else at the region's.
fn url(endpoint: Option<&str>, region: &str) -> String {
    let own = std::env::var("AWS_ENDPOINT_URL_EC2").ok().filter(|url| !url.is_empty());
    let shared = endpoint.filter(|url| !(url.contains("logs") && url.contains(".amazonaws.")));
    // Partitions as in the SDK's own table of endpoints.
    let suffix = match region {
        _ if region.starts_with("cn-") => "amazonaws.com.cn",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("eusc-") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    own.or_else(|| shared.map(str::to_owned)).unwrap_or_else(|| format!("https://ec2.{region}.{suffix}"))
}

/// Asks once, and again with the server's time where the machine's is so wrong that the signature was refused for it: the SDK does that for its own
/// clients alone.
async fn call(to: Where<'_>, url: &str, question: &Question, body: String) -> Result<String, Fault> {
    let now = SystemTime::now();
    match send(to, url, question, &body, now).await? {
        (Err(_), Some(skew)) if skew.unsigned_abs() >= MISDATED.as_millis().try_into().unwrap_or(u64::MAX) => {
            let by = Duration::from_millis(skew.unsigned_abs());
            let theirs = if skew > 0 { now.checked_add(by) } else { now.checked_sub(by) };
            send(to, url, question, &body, theirs.unwrap_or(now)).await?.0
        }
        (answer, _) => answer,
    }
}

/// Clocks that differ by less are not why a request was refused: AWS takes signatures of the last five minutes.
const MISDATED: Duration = Duration::from_mins(4);

/// Asks once with a signature of this time. Gives the answer, and how far the server's clock is ahead, milliseconds, where it says so.
async fn send(
    to: Where<'_>,
    url: &str,
    question: &Question,
    body: &str,
    now: SystemTime,
) -> Result<(Result<String, Fault>, Option<i64>), Fault> {
    let Where { config, region, .. } = to;
    let provider = config.credentials_provider().ok_or_else(|| Fault::new(Kind::NoCredentials, "none"))?;
    let http = config.http_client().ok_or_else(|| Fault::new(Kind::Network, "no HTTP client"))?;
    let credentials =
        provider.provide_credentials().await.map_err(|error| Fault::new(Kind::NoCredentials, error.to_string()))?;
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("ec2")
        .time(now)
        .settings(SigningSettings::default())
        .build();
    let refused = |why: String| Fault::new(Kind::Refused, why);
    let params = params.map_err(|error| refused(error.to_string()))?.into();
    let kind = "application/x-www-form-urlencoded; charset=utf-8";
    let full = format!("{}/", url.trim_end_matches('/'));
    let headers = [("content-type", kind)].into_iter();
    let signable = SignableRequest::new("POST", full.as_str(), headers, SignableBody::Bytes(body.as_bytes()))
        .map_err(|error| refused(error.to_string()))?;
    let (signed, _) = sign(signable, &params).map_err(|error| refused(error.to_string()))?.into_parts();
    let mut request = HttpRequest::new(body.to_owned().into());
    request.set_method("POST").map_err(|error| refused(error.to_string()))?;
    request.set_uri("/").map_err(|error| refused(error.to_string()))?;
    request.headers_mut().insert("content-type", kind);
    for (name, value) in signed.headers() {
        request.headers_mut().insert(name.to_owned(), value.to_owned());
    }
    let operation = Operation::builder()
        .service_name("ec2")
        .operation_name(question.action)
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .endpoint_url(&full)
        .no_auth()
        .no_retry()
        .serializer(Ok)
        .deserializer_impl::<Answer, Infallible>(Streaming)
        .build();
    let Answer(status, skew, body) = operation.invoke(request).await.map_err(|error| match error {
        SdkError::DispatchFailure(failure) => Fault::new(
            Kind::Network,
            failure
                .as_connector_error()
                .map_or_else(|| "the request could not be sent".to_owned(), ToString::to_string),
        ),
        other => Fault::new(Kind::Network, other.to_string()),
    })?;
    let mut body = ByteStream::new(body.into_inner().unwrap_or_else(PoisonError::into_inner));
    let mut bytes = Vec::new();
    while let Some(more) = body.next().await {
        let more = more.map_err(|error| Fault::new(Kind::Network, error.to_string()))?;
        if bytes.len() + more.len() > LARGEST {
            return Err(Fault::new(Kind::Server, format!("an answer of more than {} MiB", LARGEST >> 20)));
        }
        bytes.extend_from_slice(&more);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if status == 200 {
        return Ok((Ok(text), skew));
    }
    let (code, message) = super::flow_log::refusal(&text);
    Ok((Err(classify(&code, status, &message, (question.permission, "*"), false)), skew))
}

/// Text as a value of a form: all but letters, digits and `-_.~` as `%XX`.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_for_logs_alone_is_not_asked_for_flow_logs() {
        assert_eq!(url(Some("http://127.0.0.1:5000"), "us-west-1"), "http://127.0.0.1:5000");
        let logs = "https://vpce-0a-1.logs.us-west-1.vpce.amazonaws.com";
        assert_eq!(url(Some(logs), "us-west-1"), "https://ec2.us-west-1.amazonaws.com");
        assert_eq!(url(None, "cn-north-1"), "https://ec2.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn tokens_are_encoded() {
        assert_eq!(encoded("a+b/c= é~"), "a%2Bb%2Fc%3D%20%C3%A9~");
    }
}
