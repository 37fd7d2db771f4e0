//! What the detail pane shows.

use std::net::IpAddr;
use std::sync::Arc;

use super::{PageRow, RowId, Since};
use crate::detect::Alert;
use crate::record::{Cell, Field};

/// All that is known of one row.
#[derive(Clone, Debug)]
pub enum Detail {
    /// A flow record.
    Flow {
        /// Its identity.
        id: RowId,
        /// Every field that the record carries, in the order of the line.
        fields: Vec<(Field, Cell)>,
        /// The line as it was logged.
        line: String,
        /// The session it belongs to.
        session: Option<Box<SessionDetail>>,
        /// Remarks for the user, one sentence each.
        notes: Vec<String>,
    },
    /// A session.
    Session(Box<SessionDetail>),
    /// An alert.
    Alert {
        /// The alert.
        alert: Arc<Alert>,
        /// The session that tipped it, where it is still held.
        session: Option<Box<SessionDetail>>,
        /// Remarks for the user, one sentence each.
        notes: Vec<String>,
    },
}

/// All that is known of a session.
#[derive(Clone, Debug)]
pub struct SessionDetail {
    /// Its number.
    pub id: u64,
    /// Every session field that has a value, in the order of the field table.
    pub fields: Vec<(Field, Cell)>,
    /// Name of the service on the server's port.
    pub service: Option<&'static str>,
    /// Interfaces that saw it, with the account of each.
    pub interfaces: Vec<(Arc<str>, Arc<str>)>,
    /// Region, where the records or the source say it.
    pub region: Option<Arc<str>>,
    /// Its records that are still held, oldest first, as [`SessionDetail::record_columns`]. At most 500.
    pub records: Vec<PageRow>,
    /// Columns of `records`.
    pub record_columns: Vec<Field>,
    /// Since when it is there; `None` until all sessions were looked at.
    pub since: Option<Since>,
    /// What security groups and network ACLs may have to do with it, one sentence each; empty where nothing was rejected and all answered.
    pub verdict: Vec<String>,
    /// Alerts that it tipped or that name it, the worst first.
    pub alerts: Vec<Arc<Alert>>,
    /// Addresses of packets for which an interface logged its own: the packet's, the interface's, and the interface.
    pub stand_ins: Vec<(IpAddr, IpAddr, Arc<str>)>,
    /// What a NAT gateway has to do with it, a sentence.
    pub via: Option<String>,
    /// Remarks for the user, one sentence each: a private server that answers the internet, one side only, …
    pub notes: Vec<String>,
}
