//! Databases of `MaxMind`'s format that the user points to: country and autonomous system of public addresses. They are files like any other, so nothing
//! in them is believed to be sound; the reader of the format bounds how deep and how far it follows them.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use maxminddb::{LookupResult, PathElement, Reader, WithinOptions, path};

use crate::record::places::{self, Part, Places};
use crate::record::special::is_public;

/// Longest text that is taken out of a database, characters.
const LONGEST: usize = 120;

/// Networks of a database that are looked at to learn what it is about.
const PROBED: usize = 1_000;

/// Databases, asked in the order given: the first that knows a thing says it.
#[derive(Default)]
pub struct Geo(Vec<Database>);

struct Database {
    path: String,
    reader: Reader<Vec<u8>>,
    /// Whether its first networks have a country, and a number of an autonomous system.
    tells: (bool, bool),
}

/// Why a file is no database.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no MaxMind database (.mmdb): {0}. Give a file such as GeoLite2-Country.mmdb or GeoLite2-ASN.mmdb, unpacked")]
pub struct BadGeo(String);

/// What is known of where an address is. It comes from a file: whoever shows it cleans it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The country's code of two letters.
    pub country: Option<String>,
    /// Its name.
    pub country_name: Option<String>,
    /// Whether the country is where the network is registered, since nobody says where it is.
    pub registered: bool,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs that.
    pub organisation: Option<String>,
    /// A database that cannot be read for this address.
    pub damaged: Option<String>,
}

impl Place {
    /// In a line: `KR South Korea, AS16509 AMAZON-02`.
    pub fn says(&self) -> String {
        let words = |words: [Option<&str>; 2]| words.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let country = words([self.country.as_deref(), self.country_name.as_deref()]);
        let country = if self.registered && !country.is_empty() { format!("registered in {country}") } else { country };
        let number = self.asn.map(|asn| format!("AS{asn}"));
        let system = words([number.as_deref(), self.organisation.as_deref()]);
        let damaged = self.damaged.as_ref().map(|path| format!("{path} is damaged")).unwrap_or_default();
        [country, system, damaged].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
    }

    fn is_nothing(&self) -> bool {
        *self == Place::default()
    }
}

impl Geo {
    /// Adds the database whose contents are `bytes`; `path` is what it is called.
    ///
    /// # Errors
    /// It is none.
    pub fn add(&mut self, path: &str, bytes: Vec<u8>) -> Result<(), BadGeo> {
        let reader = Reader::from_source(bytes).map_err(|error| BadGeo(error.to_string()))?;
        // A tree that cannot be walked at all is found out now and not in the middle of an incident.
        for address in [IpAddr::from([192, 0, 2, 1]), IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1])] {
            if address.is_ipv4() || reader.metadata().ip_version == 6 {
                reader.lookup(address).map_err(|error| BadGeo(error.to_string()))?;
            }
        }
        let mut first = Read::default();
        if let Ok(networks) = reader.networks(WithinOptions::default()) {
            networks.take(PROBED).filter_map(Result::ok).for_each(|found| first.take(&found));
        }
        let tells = (first.country.is_some(), first.asn.is_some());
        self.0.push(Database { path: path.to_owned(), reader, tells });
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each database in a line: its type, when it was made, its file.
    pub fn databases(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|database| {
            let meta = database.reader.metadata();
            let made = i64::try_from(meta.build_epoch).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
            let made = made.map_or_else(|| "an unknown day".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
            let kind: String = meta.database_type.chars().take(LONGEST).collect();
            format!("{kind} of {made}, {}", database.path)
        })
    }

    /// What they say of a public address; `None` for others, and where they say nothing.
    pub fn find(&self, address: IpAddr) -> Option<Place> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (mut place, mut damaged) = (Read::default(), None);
        self.read(address, &mut place, &mut |path| {
            damaged.get_or_insert_with(|| path.to_owned());
        });
        let place = Place {
            country: owned(place.country),
            country_name: owned(place.country_name),
            registered: place.registered,
            asn: place.asn,
            organisation: owned(place.organisation),
            damaged,
        };
        (!place.is_nothing()).then_some(place)
    }

    /// The code of the country of a public address.
    pub fn country(&self, address: IpAddr) -> Option<&str> {
        let mut place = Read::default();
        self.read(address, &mut place, &mut |_| ());
        place.country
    }

    /// Reads what is said of a public address, and which databases cannot be read for it.
    fn read<'a>(&'a self, address: IpAddr, place: &mut Read<'a>, damaged: &mut dyn FnMut(&str)) {
        if self.0.is_empty() || !is_public(address) {
            return;
        }
        for database in &self.0 {
            // Those for the older addresses alone do not have the newer ones.
            if address.is_ipv6() && database.reader.metadata().ip_version != 6 {
                continue;
            }
            match database.reader.lookup(address) {
                Ok(found) => place.take(&found),
                Err(_) => damaged(&database.path),
            }
        }
    }
}

/// What databases say of an address, as they hold it.
#[derive(Clone, Copy, Default)]
struct Read<'a> {
    country: Option<&'a str>,
    country_name: Option<&'a str>,
    registered: bool,
    asn: Option<u32>,
    organisation: Option<&'a str>,
}

impl<'a> Read<'a> {
    /// Takes from `found` what is not known yet.
    fn take(&mut self, found: &LookupResult<'a, Vec<u8>>) {
        let text = |path: &[PathElement<'_>]| {
            let text: &str = found.decode_path(path).ok().flatten()?;
            let text = text.trim();
            let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
            Some(&text[..end]).filter(|text| !text.is_empty())
        };
        if self.country.is_none() {
            // As MaxMind and DB-IP write it; then as IPinfo does.
            let own = text(&path!["country", "iso_code"]);
            let (code, name, registered) = if let Some(code) = own {
                (Some(code), text(&path!["country", "names", "en"]), false)
            } else if let Some(code) = text(&path!["registered_country", "iso_code"]) {
                (Some(code), text(&path!["registered_country", "names", "en"]), true)
            } else if let Some(code) = text(&path!["country_code"]) {
                (Some(code), text(&path!["country"]), false)
            } else {
                (text(&path!["country"]), text(&path!["country_name"]), false)
            };
            (self.country, self.country_name, self.registered) = (code, name, registered);
        }
        if self.asn.is_none() {
            let number: Option<u32> = found.decode_path(&path!["autonomous_system_number"]).ok().flatten();
            let written = || text(&path!["asn"])?.trim_start_matches(['A', 'S', 'a', 's']).parse().ok();
            self.asn = number.or_else(written);
            let organisation = text(&path!["autonomous_system_organization"]).or_else(|| text(&path!["as_name"]));
            self.organisation = organisation.or(self.organisation);
        }
    }
}

impl Places for Arc<Geo> {
    fn place(&self, address: IpAddr) -> places::Place<'_> {
        let mut place = Read::default();
        self.read(address, &mut place, &mut |_| ());
        places::Place { country: place.country, asn: place.asn, org: place.organisation }
    }

    fn tells(&self, part: Part) -> bool {
        self.0.iter().any(|database| match part {
            Part::Country => database.tells.0,
            Part::Asn | Part::Org => database.tells.1,
        })
    }
}

impl fmt::Debug for Geo {
    /// The databases are megabytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.databases()).finish()
    }
}
