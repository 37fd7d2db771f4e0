//! The records of a session, as long as it is open: kept one by one as far as its counters do not say them, so that repeated ones are known
//! and that connections on the same ports can be told apart afterwards.

use super::Session;
use crate::record::Flow;
use crate::record::services::TCP;
use crate::session::kept::{Kept, Kind};
use crate::session::key::Way;
use crate::session::observer::Observer;

impl Session {
    /// Keeps a record of the observer in place `at`. False where it is known.
    pub(super) fn keep(&mut self, at: usize, way: Way, flow: &Flow) -> bool {
        let Some(observer) = self.observer_mut(at).filter(|observer| observer.saw(way)) else { return true };
        let only = observer.only(way).map(|only| only.at(at));
        // The second record: from now on both are listed.
        if let Some(only) = only {
            self.list(only);
        }
        self.list(Kept::of(flow, at, way))
    }

    /// Lists a record. False where it is known.
    fn list(&mut self, record: Kept) -> bool {
        let kept = &mut self.more.get_or_insert_default().kept;
        match kept.keep(record) {
            Kind::Repeated => false,
            Kind::New(oldest) => {
                if let Some(oldest) = oldest.filter(|_| self.protocol == TCP) {
                    self.fold(&oldest);
                }
                true
            }
        }
    }

    /// Adds a record that is no longer kept to what such records add up to.
    fn fold(&mut self, record: &Kept) {
        let flow = self.flow(record);
        let (key, late, id, cut) = (self.packed(), self.late, self.id, self.cut());
        let Some(more) = &mut self.more else { return };
        if let Some(base) = &mut more.base {
            if let Some(at) = base.place_of(flow.interface, || Observer::new(&flow)) {
                base.count(&flow, record.way(), at);
            }
            base.unlist();
        } else {
            let mut base = Session::new(id, &key, record.way(), &flow, late);
            base.set_cut(cut);
            base.unlist();
            more.base = Some(Box::new(base));
        }
    }

    fn unlist(&mut self) {
        self.observer.unlist();
        for observer in self.more.iter_mut().flat_map(|more| &mut more.others) {
            observer.unlist();
        }
    }

    /// A session of what records that are no longer known one by one add up to.
    pub(in crate::session) fn of_sum(sum: Session, id: u64, late: bool) -> Session {
        let mut session = Session { id, late, ..sum.clone() };
        session.more.get_or_insert_default().base = Some(Box::new(sum));
        session.settle();
        session
    }

    /// A kept record as it came, as far as it matters here.
    fn flow(&self, record: &Kept) -> Flow {
        let observer = self.observers().nth(record.observer()).unwrap_or(&self.observer);
        let (a, b) = (self.end(0), self.end(1));
        let (src, dst) = if record.way() == Way::AtoB { (a, b) } else { (b, a) };
        Flow {
            scope: self.scope,
            account: observer.account,
            interface: observer.interface,
            src: src.0,
            dst: dst.0,
            src_port: src.1,
            dst_port: dst.1,
            protocol: self.protocol,
            packets: record.packets,
            bytes: record.bytes,
            start: record.start(),
            end: record.end,
            action: record.action,
            flags: record.flags,
            addresses: observer.addresses(record.way()),
        }
    }

    /// Its records that are known one by one, and what the others add up to.
    pub(in crate::session) fn pieces(&self) -> (Vec<(Flow, Way)>, Option<&Session>) {
        let mut all = Vec::new();
        let more = self.more.as_ref();
        for (at, observer) in self.observers().enumerate() {
            let only = [Way::AtoB, Way::BtoA].into_iter().filter_map(|way| observer.only(way)).map(|only| only.at(at));
            // The only record of a counter is listed all the same once a copy of it has come.
            let only = only.filter(|only| !more.is_some_and(|more| more.kept.lists(only)));
            all.extend(only.map(|only| (self.flow(&only), only.way())));
        }
        all.extend(more.iter().flat_map(|more| more.kept.iter()).map(|kept| (self.flow(kept), kept.way())));
        (all, more.and_then(|more| more.base.as_deref()))
    }

    /// Takes in another session of the same key.
    pub(in crate::session) fn absorb(&mut self, other: &Session) {
        self.span(other.first, other.last, other.reach);
        self.records = self.records.saturating_add(other.records);
        self.duplicates = self.duplicates.saturating_add(other.duplicates);
        self.late &= other.late;
        self.ways |= other.ways;
        for (index, theirs) in other.observers().enumerate() {
            let Some(at) = self.place_of(theirs.interface, || theirs.empty()) else { continue };
            // What both list, or one alone has several of, stands apart.
            for way in [Way::AtoB, Way::BtoA] {
                let Some(ours) = self.observer_mut(at) else { continue };
                let (ours, both) = (ours.only(way), ours.saw(way) && theirs.saw(way));
                let listed = other.more.iter().flat_map(|more| more.kept.iter());
                let listed = listed.filter(|kept| kept.observer() == index && kept.way() == way);
                let singles = ours.into_iter().chain(theirs.only(way)).filter(|_| both);
                for kept in singles.chain(listed.copied()).collect::<Vec<_>>() {
                    self.list(kept.at(at));
                }
            }
            if let Some(ours) = self.observer_mut(at) {
                ours.absorb(theirs);
            }
        }
        if let Some(theirs) = other.more.as_ref().and_then(|more| more.base.as_deref()) {
            let more = self.more.get_or_insert_default();
            match &mut more.base {
                Some(base) => base.absorb(theirs),
                None => more.base = Some(Box::new(theirs.clone())),
            }
        }
        self.settle();
    }
}
