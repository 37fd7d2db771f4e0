//! Where public addresses are, which no log says: country, autonomous system and who runs it. Whoever starts the program installs what knows it, once, as it
//! does with the sets of filters; before that nobody knows anything. Fields of places are then fields like others: they filter, sort, group and stand in
//! columns. What was found out last is kept, since the same addresses are asked for row after row.

use std::cell::RefCell;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::OnceLock;

use super::field::Field;
use super::value::Value;

/// What is known of the place of an address. The texts come from files: whoever shows them cleans them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The country's code of two letters.
    pub country: Option<&'a str>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs that.
    pub org: Option<&'a str>,
}

/// What a field says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The country.
    Country,
    /// The number of the autonomous system.
    Asn,
    /// Who runs that.
    Org,
}

/// Who knows places.
pub trait Places: Send + Sync {
    /// What is known of `address`; nothing of one that is not public.
    fn place(&self, address: IpAddr) -> Place<'_>;

    /// Whether anything of this part is known of any address.
    fn tells(&self, part: Part) -> bool;
}

static KNOWN: OnceLock<Box<dyn Places>> = OnceLock::new();

/// Makes `places` what this run knows. Call it once, at start; later calls do nothing.
pub fn install(places: impl Places + 'static) {
    let _ = KNOWN.set(Box::new(places));
}

/// Whether anybody knows this part of any address.
pub fn tells(part: Part) -> bool {
    KNOWN.get().is_some_and(|known| known.tells(part))
}

/// Whether `field` can have a value: false where it says of places what nobody knows.
pub fn is_told(field: Field) -> bool {
    asks(field).is_none_or(|(part, _)| tells(part))
}

/// The fields whose addresses a field of both sides asks.
const EITHER: &[Field] = &[Field::SrcAddr, Field::DstAddr, Field::PktSrcAddr, Field::PktDstAddr];

/// What `field` says of which addresses; `None` where it says nothing of a place.
pub fn asks(field: Field) -> Option<(Part, &'static [Field])> {
    Some(match field {
        Field::Country => (Part::Country, EITHER),
        Field::SrcCountry => (Part::Country, &[Field::SrcAddr]),
        Field::DstCountry => (Part::Country, &[Field::DstAddr]),
        Field::Asn => (Part::Asn, EITHER),
        Field::SrcAsn => (Part::Asn, &[Field::SrcAddr]),
        Field::DstAsn => (Part::Asn, &[Field::DstAddr]),
        Field::Org => (Part::Org, EITHER),
        Field::SrcOrg => (Part::Org, &[Field::SrcAddr]),
        Field::DstOrg => (Part::Org, &[Field::DstAddr]),
        _ => return None,
    })
}

/// Addresses whose places are kept, a thread. A power of two.
const KEPT: usize = 8_192;

struct Kept {
    hasher: foldhash::fast::FixedState,
    places: Vec<Option<(IpAddr, Place<'static>)>>,
}

thread_local! {
    static LAST: RefCell<Kept> = const { RefCell::new(Kept { hasher: foldhash::fast::FixedState::with_seed(8), places: Vec::new() }) };
}

/// This part of the place of `address`, where somebody knows it.
pub fn value(part: Part, address: IpAddr) -> Option<Value<'static>> {
    let known = KNOWN.get()?;
    let find = |kept: &mut Kept| {
        if kept.places.is_empty() {
            kept.places = vec![None; KEPT];
        }
        #[expect(clippy::cast_possible_truncation, reason = "taken modulo the number of places")]
        let at = kept.hasher.hash_one(address) as usize % KEPT;
        match kept.places[at] {
            Some((whose, place)) if whose == address => place,
            _ => {
                let place = known.place(address);
                kept.places[at] = Some((address, place));
                place
            }
        }
    };
    let place = LAST.try_with(|kept| find(&mut kept.borrow_mut())).unwrap_or_else(|_| known.place(address));
    match part {
        Part::Country => place.country.map(Value::Text),
        Part::Asn => place.asn.map(|asn| Value::Int(asn.into())),
        Part::Org => place.org.map(Value::Text),
    }
}
