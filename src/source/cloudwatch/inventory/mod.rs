//! What EC2 says of the account's network interfaces: `ec2:DescribeNetworkInterfaces`, page by page. Never needed by a tail.

mod page;

use std::sync::Arc;
use std::time::Duration;

use super::Lab;
use super::client::{Aws, Logs as _, Setup};
use super::clock::Clock;
use super::config::{self, TailConfig};
use super::error::TailError;
use super::fault::{Fault, Kind};
use super::preflight::{Question, pages};
use crate::enrich::Interfaces;

const INTERFACES: Question = Question {
    action: "DescribeNetworkInterfaces",
    permission: "ec2:DescribeNetworkInterfaces",
    pages: 50,
    patience: Duration::from_secs(10),
};

/// How long it is waited before each further try, where waiting may help: EC2 throttles accounts with many tools.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Asks EC2 for interfaces.
#[derive(Clone)]
pub struct Inventory {
    aws: Aws,
    clock: Arc<dyn Clock>,
}

impl Inventory {
    /// Loads configuration and credentials for the region and account that `config` means.
    ///
    /// # Errors
    /// What only the user can mend, without any request to AWS.
    pub async fn connect(config: &TailConfig) -> Result<Inventory, TailError> {
        Inventory::connect_with(config, Lab::default()).await
    }

    /// [`Inventory::connect`] with what tests change.
    ///
    /// # Errors
    /// See [`Inventory::connect`].
    pub async fn connect_with(config: &TailConfig, lab: Lab) -> Result<Inventory, TailError> {
        let checked = config::check(config)?;
        let setup = Setup {
            region: checked.region,
            profile: config.profile.clone(),
            endpoint: config.endpoint_url.clone(),
            keys: lab.keys,
            read_timeout: lab.read_timeout,
            tries: lab.tries,
        };
        Ok(Inventory { aws: Box::pin(Aws::open(setup)).await?, clock: lab.clock })
    }

    pub(super) fn of(aws: Aws, clock: Arc<dyn Clock>) -> Inventory {
        Inventory { aws, clock }
    }

    /// What tells its interfaces from those of another account, region or server; nothing of it is secret. `None` where there are no credentials.
    pub async fn key(&self) -> Option<String> {
        let place = self.aws.place();
        let endpoint = place.endpoint.as_deref().unwrap_or("-").replace(['\n', '\r'], " ");
        Some(format!("{} | {} | {endpoint}", place.region, self.aws.account().await?))
    }

    /// The region that is asked.
    pub fn region(&self) -> &str {
        &self.aws.place().region
    }

    /// All interfaces of the account in the region.
    ///
    /// # Errors
    /// Why they are not known, in a sentence without its full stop.
    pub async fn ask(&self) -> Result<Interfaces, String> {
        let mut pauses = PAUSES.into_iter();
        let (found, whole) = loop {
            match pages(self.aws.ec2(), &INTERFACES, page::read).await {
                Ok(found) => break found,
                Err(fault) if matches!(fault.kind, Kind::Throttled | Kind::Server) => match pauses.next() {
                    Some(pause) => self.clock.sleep(pause).await,
                    None => return Err(self.explain(&fault)),
                },
                Err(fault) => return Err(self.explain(&fault)),
            }
        };
        let mut all = Interfaces::new(found, self.region(), self.clock.now().div_euclid(1000));
        all.partial |= !whole;
        Ok(all)
    }

    fn explain(&self, fault: &Fault) -> String {
        let place = self.aws.place();
        match &fault.kind {
            Kind::Denied { action, remedy, .. } => format!(
                "{action} is not allowed, which needs Resource \"*\". {remedy} (docs/iam.md), or leave it out with --no-interfaces"
            ),
            Kind::NoCredentials | Kind::Expired | Kind::Rejected => fault.explain("", place),
            Kind::Throttled => "EC2 throttles this account, whose tools share one quota".to_owned(),
            _ => format!("EC2 in {} does not say: {}", place.region, fault.detail),
        }
    }
}
