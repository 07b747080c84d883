//! How a container is asked over its networks whether it is ready.

use super::ValueError;
use crate::name::Image;
use crate::name::visible;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A request of HTTP that a container answers once it is ready. A redirect is not followed, since its target could be the
/// release before. Each has 5 s.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpCheck {
    /// Where the container listens.
    pub port: u16,
    /// What it is asked for; begins with `/`.
    pub path: String,
    /// The host that it takes the request for.
    pub host: String,
    /// Which answers are good.
    pub status: Statuses,
    /// Who asks.
    pub prober: Prober,
    /// The time between two requests.
    pub every: Duration,
    /// When it is given up before its time is over; `None`: never.
    pub patience: Option<Patience>,
}

/// How often a check may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Failures do not count for this time.
    pub start_period: Duration,
    /// So many failures on end afterwards are too many.
    pub retries: u8,
}

/// Which statuses of HTTP are good answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Default for Statuses {
    /// Those below 400.
    fn default() -> Self {
        Self(vec![200..=399])
    }
}

impl Statuses {
    /// The statuses in texts such as `401` and `200-399`.
    ///
    /// # Errors
    /// When one of them is something else, or there is none.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ValueError> {
        const HINT: &str = "write a status as in `401`, a range as in `200-399`, or a list of these";
        let range = |text: &str| {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            let status = |text: &str| text.trim().parse().ok().filter(|status| (200..=599).contains(status));
            let (first, last) = (status(first)?, status(last)?);
            (first <= last).then_some(first..=last)
        };
        let ranges: Result<Vec<_>, _> = texts
            .into_iter()
            .map(|text| {
                let wrong = || ValueError::new(format!("`{}` is no status of HTTP", visible(text)), HINT);
                range(text).ok_or_else(wrong)
            })
            .collect();
        match ranges? {
            ranges if ranges.is_empty() => Err(ValueError::new("no status would be good", HINT)),
            ranges => Ok(Self(ranges)),
        }
    }

    /// An extended regular expression for them.
    pub fn pattern(&self) -> String {
        let mut patterns = Vec::new();
        for range in &self.0 {
            let (mut first, last) = (*range.start(), *range.end());
            while first <= last {
                let (count, pattern) = match first {
                    _ if first.is_multiple_of(100) && first + 99 <= last => {
                        (100, format!("{}..", first / 100))
                    }
                    _ if first.is_multiple_of(10) && first + 9 <= last => (10, format!("{}.", first / 10)),
                    _ => (1, first.to_string()),
                };
                patterns.push(pattern);
                first += count;
            }
        }
        patterns.join("|")
    }
}

impl fmt::Display for Statuses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}

/// A connection that an app takes once it is ready. The proxy makes it, as it makes those of visitors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortCheck {
    /// Where the app is to listen.
    pub port: u16,
    /// The host that the proxy asks it for.
    pub host: String,
}

/// Who asks a container over HTTP: only these have a way into its networks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prober {
    /// The proxy, which is on a network of the container's.
    Proxy,
    /// A container of this image, made for one request, beside the one that is asked and with the same `localhost`.
    Beside(Image),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_numbers_and_ranges() {
        for (texts, shown, pattern) in [
            (&["200-399"][..], "200-399", "2..|3.."),
            (&["401"], "401", "401"),
            (&["200", "301-302", "399-410"], "200, 301-302, 399-410", "200|301|302|399|40.|410"),
            (&["200 - 204"], "200-204", "200|201|202|203|204"),
        ] {
            let statuses = Statuses::parse(texts.iter().copied()).expect("statuses");
            assert_eq!((statuses.to_string().as_str(), statuses.pattern().as_str()), (shown, pattern));
        }
        for texts in
            [&[][..], &["ok"], &["2xx"], &["99"], &["399-200"], &["600"], &["100"], &["200-"], &["200", ""]]
        {
            assert!(Statuses::parse(texts.iter().copied()).is_err(), "{texts:?}");
        }
        assert_eq!(Statuses::default(), Statuses::parse(["200-399"]).expect("statuses"));
    }
}
