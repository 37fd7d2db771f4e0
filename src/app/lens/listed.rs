//! How much of each list stands in the view of an address or interface: what the room allows, and all of a list that was opened. What is left out can be
//! opened at the end of its list.

use std::sync::Arc;

use super::Entry;
use crate::engine::profile::Profile;

/// Alerts listed until their list is opened: the worst.
const ALERTS: usize = 4;
/// Entries of a list that stand there however little room there is.
const LEAST: usize = 3;
/// Entries of a list, on average, where all lists stand below each other and are scrolled.
const SCROLLED: usize = 8;

/// A list of the view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Alerts about it.
    Alerts,
    /// Those it talked to.
    Peers,
    /// Ports on which it answers.
    Served,
    /// Ports of others that it uses.
    Used,
    /// Interfaces that saw it.
    Interfaces,
}

impl List {
    /// In the order in which they stand in the view.
    pub const ALL: [List; 5] = [List::Alerts, List::Peers, List::Served, List::Used, List::Interfaces];

    /// How many entries of it are known one by one.
    pub fn len(self, profile: &Profile) -> usize {
        match self {
            List::Alerts => profile.alerts.len(),
            List::Peers => profile.peers.len(),
            List::Served => profile.served.len(),
            List::Used => profile.used.len(),
            List::Interfaces => profile.interfaces.len(),
        }
    }

    fn entry(self, profile: &Profile, at: usize) -> Entry {
        let port = |of: &[crate::engine::profile::PortUse]| (of[at].protocol, of[at].port);
        match self {
            List::Alerts => Entry::Alert(profile.alerts[at].id),
            List::Peers => Entry::Peer(profile.peers[at].addr),
            List::Served => {
                let (protocol, port) = port(&profile.served);
                Entry::Served(protocol, port)
            }
            List::Used => {
                let (protocol, port) = port(&profile.used);
                Entry::Used(protocol, port)
            }
            List::Interfaces => Entry::Interface(Arc::clone(&profile.interfaces[at].0)),
        }
    }
}

/// The room for the lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Lines.
    pub lines: usize,
    /// Whether ports and interfaces stand beside the peers.
    pub beside: bool,
}

/// How many entries of each list stand in the view, in the order of [`List::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listed([usize; 5]);

impl Listed {
    /// What `room` allows; of the lists in `open` all.
    pub fn fit(profile: &Profile, open: [bool; 5], room: Room) -> Listed {
        let wants = List::ALL.map(|list| list.len(profile));
        let mut listed = wants;
        if !open[0] {
            listed[0] = if wants[0] > ALERTS { ALERTS } else { wants[0] };
        }
        // All sessions, all records, the heading of the alerts and of the peers; what an empty list says.
        let alerts = if wants[0] == 0 { 0 } else { listed[0] + 1 + usize::from(wants[0] > ALERTS) };
        let closed = |lists: &[usize]| lists.iter().copied().filter(|at| !open[*at]).collect::<Vec<usize>>();
        let (left, right) = if room.beside {
            ((closed(&[1]), room.lines.saturating_sub(3 + alerts)), (closed(&[2, 3, 4]), room.lines.saturating_sub(3)))
        } else {
            let lists = closed(&[1, 2, 3, 4]);
            let lines = room.lines.saturating_sub(7 + alerts).max(lists.len() * SCROLLED);
            ((lists, lines), (Vec::new(), 0))
        };
        for (lists, lines) in [left, right] {
            share(&lists, lines, &mut listed);
        }
        Listed(listed)
    }

    /// How many entries of `list` stand there.
    pub fn of(self, list: List) -> usize {
        self.0[list as usize]
    }
}

/// Shares `lines` out among `lists`, of which `listed` says what each would take: those that need little get it, the others the same each, with
/// a line for what is left out.
fn share(lists: &[usize], lines: usize, listed: &mut [usize; 5]) {
    let mut lists = lists.to_vec();
    lists.sort_by_key(|at| listed[*at]);
    let (mut left, mut among) = (lines, lists.len());
    for at in lists {
        // Of nothing it is said that there is nothing.
        let want = listed[at].max(1);
        let share = left / among;
        if want > share {
            listed[at] = share.saturating_sub(1).max(LEAST).min(listed[at]);
        }
        left = left.saturating_sub(want.min(share));
        among -= 1;
    }
}

/// What can be opened in the view of `profile`, in the order in which it stands there.
pub fn entries(profile: &Profile, listed: Listed, open: [bool; 5]) -> Vec<Entry> {
    let mut entries = vec![Entry::Sessions, Entry::Records];
    for list in List::ALL {
        let shown = listed.of(list).min(list.len(profile));
        entries.extend((0..shown).map(|at| list.entry(profile, at)));
        // A list that was opened can be closed again where it was long.
        if list.len(profile) > shown || (open[list as usize] && shown > LEAST) {
            entries.push(Entry::More(list));
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_take_the_room_there_is_and_no_more() {
        let lists = [2, 3, 4];
        let given = |wants: [usize; 3], lines: usize| {
            let mut listed = [0, 0, wants[0], wants[1], wants[2]];
            share(&lists, lines, &mut listed);
            [listed[2], listed[3], listed[4]]
        };
        assert_eq!(given([4, 5, 1], 10), [4, 5, 1]);
        // One line of each cut list says how many more there are.
        assert_eq!(given([100, 5, 1], 30), [23, 5, 1]);
        assert_eq!(given([100, 100, 1], 31), [14, 14, 1]);
        assert_eq!(given([0, 100, 1], 30), [0, 27, 1]);
        assert_eq!(given([100, 100, 100], 0), [3, 3, 3]);
        assert_eq!(given([2, 0, 100], 0), [2, 0, 3]);
    }
}
