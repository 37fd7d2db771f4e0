//! CloudWatch Logs: the only place that knows an AWS SDK type.
