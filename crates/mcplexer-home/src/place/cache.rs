//! The copy of a store on a server, for when that cannot be reached.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use mcplexer_secrets::Error as StoreError;
use mcplexer_secrets::backend::{Backend, CachedBackend};

use crate::error::EnvironmentError;
use crate::home::Home;

use super::{StorePlace, StoreUrl};

/// Says whether there is a copy, and how old it may be.
pub const STORE_CACHE_VARIABLE: &str = "MCPLEXER_STORE_CACHE";

/// Whether a copy of what was read is kept, and used while the server of the store cannot be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreCache {
    /// None is kept.
    Off,
    /// One is kept, and used unless it was up to date longer ago than this.
    On {
        /// Without it, a copy may be of any age.
        max_age: Option<Duration>,
    },
}

impl StoreCache {
    /// Parses `off`, or a number of minutes, hours, days or weeks: `30m`, `12h`, `7d`, `2w`.
    ///
    /// # Errors
    /// [`EnvironmentError::StoreCache`].
    pub fn parse(text: &OsStr) -> Result<Self, EnvironmentError> {
        let parse = |text: &str| {
            if text.eq_ignore_ascii_case("off") {
                return Some(Self::Off);
            }
            let units = [('m', 60), ('h', 3600), ('d', 86_400), ('w', 604_800)];
            let mut units = units.into_iter();
            let (number, unit) =
                units.find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
            let is_number = number.bytes().all(|it| it.is_ascii_digit());
            let number: u64 = number.parse().ok().filter(|it| is_number && *it > 0)?;
            let max_age = Some(Duration::from_secs(number.checked_mul(unit)?));
            Some(Self::On { max_age })
        };
        let parsed = text.to_str().and_then(parse);
        parsed.ok_or(EnvironmentError::StoreCache)
    }
}

/// What has the records, and the copy of them if there may be one.
type Cached = (Arc<dyn Backend>, Option<Arc<CachedBackend>>);

impl Home {
    /// Returns the server whose store was used last from here, as far as a copy of that is kept.
    #[must_use]
    pub fn last_server(&self) -> Option<StoreUrl> {
        let name = CachedBackend::store_of(&self.store_cache())?;
        StoreUrl::parse(OsStr::new(&name)).ok()
    }

    /// Has a copy kept of what is read from a server. Removes one that is not wanted any more.
    pub(crate) fn cached(&self, backend: Arc<dyn Backend>) -> Result<Cached, StoreError> {
        let path = self.store_cache();
        match (self.store(), self.cache()) {
            (StorePlace::Server(url), StoreCache::On { max_age }) => {
                let cached = CachedBackend::new(backend, url.to_string(), path);
                let cached = Arc::new(cached.with_max_age(max_age));
                Ok((Arc::clone(&cached) as Arc<dyn Backend>, Some(cached)))
            }
            (_, StoreCache::Off) => match fs::remove_file(&path) {
                Err(source) if source.kind() != ErrorKind::NotFound => Err(StoreError::Io {
                    action: "remove",
                    path,
                    source,
                }),
                _ => Ok((backend, None)),
            },
            _ => Ok((backend, None)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_off_or_of_an_age() {
        let parse = |text: &str| StoreCache::parse(OsStr::new(text));
        let age = |seconds| {
            let max_age = Some(Duration::from_secs(seconds));
            Ok(StoreCache::On { max_age })
        };
        for (text, expected) in [
            ("off", Ok(StoreCache::Off)),
            ("OFF", Ok(StoreCache::Off)),
            ("30m", age(1800)),
            ("12h", age(43_200)),
            ("7d", age(604_800)),
            ("2w", age(1_209_600)),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        let huge = format!("{}w", u64::MAX);
        for text in [
            "on", "", "0h", "00m", "12", "h", "+1h", "-1h", "1.5h", "12 h", "12s", &huge,
        ] {
            assert_eq!(parse(text), Err(EnvironmentError::StoreCache), "{text}");
        }
    }
}
